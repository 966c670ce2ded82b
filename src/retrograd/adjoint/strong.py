"""Which adjoints have strong zeros: an element that was not chosen contributes exactly nothing.

A value is strong when everything it influences passes through a choice: a `where`, or an arm of a
branch inside which it is used though it is defined outside. Where its adjoint is zero it may have
been left out, and then a partial that is inf or nan must not be multiplied by that zero. The
products of reverse mode that see to it are `strong`, which is a choice too when the adjoint itself
is differentiated: in `strong(g * p, g)` p has exactly no adjoint where g is 0, whatever it is, and
g has p's, which the choice that g comes from takes or leaves.
"""

from __future__ import annotations

from retrograd.adjoint.scopes import Places, Scope
from retrograd.ir.nodes import (
    Atom,
    Block,
    Branch,
    Effect,
    Function,
    Let,
    Loop,
    Raise,
    Statement,
    Value,
    While,
    blocks,
    bound,
    defined,
    operands,
    walk,
    yields,
)
from retrograd.ir.operations import is_elementwise

# Elementwise operations with a partial that may be inf or nan where their operands are finite; a
# rule of the user's may have one
SINGULAR = frozenset({"divide", "sqrt", "cbrt", "power", "log", "log2", "log10", "log1p", "arcsin",
                      "arccos", "arccosh", "arctanh", "hypot", "arctan2", "tan", "gammaln",
                      "ruled"})


def strong_values(function: Function, active: frozenset[Value], places: Places,
                  ) -> frozenset[Value]:
    """The active values all of whose influence on the results passes through a choice: a `where`,
    a branch, a store through a mask."""
    uses = _uses(function, active, places, stores=False)
    strong = {v for v in active if uses.get(v)}
    read_by: dict[Value | None, list[Value]] = {}
    for value in strong:
        for user in uses[value]:
            if user is not value:
                read_by.setdefault(user, []).append(value)
    # a use by a value that is no choice and not strong makes its argument weak
    pending: list[Value | None] = [None, *(u for u in read_by if u not in strong)]
    while pending:
        weak = [v for v in read_by.get(pending.pop(), ()) if v in strong]
        strong.difference_update(weak)
        pending += weak
    return frozenset(strong)


def overwritten_values(function: Function, active: frozenset[Value], places: Places,
                       ) -> frozenset[Value]:
    """The active arrays some of whose elements a choice or a store of any kind may leave without
    influence."""
    uses = _uses(function, active, places, stores=True)
    read_by: dict[Value | None, list[Value]] = {}
    for value, users in uses.items():
        for user in users:
            read_by.setdefault(user, []).append(value)
    pending = [v for v, users in uses.items() if v in users]
    found = set(pending)
    while pending:
        new = [v for v in read_by.get(pending.pop(), ()) if v not in found]
        found.update(new)
        pending += new
    return frozenset(v for v in found if v.type.rank)


def keys_carried(places: Places) -> dict[Value, tuple[Value, ...]]:
    """For the values in which a factor is carried into its product with a strong zero, that
    factor: `strong(m, g)` with `h = 2.0 * g` and `m = h / y` gives g for h and m."""
    found: dict[Value, tuple[Value, ...]] = {}
    for let in places.lets.values():
        if let.op == "strong":
            keys = tuple(a for a in let.args[1:] if isinstance(a, Value))
            for value in _carriers(let.args[0], keys, places):
                found[value] = tuple(dict.fromkeys((*found.get(value, ()), *keys)))
    return found


def _carriers(product: Atom, keys: tuple[Value, ...], places: Places) -> set[Value]:
    """What lies between the keys and their product; nothing before the keys can."""
    if not keys or not isinstance(product, Value):
        return set()
    first = min(places.position[k] for k in keys)
    slice: set[Value] = set()
    pending = [product]
    while pending:
        value = pending.pop()
        if value not in slice and value not in keys and value in places.lets \
                and places.position[value] > first and is_elementwise(places.lets[value].op):
            slice.add(value)
            pending += [a for a in places.lets[value].args if isinstance(a, Value)]
    carriers: set[Value] = set()
    for value in sorted(slice, key=places.position.__getitem__):
        if any(a in keys or a in carriers for a in places.lets[value].args):
            carriers.add(value)
    return carriers


