"""Complex numbers in user code: operations that they do not have, and `complex(x, y)`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from retrograd.frontend.atoms import need_atom
from retrograd.frontend.certain import certain
from retrograd.frontend.things import Thing, type_of
from retrograd.frontend.tracer import Tracer, constant_of
from retrograd.ir.nodes import Atom, Constant
from retrograd.ir.types import Array, Scalar, is_complex
from retrograd.prelude import REAL_ONLY

_ORDER = {"less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">="}
_OPERATORS = {"floor_divide": "//", "remainder": "%", "bitwise_and": "&", "bitwise_or": "|",
              "bitwise_xor": "^", "left_shift": "<<", "right_shift": ">>"}
_ORDERED = frozenset({*_ORDER, "maximum", "minimum", "fmax", "fmin", "max", "min", "argmax",
                      "argmin"})
# NumPy itself has no such functions of complex numbers
_REAL = frozenset({*_OPERATORS, "floor", "ceil", "trunc", "fmod", "cbrt", "arctan2", "hypot",
                   "logaddexp", "logaddexp2", "copysign", "signbit", "invert"})
_UNKNOWN = frozenset({"rint", "erf", "erfc", "gammaln", "slogdet_sign", "slogdet_log",
                      "cholesky"})
_NOT_SUPPORTED = ("ufunc '{}' not supported for the input types, and the inputs could not be "
                  "safely coerced to any supported types according to the casting rule ''safe''")
_PYTHON = {"bool": "bool", "int64": "int", "float64": "float", "complex128": "complex"}


def check(tracer: Tracer, op: str, atoms: Sequence[Atom]) -> None:
    """Refuse an operation that has no meaning, or no rule, for complex operands.

    Raises
    ------
    TypeError
        As Python and NumPy do.
    Unsupported
        For what NumPy does in a way that has no derivative: order, and rounding.
    """
    if not any(is_complex(a.type) for a in atoms):
        return
    python = all(isinstance(a.type, Scalar) and a.type.weak for a in atoms)
    if python and len(atoms) == 2 and (op in _ORDER or op in _OPERATORS):
        first, second = (_PYTHON[a.type.dtype] for a in atoms)
        if op in _ORDER:
            raise certain(TypeError)(
                f"'{_ORDER[op]}' not supported between instances of '{first}' and "
                f"'{second}'")
        raise certain(TypeError)(f"unsupported operand type(s) for {_OPERATORS[op]}: '{first}' and "
                        f"'{second}'")
    if python and op == "invert":
        raise certain(TypeError)("bad operand type for unary ~: 'complex'")
    if op in _REAL:
        raise certain(TypeError)(_NOT_SUPPORTED.format(op))
    if op in _ORDERED:
        tracer.refuse("complex numbers have no order", "compare np.abs(z) or z.real")
    if op in _UNKNOWN:
        tracer.refuse(f"{op} of complex numbers is not supported",
                      "write it with the real and the imaginary part")


def check_real(function: Any, args: Sequence[Thing]) -> None:
    """Raise Python's or NumPy's TypeError for a complex argument of a function of real ones."""
    types = [type_of(a) for a in args]
    if not any(t is not None and is_complex(t) for t in types):
        return
    if not callable(function) or type(function).__hash__ is None or function not in REAL_ONLY:
        return
    if function is float:
        raise certain(TypeError)(
            "float() argument must be a string or a real number, not 'complex'")
    if function is int:
        raise certain(TypeError)(
            "int() argument must be a string, a bytes-like object or a real number, "
            "not 'complex'")
    if getattr(function, "__module__", "") == "math":
        raise certain(TypeError)("must be real number, not complex")
    raise certain(TypeError)(_NOT_SUPPORTED.format(function.__name__))


def make(tracer: Tracer, args: tuple[Thing, ...], keywords: Mapping[str, Thing]) -> Thing:
    """Python's `complex(real=0, imag=0)`."""
    real, imag = _parts(tracer, args, keywords)
    for part in (real, imag):
        if isinstance(part.type, Array):
            tracer.refuse("complex() takes numbers", "write x + 1j * y for arrays")
    if isinstance(real, Constant) and isinstance(imag, Constant):
        return constant_of(complex(real.value, imag.value))
    if is_complex(real.type) or is_complex(imag.type):
        return _sum(tracer, real, imag)
    floats = (tracer.builder.cast(part, "float64") for part in (real, imag))
    return tracer.builder.let("complex", *floats, weak=True)


def _parts(tracer: Tracer, args: tuple[Thing, ...],
           keywords: Mapping[str, Thing]) -> tuple[Atom, Atom]:
    given = dict(zip(("real", "imag"), args, strict=False)) | dict(keywords)
    if len(args) > 2 or not set(given) <= {"real", "imag"}:
        raise certain(TypeError)("complex() takes at most the arguments real and imag")
    real, imag = (need_atom(tracer, given.get(name, constant_of(0))) for name in ("real", "imag"))
    return real, imag


def _sum(tracer: Tracer, real: Atom, imag: Atom) -> Atom:
    """real + 1j * imag where one of them is complex."""
    builder = tracer.builder
    if isinstance(imag, Constant) and imag.value == 0:
        return builder.let("let", real, weak=True)
    turned = builder.let("multiply", constant_of(1j), imag)
    return builder.let("add", real, turned, weak=True)
