"""One block of the reverse sweep while it is being built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from retrograd.adjoint.residuals.restoring import Chain
from retrograd.adjoint.residuals.tapes import Pointer
from retrograd.adjoint.scopes import Scope
from retrograd.ir.build import Builder
from retrograd.ir.nodes import Atom, Block, Carried, Value
from retrograd.ir.types import INT

Key = Value | Pointer | Chain


@dataclass(slots=True, eq=False)
class Sweep:
    """The reverse of one primal block.

    `state` maps primal values to their adjoints so far, and pointers of tapes to where they are.
    What a block changes of its surroundings is threaded through it: a loop's body sees it as a
    carried value (`carried`, made when first asked for), an arm of a branch sees it as it was
    at the start (`entry`). `known` maps primal values to what stands for them here (recomputed,
    loaded from a tape, or an index), all made in the `prologue`; `iteration` is the number of
    the iteration being reversed. `holds` says which version of an array that is restored is the
    present one. `handed` has primal values that an iteration hands to the one reversed next.
    """

    scope: Scope
    builder: Builder
    outer: Sweep | None = None
    state: dict[Key, Atom] = field(default_factory=dict)
    carried: dict[Key, Value] = field(default_factory=dict)
    entry: dict[Key, Atom | None] = field(default_factory=dict)
    known: dict[Value, Atom] = field(default_factory=dict)
    iteration: Atom | None = None
    holds: dict[Chain, Value] = field(default_factory=dict)
    handed: list[Carried] = field(default_factory=list)
    prologue: Builder = field(init=False)

    def __post_init__(self) -> None:
        self.prologue = self.builder.beside()
        self.prologue.origin = None

    def resolve_with(self, need: Callable[[Atom, Sweep], Atom]) -> None:
        """Let extents that are made here ask for the primal values in them."""
        self.builder.resolve = self.prologue.resolve = lambda value: need(value, self)

    @property
    def block(self) -> Block:
        """What was recomputed and loaded, then the reversed statements."""
        return self.prologue.block + self.builder.block

    def at(self, scope: Scope) -> Sweep:
        """The sweep of an enclosing primal block."""
        sweep: Sweep | None = self
        while sweep is not None and sweep.scope is not scope:
            sweep = sweep.outer
        assert sweep is not None, "a value is asked for outside its scope"
        return sweep

    def find(self, value: Value) -> Atom | None:
        """What stands for a primal value here, if anything does yet."""
        sweep: Sweep | None = self
        while sweep is not None:
            if value in sweep.known:
                return sweep.known[value]
            sweep = sweep.outer
        return None

    def get(self, key: Key, home: Scope) -> Atom | None:
        """The present adjoint of a value (or place of a pointer) that belongs to scope `home`."""
        if key in self.state:
            return self.state[key]
        if self.scope is home or self.outer is None:
            return None if isinstance(key, Value) else key.final
        if self.scope.is_loop:
            value = self._carried_value(key)
            self.carried[key] = self.state[key] = value
            return value
        before = self.outer.get(key, home)
        self.entry[key] = before
        if before is not None:
            self.state[key] = before
        return before

    def _carried_value(self, key: Key) -> Value:
        return like(key, self.builder)

    def version(self, chain: Chain) -> Value:
        """The version of an array that is there now, while its writes are undone."""
        sweep: Sweep | None = self
        while sweep is not None:
            if chain in sweep.holds:
                return sweep.holds[chain]
            sweep = sweep.outer
        return chain.final


def like(key: Key, builder: Builder) -> Value:
    """A new value for the adjoint of a value, the place of a pointer or an array's content."""
    if isinstance(key, Pointer):
        return Value("n", INT)
    source = key.final if isinstance(key, Chain) else key
    value = Value(source.name if isinstance(key, Chain) else bar(source), source.type)
    if source.type.rank:
        builder.facts.extents[value] = builder.facts.of(source)
    return value


def bar(value: Value) -> str:
    """The name of a value's adjoint."""
    return f"{value.name}_bar"
