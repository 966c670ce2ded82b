"""The kinds of `Effect`: what they say, and when they raise.

    print         static `parts`: strings and argument numbers; `sep`, `end`
    check_equal   raise `exception` with `message` unless args[0] == args[1]
    check_index   raise IndexError unless -n <= i < n, for args (i, n) and static `axis`
    check_divisor raise ZeroDivisionError where the int args[0] is 0
    draw          take numbers from a generator, args[0]: see `ir/draws.py`
    check_bounds  raise IndexError unless every index of the int array args[0] is within
                  the extent args[1] of static `axis`

A message is a tuple of strings and argument numbers. `covers`, a static value, names the value
whose own operation would raise the same error in NumPy: the readable source leaves the check out
while that operation is there.
"""

from __future__ import annotations

from retrograd.ir.nodes import Atom, Effect

KINDS = ("print", "check_equal", "check_index", "check_divisor", "check_bounds",
         "draw")
SILENT = frozenset({"print", "draw"})       # these raise nothing

_DIVISION = {"floor_divide": "integer division or modulo by zero",
             "remainder": "integer modulo by zero"}


def exception_of(effect: Effect) -> type[BaseException]:
    """What a check raises."""
    if effect.kind == "check_equal":
        exception: type[BaseException] = effect.static["exception"]
        return exception
    return ZeroDivisionError if effect.kind == "check_divisor" else IndexError


def message_of(effect: Effect) -> tuple[str | Atom, ...]:
    """The message of a check, its argument numbers replaced by the atoms."""
    match effect.kind:
        case "check_equal":
            return tuple(p if isinstance(p, str) else effect.args[p]
                         for p in effect.static["message"])
        case "check_divisor":
            return (_DIVISION[effect.static["op"]],)
        case _:
            return ("index ", effect.args[0], f" is out of bounds for axis {effect.static['axis']}"
                    " with size ", effect.args[1])
