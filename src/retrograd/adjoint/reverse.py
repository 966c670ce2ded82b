"""The reverse walk: the statements of a block backwards, each by its rule.

    y = f(x)             x_bar += y_bar * partial
    y = load(A, i)       A_bar = add_at(A_bar, i, y_bar)
    A1 = update(A, i, v) v_bar += load(A1_bar, i);  A_bar = update(A1_bar, i, 0)
    loop                 a loop over the same iterations backwards
    branch               a branch whose arms are the arms' reverses
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from retrograd.adjoint.activity import differentiable_args, overwrites
from retrograd.adjoint.arithmetic import add, reshaped, times, unbroadcast, zeros
from retrograd.adjoint.checkpoint import reverse_checkpointed
from retrograd.adjoint.parts import Part, receiver
from retrograd.adjoint.residuals.demand import Residuals
from retrograd.adjoint.residuals.tapes import iteration_number
from retrograd.adjoint.ruled import reverse_ruled
from retrograd.adjoint.scopes import Scope
from retrograd.adjoint.stores import part_of_adjoint
from retrograd.adjoint.strong import SINGULAR, keys_carried
from retrograd.adjoint.sweep import Key, Sweep, bar, like
from retrograd.adjoint.templates import Template, inlined, placed, template
from retrograd.errors import Unsupported
from retrograd.ir.build import TEMPORARY
from retrograd.ir.extents import Extent
from retrograd.ir.index import FULL, Slice
from retrograd.ir.nodes import (
    Atom,
    Block,
    Branch,
    Carried,
    Constant,
    Join,
    Let,
    Loop,
    Statement,
    Value,
    While,
    integer,
    number,
)
from retrograd.ir.types import INT, Array, Scalar, real_dtype
from retrograd.rules import INDEXED, RULES


@dataclass(slots=True)
class Reverse:
    """The reverse walk over one function; `strong` values have strong zeros, `overwritten` ones
    where a partial may be singular (see `strong.py`)."""

    residuals: Residuals
    active: frozenset[Value]
    strong: frozenset[Value]
    overwritten: frozenset[Value]
    keys: dict[Value, tuple[Value, ...]] = field(init=False)

    def __post_init__(self) -> None:
        self.keys = keys_carried(self.residuals.places)

    def block(self, block: Block, sweep: Sweep) -> None:
        for statement in reversed(block):
            with sweep.builder.at(statement.origin):
                self.statement(statement, sweep)

    def statement(self, statement: Statement, sweep: Sweep) -> None:
        match statement:
            case Let(op="ruled"):
                reverse_ruled(self, statement, sweep)
            case Let():
                if statement.result in self.residuals.chain_of and (
                        statement.op in ("update", "add_at")):
                    self.residuals.undo(statement, sweep)
                g = sweep.state.pop(statement.result, None)
                if g is not None and statement.result in self.active:
                    self.let(statement, g, sweep)
            case Loop() if statement.snapshots is not None:
                reverse_checkpointed(self, statement, sweep)
            case Loop():
                self.loop(statement, sweep)
            case While():
                self.loop(statement, sweep)
            case Branch():
                self.branch(statement, sweep)
            case _:
                pass                     # exceptions, checks and prints belong to the primal

    # --- adjoints ------------------------------------------------------------------------------

    def accumulate(self, atom: Atom, contribution: Atom | None, sweep: Sweep) -> None:
        """Add a contribution to the adjoint of a primal value."""
        if not isinstance(atom, Value) or atom not in self.active or contribution is None:
            return
        present = sweep.get(atom, self.residuals.places.scope[atom])
        if present is None:
            sweep.state[atom] = self.named(contribution, atom, sweep)
        else:
            total = add(sweep.builder, present, contribution, bar(atom))
            if isinstance(atom.type, Array) and not isinstance(total.type, Array):
                total = sweep.builder.let("reshape", total, name=bar(atom))   # without axes
            sweep.state[atom] = total

    def named(self, contribution: Atom, value: Value, sweep: Sweep) -> Atom:
        """The first contribution is the adjoint, and bears its name."""
        builder = sweep.builder
        if isinstance(value.type, Array) and not isinstance(contribution.type, Array):
            contribution = builder.let("reshape", contribution)
        if isinstance(contribution, Value):
            return builder.renamed(contribution, bar(value))
        if contribution.value in (0, 1, -1) or value.name in TEMPORARY:
            return contribution
        return builder.let("let", contribution, name=bar(value))

    def adjoint_array(self, value: Value, sweep: Sweep) -> Atom:
        """The adjoint of an array of which a part receives a contribution: zeros at first."""
        present = sweep.get(value, self.residuals.places.scope[value])
        return zeros(sweep.builder, value) if present is None else present

    def add_at(self, part: Part, g: Atom, sweep: Sweep) -> None:
        """Add a contribution to the adjoint of a part of an array."""
        part = receiver(part, self.residuals.places, self.residuals.need, sweep)
        builder, name = sweep.builder, bar(part.array)
        total = self.adjoint_array(part.array, sweep)
        if part.shape is not None:
            total = builder.let("reshape", total, *map(builder.atom_of, part.shape), name=name)
        total = builder.let("add_at", total, *part.atoms, g, name=name, index=part.index)
        sweep.state[part.array] = total if part.shape is None else builder.let(
            "reshape", total, *builder.shape_atoms(part.array), name=name)

    # --- operations ----------------------------------------------------------------------------

    def let(self, let: Let, g: Atom, sweep: Sweep) -> None:
        if let.op in INDEXED:
            self.indexed(let, g, sweep)
            return
        if let.op == "where":
            self.where(let, g, sweep)
            return
        rule = RULES[let.op]
        candidates = differentiable_args(let)
        wanted = [isinstance(a, Value) and a in self.active and a in candidates for a in let.args]
        try:
            rule_template = template(rule, let.args, let.result.type, dict(let.static), wanted)
        except Unsupported as refusal:
            raise placed(refusal, let) from None
        results = self.instantiate(rule_template, let, g, sweep)
        pairs = [(arg, result) for arg, result, keep in zip(let.args, results, wanted, strict=True)
                 if keep and result is not None and isinstance(arg, Value)]
        if rule.kind != "elementwise":
            for arg, result in pairs:
                self.accumulate(arg, result, sweep)
            return
        if len(pairs) == 2 and pairs[0] == pairs[1]:       # x * x: once, and twice as much
            g = sweep.builder.let("multiply", number(2, Scalar(real_dtype(g.type.dtype))), g)
            pairs = pairs[:1]
        for arg, result in pairs:
            product = self.product(let, arg, g, result, sweep)
            if product is not None:
                self.accumulate(arg, unbroadcast(sweep.builder, product, arg), sweep)

    def product(self, let: Let, arg: Value, g: Atom, partial: Atom, sweep: Sweep) -> Atom | None:
        """`g * partial`; exactly 0 where g is a strong zero, or the factor that `arg` is beside."""
        if let.op == "multiply" and isinstance(partial, Constant) and not partial.value:
            return sweep.builder.let("multiply", partial, g)       # the user's 0: 0 * inf is nan
        product = times(sweep.builder, g, partial)
        strong = let.result in self.strong or (
            let.op in SINGULAR and let.result in self.overwritten)
        if product is None or isinstance(partial, Constant):
            return product
        if strong:
            product = sweep.builder.let("strong", product, g)
        keys = () if arg in self.keys else self.keys.get(let.result, ())
        if keys and arg not in keys:
            needed = [self.residuals.need(k, sweep) for k in keys]
            product = sweep.builder.let("strong", product, *needed)
        return product

    def instantiate(self, rule: Template, let: Let, g: Atom, sweep: Sweep) -> list[Atom | None]:
        """Inline a template: only what it reads is asked for."""
        reads = rule.reads()
        builder = sweep.builder
        stand: dict[Value, Atom] = {rule.out_bar: g}
        shapes: dict[Value, Value] = {rule.out: let.result}
        for placeholder, arg in zip(rule.args, let.args, strict=True):
            if isinstance(placeholder, Value) and isinstance(arg, Value):
                shapes[placeholder] = arg
        for placeholder, value in shapes.items():
            if placeholder in reads:
                stand[placeholder] = self.residuals.need(value, sweep)
        shapes[rule.out_bar] = let.result
        inlined(rule.lets, stand, shapes, builder)
        return [stand[r] if isinstance(r, Value) else r for r in rule.results]

    def where(self, let: Let, g: Atom, sweep: Sweep) -> None:
        """What was not chosen contributes nothing."""
        builder = sweep.builder
        condition = self.residuals.need(let.args[0], sweep)
        zero = number(0, Scalar(g.type.dtype))
        for arg, parts in ((let.args[1], (g, zero)), (let.args[2], (zero, g))):
            if isinstance(arg, Value) and arg in self.active:
                chosen = builder.let("where", condition, *parts)
                self.accumulate(arg, unbroadcast(builder, chosen, arg), sweep)

    def indexed(self, let: Let, g: Atom, sweep: Sweep) -> None:
        """Reads add into a part of the adjoint; writes read it, and clear it."""
        array = let.args[0]
        assert isinstance(array, Value)
        index = let.static.get("index", ())
        builder = sweep.builder
        if let.op == "view" and all(item in (FULL, "new") for item in index):
            self.accumulate(array, reshaped(builder, g, array), sweep)
            return
        if let.op in ("load", "view", "take"):
            atoms = [self.residuals.need(a, sweep) for a in let.args[1:]]
            self.add_at(Part(array, index, tuple(atoms)), g, sweep)
            return
        self.stored(self.as_update(let, sweep) if let.op == "push" else let, g, array, sweep)

    def as_update(self, push: Let, sweep: Sweep) -> Let:
        """A row that is pushed, or rows one after the other, as a store where they are then."""
        array, start, value = push.args
        rest = (FULL,) * (array.type.rank - 1)
        if value.type.rank < array.type.rank:
            return replace(push, op="update", static={"index": ("int", *rest)})
        builder = sweep.builder
        end = builder.let("add", self.residuals.need(start, sweep), builder.shape_atoms(value)[0])
        return replace(push, op="update", args=(array, start, end, value),
                       static={"index": (Slice(True, True), *rest)})

    def stored(self, let: Let, g: Atom, array: Value, sweep: Sweep) -> None:
        """`update` and `add_at`: the value's adjoint is that of the place where it is; with
        `update` nothing is left of what was there before."""
        index, builder = let.static["index"], sweep.builder
        atoms = [self.residuals.need(a, sweep) for a in let.args[1:-1]]
        stored = let.args[-1]
        if isinstance(stored, Value) and stored in self.active:
            self.accumulate(stored, unbroadcast(
                builder, part_of_adjoint(builder, let, g, atoms), stored), sweep)
        if overwrites(let):
            return
        if let.op == "update" and array in self.active:
            g = builder.let("update", g, *atoms, number(0, Scalar(g.type.dtype)),
                            name=bar(array), index=index)
        self.accumulate(array, g, sweep)

    # --- loops ---------------------------------------------------------------------------------

    def loop(self, loop: Loop | While, sweep: Sweep) -> None:
        slots = [c for c in loop.carried if c.result in self.active or c.inner in self.active]
        seeds = {c: sweep.state.pop(c.result, None) for c in slots}
        places = self.residuals.places
        scope = places.of_block[loop, 1 if isinstance(loop, While) else 0]
        inner = Sweep(scope, sweep.builder.inner(), sweep)
        inner.resolve_with(self.residuals.need)
        index = self.reverse_index(loop, sweep, inner)
        values: dict[Carried, Value] = {}
        for c in slots:
            values[c] = Value(bar(c.result), c.inner.type)
            if isinstance(c.inner.type, Array):
                sweep.builder.facts.extents[values[c]] = sweep.builder.facts.of(c.inner)
        for c in slots:
            self.accumulate(c.next, values[c], inner)
        restored = [(self.residuals.chain_of[c.result], c) for c in loop.carried
                    if c.result in self.residuals.chain_of]
        inner.holds.update((chain, c.next) for chain, c in restored if isinstance(c.next, Value))
        self.block(loop.body, inner)
        carried: list[Carried] = []
        finished: list[tuple[Carried, Value]] = []
        for c in slots:
            end = inner.state.pop(c.inner, None)
            seed = seeds[c]
            if seed is None:
                seed = zeros(sweep.builder, c.result)
            if end is None:
                end = zeros(inner.builder, c.inner)
            result = Value(values[c].name, values[c].type)
            if isinstance(c.init.type, Array):
                sweep.builder.facts.extents[result] = sweep.builder.facts.of(c.init)
            carried.append(Carried(seed, values[c], end, result))
            finished.append((c, result))
        if carried or inner.carried or inner.handed:
            # asked for before the loop is, in what this block has of its surroundings until then
            bounds = self.reversed_bounds(loop, sweep, scope)
            carried += self.threaded(inner, sweep)
            facts = sweep.builder.facts
            facts.bounds.setdefault(index, (Extent(0), facts.integer(bounds[0])))
            sweep.builder.append(Loop(index, *bounds, tuple(carried), inner.block,
                                      origin=loop.origin,
                                      parallel=isinstance(loop, Loop) and loop.parallel))
        # what is asked for until here is asked before the loop that undoes the writes
        sweep.holds.update((chain, c.init) for chain, c in restored if isinstance(c.init, Value))
        for c, result in finished:
            self.accumulate(c.init, result, sweep)

    def threaded(self, inner: Sweep, sweep: Sweep) -> list[Carried]:
        """What a loop's body changes of its surroundings becomes carried."""
        result: list[Carried] = []
        for key, value in inner.carried.items():
            home = self.home(key)
            init = sweep.get(key, home)
            if init is None:
                assert isinstance(key, Value)
                init = zeros(sweep.builder, key)
            after = like(key, sweep.builder)
            result.append(Carried(init, value, inner.state[key], after))
            sweep.state[key] = after
        return [*result, *inner.handed]

    def home(self, key: Key) -> Scope:
        places = self.residuals.places
        return places.scope[key] if isinstance(key, Value) else places.top

    def reverse_index(self, loop: Loop | While, sweep: Sweep, inner: Sweep) -> Value:
        """The index of the reverse loop; `inner` learns the iteration's number."""
        if isinstance(loop, While):
            inner.iteration = index = Value("i", INT)
            return index
        index = Value(loop.index.name, INT)
        facts = sweep.builder.facts
        facts.bounds[index] = facts.bounds[loop.index]
        inner.known[loop.index] = index
        inner.iteration = iteration_number(
            inner.prologue, index, self.residuals.need(loop.start, sweep), loop.step)
        return index

    def reversed_bounds(self, loop: Loop | While, sweep: Sweep, scope: Scope,
                        ) -> tuple[Atom, Atom, Atom]:
        """The range of the reverse loop: the iterations that were made, last first."""
        builder = sweep.builder
        facts = builder.facts
        if isinstance(loop, While):
            made = self.residuals.trips(loop, scope, sweep)
            return builder.atom_of(facts.integer(made) - 1), integer(-1), integer(-1)
        assert isinstance(loop.step, Constant)
        step = int(loop.step.value.real)
        first, end = (facts.integer(self.residuals.need(a, sweep))
                      for a in (loop.start, loop.stop))
        if loop.leave is not None:
            assert loop.trips is not None
            end = first + facts.integer(self.residuals.need(loop.trips, sweep)).scaled(step)
        elif abs(step) != 1:
            count = self.residuals.tapes.count(loop)
            assert count is not None
            end = first + count.scaled(step)
        return builder.atom_of(end - step), builder.atom_of(first - step), integer(-step)

    # --- branches ------------------------------------------------------------------------------

    def branch(self, branch: Branch, sweep: Sweep) -> None:
        joins = [j for j in branch.joins if j.result in self.active]
        seeds = [sweep.state.pop(j.result, None) for j in joins]
        places = self.residuals.places
        arms: list[Sweep] = []
        for k, block in enumerate((branch.then, branch.otherwise)):
            arm = Sweep(places.of_block[branch, k], sweep.builder.inner(), sweep)
            arm.resolve_with(self.residuals.need)
            for j, seed in zip(joins, seeds, strict=True):
                if seed is not None:
                    self.accumulate((j.then, j.otherwise)[k], seed, arm)
            for j in branch.joins:
                end = (j.then, j.otherwise)[k]
                if j.result in self.residuals.chain_of and isinstance(end, Value):
                    arm.holds[self.residuals.chain_of[j.result]] = end
            self.block(block, arm)
            arms.append(arm)
        results: list[Join] = []
        updates: list[tuple[Key, Value]] = []
        for key in dict.fromkeys((*arms[0].entry, *arms[1].entry)):
            sides = [a.state.get(key, sweep.get(key, self.home(key))) for a in arms]
            if sides[0] is sides[1]:
                if sides[0] is not None:      # made before the branch, or the arms would differ
                    sweep.state[key] = sides[0]
                continue
            ends = [zeros(a.builder, key) if s is None else s  # type: ignore[arg-type]
                    for a, s in zip(arms, sides, strict=True)]
            value = like(key, sweep.builder)
            results.append(Join(ends[0], ends[1], value))
            updates.append((key, value))
        if results:
            test = self.residuals.need(branch.test, sweep)
            sweep.builder.append(Branch(test, arms[0].block, arms[1].block,
                                        tuple(results), branch.origin))
            sweep.state.update(updates)
        sweep.holds.update(arms[0].holds)
