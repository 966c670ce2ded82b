"""Why the planner answers as it does, in words; and why it cannot answer as the user asked."""

from __future__ import annotations

from retrograd.adjoint.residuals.answers import STORE_COST, STORES, Answer, Answers
from retrograd.adjoint.scopes import Places
from retrograd.errors import Span, Unsupported
from retrograd.ir.build import TEMPORARY
from retrograd.ir.extents import Extent, Opaque, Term
from retrograd.ir.facts import Facts
from retrograd.ir.index import Slice, parts
from retrograd.ir.nodes import Atom, Effect, Let, Value, While, bound
from retrograd.ir.operations import cost


def reason(value: Value, answers: Answers, facts: Facts) -> str:
    """Why a value is kept, loaded, computed again or stored."""
    places, answer = answers.places, answers.of(value)
    let = places.lets.get(value)
    if answer is Answer.KEEP:
        return "defined outside all loops" if value in places.made else "an argument"
    if answers.wanted.get(value.name) is answer:
        return f"asked for by {answer.value}="
    if answer is Answer.RECOMPUTE:
        assert let is not None
        return _recomputed(let)
    if answer is Answer.COUNT:
        counts = answers.counter(value)
        assert counts is not None
        start = _extent(facts.integer(counts.init))
        return f"{start} at first, {counts.step:+d} an iteration"
    if answer is Answer.FINAL:
        assert answers.versions is not None
        last = answers.versions.last(value)
        assert last is not None
        return f"{_element(*last, facts)} is not written after it is read"
    if answer is Answer.RESTORE:
        return "what a write overwrites: put back, so that the array is there again"
    if answer is Answer.STORE:
        return _stored(value, let, answers)
    return str(answer.value)


def _recomputed(let: Let) -> str:
    if let.op == "copy":
        return f"a copy of {_named(let.args[0])}"
    if let.op in ("load", "view", "take"):
        return f"a part of {_named(let.args[0])}"
    if let.op in STORES:
        return "the iteration makes the array itself"
    return f"costs {cost(let):g}, storing {STORE_COST:g}"


def _stored(value: Value, let: Let | None, answers: Answers) -> str:
    if let is None:
        why = _made_by(value, answers.places)
    elif cost(let) >= STORE_COST:
        why = f"{let.op} costs {cost(let):g}, storing {STORE_COST:g}"
    elif value.type.dtype == "bool":
        why = "a byte, and not the numbers that it is made from"
    elif let.op in STORES:
        why = "the array is written in place"
    elif let.op == "copy":
        why = f"{_named(let.args[0])} is overwritten"
    else:
        whole = next((a for a in let.args if a.type.rank > value.type.rank), None)
        why = "what it is made from would be stored otherwise" if whole is None else (
            f"all of {_named(whole)} would be stored otherwise")
    reads = answers.reads_of(value)
    if value.type.rank and reads > 1:
        why += f"; one row an iteration costs less than {reads} reads"
    return why


def _made_by(value: Value, places: Places) -> str:
    scope = places.scope[value]
    if scope.statement is not None and value in bound(scope.statement):
        return "carried by the loop: what an iteration starts with"
    maker = places.made.get(value)
    if isinstance(maker, Effect):
        return "drawn, and drawn once"
    if isinstance(maker, While) and value is maker.trips:
        return "how often an inner loop ran"
    return "what an inner loop leaves" if maker is not None and bound(maker) else (
        "a branch decides what it is")


def place_of(value: Value, places: Places) -> Span | None:
    """Where in the user's function a value is from; for a carried one, its loop."""
    maker = places.made.get(value)
    if maker is None:
        maker = places.scope[value].statement
    return None if maker is None else maker.origin


def cannot_recompute(value: Value, places: Places) -> Unsupported:
    """The refusal of `recompute=` for a value that must be stored."""
    scope = places.scope[value]
    carried = scope.statement is not None and value in bound(scope.statement)
    if carried:
        why, remedy = ("an iteration of the loop starts with it, and it is lost when the "
                       "iteration ends", "mark the loop with rg.checkpointed, or give what the "
                       "iteration computes a name of its own")
    elif value in places.lets:
        why, remedy = "the array is written in place", "write into a new array"
    else:
        why = {"drawn, and drawn once": "it is drawn, and would be another number"}.get(
            _made_by(value, places), _made_by(value, places))
        remedy = "give what is computed from it a name, and recompute that"
    return Unsupported(f"{value.name!r} cannot be computed again: {why}",
                       f"leave {value.name!r} out of recompute=; or {remedy}",
                       place_of(value, places))


# --- names ---------------------------------------------------------------------------------------


def _named(atom: Atom) -> str:
    return atom.name if isinstance(atom, Value) and atom.name not in TEMPORARY else "what is there"


def _element(array: Value, index: tuple[str | Slice, ...], atoms: tuple[Atom, ...],
             facts: Facts) -> str:
    """An element or part of an array, as the user would write it."""
    shown = []
    for item, bounds in parts(index, atoms):
        texts = ["" if b is None else _extent(facts.integer(b)) if not b.type.rank else _named(b)
                 for b in bounds]
        if isinstance(item, Slice):
            shown.append(":".join(texts) + ("" if item.step == 1 else f":{item.step}"))
        else:
            shown.append("None" if item == "new" else texts[0])
    return f"{_named(array)}[{', '.join(shown)}]"


def _extent(extent: Extent) -> str:
    text = ""
    for term, factor in extent.terms:
        sign = "-" if factor < 0 else "+" if text else ""
        times = "" if abs(factor) == 1 else f"{abs(factor)} * "
        text += (f" {sign} " if text else sign) + times + _term(term)
    if not text or extent.constant:
        sign = "-" if extent.constant < 0 else "+"
        text += f" {sign} {abs(extent.constant)}" if text else str(extent.constant)
    return text


def _term(term: Term) -> str:
    if isinstance(term, Opaque):
        symbol = {"multiply": " * ", "floor_divide": " // "}.get(term.kind)
        texts = [f"({_extent(a)})" if symbol and len(a.terms) + bool(a.constant) > 1
                 else _extent(a) for a in term.args]
        return symbol.join(texts) if symbol else f"{term.kind}({', '.join(texts)})"
    if term.axis is not None:
        return f"{term.value.name}.shape[{term.axis}]"
    return term.value.name