def _uses(function: Function, active: frozenset[Value], places: Places, stores: bool,
          ) -> dict[Value, list[Value | None]]:
    uses: dict[Value, list[Value | None]] = {}
    _Uses(places, active, uses, stores).function(function)
    return uses


class _Uses:
    """For every active value what it flows into: an active value, None where it flows out of the
    function, or nothing where the flow is through a choice."""

    def __init__(self, places: Places, active: frozenset[Value],
                 uses: dict[Value, list[Value | None]], stores: bool) -> None:
        self.stores = stores
        self.read: dict[tuple[Branch, int], set[Value]] = {}
        self.places = places
        self.active = active
        self.uses = uses

    def function(self, function: Function) -> None:
        self.block(function.body, self.places.top)
        for atom in function.returns:
            self.use(atom, None, self.places.top)

    def use(self, atom: Atom, user: Value | None, scope: Scope) -> None:
        """Record a use; one inside an arm of a branch that the value does not belong to is a
        choice, and is recorded as a use by the value itself, which decides nothing."""
        if not isinstance(atom, Value) or atom not in self.active:
            return
        if user is not None and user not in self.active:
            return
        chosen = self.chosen(atom, scope)
        self.uses.setdefault(atom, []).append(atom if chosen else user)

    def chosen(self, value: Value, scope: Scope) -> bool:
        """Whether a branch around the use may go past the value: it is used in one arm alone."""
        home = self.places.scope[value]
        for inner in scope.chain():
            if inner is home:
                return False
            branch = inner.statement
            if isinstance(branch, Branch):
                other = 1 if self.places.of_block[branch, 0] is inner else 0
                if value not in self.read_in(branch, other):
                    return True
        return False

    def read_in(self, branch: Branch, k: int) -> set[Value]:
        """The values that what is active in an arm of a branch is made from."""
        found = self.read.get((branch, k))
        if found is None:
            found = self.read[branch, k] = {
                end for j in branch.joins if j.result in self.active
                and isinstance(end := (j.then, j.otherwise)[k], Value)}
            for statement in walk(blocks(branch)[k]):
                if not self.active.isdisjoint((*defined(statement), *bound(statement))):
                    atoms = (*operands(statement), *(a for ends in yields(statement) for a in ends))
                    found.update(a for a in atoms if isinstance(a, Value))
        return found

    def chooses(self, let: Let, k: int) -> bool:
        """Whether an operation may leave elements of its argument k without influence."""
        match let.op:
            case "where":
                return k > 0
            case "strong":
                return not k
            case "update":
                return not k and (self.stores or "mask" in let.static["index"])
        return False

    def block(self, block: Block, scope: Scope) -> None:
        for statement in block:
            self.statement(statement, scope)

    def statement(self, statement: Statement, scope: Scope) -> None:
        match statement:
            case Let(result=result, args=args):
                for k, a in enumerate(args[:1] if statement.op == "strong" else args):
                    chosen = self.chooses(statement, k)
                    self.use(a, a if chosen and isinstance(a, Value) else result, scope)
            case Loop() | While():
                inner = self.places.of_block[statement, 1 if isinstance(statement, While) else 0]
                for c in statement.carried:
                    self.use(c.init, c.inner, scope)
                    self.use(c.init, c.result, scope)
                    self.use(c.next, c.inner, inner)
                    self.use(c.next, c.result, inner)
                self.block(statement.body, inner)
            case Branch():
                for k, block in enumerate((statement.then, statement.otherwise)):
                    arm = self.places.of_block[statement, k]
                    for j in statement.joins:
                        atom = (j.then, j.otherwise)[k]
                        self.use(atom, j.result, arm)
                    self.block(block, arm)
            case Raise() | Effect():
                pass
