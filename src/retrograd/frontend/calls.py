"""Calls: which function is meant, and what it becomes.

In order: functions of the language itself (`range`, `len`, `primitive`, ...), one elementwise
operation, a function of the prelude, a dtype, and the user's own functions, which are inlined.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from types import FunctionType, MethodType
from typing import Any

import numpy as np

from retrograd.frontend import complex_numbers, indexing, inline
from retrograd.frontend.certain import Certain, certain
from retrograd.frontend.things import (
    Closure,
    Enumerate,
    Handle,
    Items,
    Method,
    Range,
    Reversed,
    Static,
    Thing,
    Zip,
    atom_of,
    leaves,
    thing_of,
)
from retrograd.frontend.tracer import Tracer, constant_of, known, static_thing
from retrograd.ir.index import FULL
from retrograd.ir.nodes import Atom, Branch, Constant, Effect, Raise, Value, integer
from retrograd.ir.operations import OPERATIONS
from retrograd.ir.types import Array, Scalar, is_complex, is_float, is_integer
from retrograd.places import ATTRIBUTE, Place
from retrograd.prelude import (
    ATTRIBUTES,
    ELEMENTWISE,
    FUNCTIONS,
    METHODS,
    OF_COMPLEX,
    OPERATORS,
    SCIPY,
    WEAK,
    language,
)

Args = tuple[Thing, ...]
Keywords = Mapping[str, Thing]
UNROLL_LIMIT = 50


def call(tracer: Tracer, function: Thing, args: Args, keywords: Keywords) -> Thing:
    """`function(*args, **keywords)`."""
    if isinstance(function, Closure):
        return inline.closure(tracer, function, args, keywords)
    if isinstance(function, Method):
        return _method(tracer, function, args, keywords)
    if isinstance(function, Static):
        complex_numbers.check_real(function.value, args)
        return _static(tracer, function.value, args, keywords)
    tracer.refuse("this cannot be called", "call a function")


def _static(tracer: Tracer, function: Any, args: Args, keywords: Keywords) -> Thing:
    special = _LANGUAGE.get(function) if _hashable(function) else None
    if special is not None:
        return special(tracer, args, keywords)
    if getattr(function, "retrograd_static", False):
        return _run_static(tracer, function, args, keywords)
    if isinstance(function, functools.partial):
        return _partial(tracer, function, args, keywords)
    replacement = _replacement(function)
    if isinstance(replacement, str):
        return _elementwise(tracer, function, replacement, args, keywords)
    if replacement is not None:
        result = inline.function(tracer, replacement, args, keywords, user=False)
        return result if not tracer.frame.user else _strength(tracer, result, function in WEAK)
    if isinstance(function, type) and issubclass(function, (np.generic, np.dtype)):
        return _convert(tracer, function, args)
    python = getattr(function, "py_func", function)
    if isinstance(python, MethodType) and isinstance(python.__func__, FunctionType):
        return inline.function(tracer, python.__func__, (static_thing(python.__self__), *args),
                               keywords, user=True)
    if isinstance(python, FunctionType):
        return inline.function(tracer, python, args, keywords, user=tracer.frame.user)
    name = getattr(function, "__qualname__", repr(function))
    module = getattr(function, "__module__", None) or type(function).__module__
    if name.startswith("RandomState.") or module == "random":
        tracer.refuse(f"{name} draws from the global random state, which is not a function of the "
                      "arguments", "draw the numbers outside and pass them as an argument")
    tracer.refuse(f"{module}.{name} has no derivative here",
                  "write it with NumPy functions that are supported, or as a Python function")


def _hashable(function: Any) -> bool:
    return callable(function) and type(function).__hash__ is not None


def _replacement(function: Any) -> str | Callable[..., Any] | None:
    """The operation or prelude function for a NumPy, SciPy, math or built-in function."""
    if not _hashable(function):
        return None
    if function in ELEMENTWISE:
        return ELEMENTWISE[function]
    if function in FUNCTIONS:
        return FUNCTIONS[function]
    module = getattr(function, "__module__", None) or ""
    name = getattr(function, "__name__", "")
    if module.startswith("scipy") or isinstance(function, np.ufunc):
        return SCIPY.get(f"scipy.special.{name}")
    return None


def _elementwise(tracer: Tracer, function: Any, op: str, args: Args, keywords: Keywords) -> Thing:
    """One elementwise operation; math's functions give Python floats, NumPy's NumPy scalars."""
    from retrograd.frontend.expressions import need_atom

    if keywords:
        tracer.refuse(f"{function.__name__} with {', '.join(keywords)}= is not supported",
                      "leave the keyword out and use np.where or astype")
    atoms = [need_atom(tracer, a) for a in args]
    complex_numbers.check(tracer, op, atoms)
    python = _PYTHONS.get(getattr(function, "__module__", ""))
    if python is None:
        if op in OF_COMPLEX and is_complex(atoms[0].type):
            result = inline.function(tracer, OF_COMPLEX[op], args, {}, user=False)
            return _strength(tracer, result, _weak_in_prelude(tracer, atoms))
        if op == "power" and all(not is_float(a.type) for a in atoms):
            from retrograd.frontend.expressions import arithmetic
            return thing_of(arithmetic(tracer, op, *atoms))
        weak = None if function in OPERATORS else _weak_in_prelude(tracer, atoms)
        return thing_of(tracer.builder.let(op, *atoms, weak=weak))
    if any(isinstance(a.type, Array) for a in atoms):
        raise certain(TypeError)("only 0-dimensional arrays can be converted to Python scalars")
    floats = [tracer.builder.cast(a, python) for a in atoms]
    return tracer.builder.let(op, *floats, weak=True)


_PYTHONS = {"math": "float64", "cmath": "complex128"}      # what the modules compute in


def _weak_in_prelude(tracer: Tracer, atoms: list[Atom]) -> bool:
    """NumPy's functions give strong results; rules, which write them as operators, do not mind."""
    weak = all(isinstance(a.type, Scalar) and a.type.weak for a in atoms)
    return weak and not tracer.frame.user


def _strength(tracer: Tracer, thing: Thing, weak: bool) -> Thing:
    """What NumPy's functions return is strong, what math's and `float` return is weak."""
    if isinstance(thing, Constant) and thing.type.weak != weak:
        return Constant(thing.value, Scalar(thing.type.dtype, weak))
    if isinstance(thing, Value) and isinstance(thing.type, Scalar) and thing.type.weak != weak:
        return tracer.builder.retyped(thing, Scalar(thing.type.dtype, weak))
    return thing


def _partial(tracer: Tracer, function: functools.partial[Any], args: Args,
             keywords: Keywords) -> Thing:
    given, named = partial_arguments(tracer, function, keywords)
    return _static(tracer, function.func, (*given, *args), named)


def partial_arguments(tracer: Tracer, function: functools.partial[Any], keywords: Keywords,
                      ) -> tuple[list[Thing], dict[str, Thing]]:
    """What a partial gives by position, and by name with what is given on top."""
    args, named = (Place(function, ATTRIBUTE, name) for name in ("args", "keywords"))
    given = [tracer.captured(args.item(k), f"{function.func.__name__}_{k}")
             for k in range(len(function.args))]
    also = {name: tracer.captured(named.item(name), name)
            for name in function.keywords if name not in keywords}
    return given, {**also, **keywords}


def _run_static(tracer: Tracer, function: Callable[..., Any], args: Args,
                keywords: Keywords) -> Thing:
    """Run a helper of the prelude while compiling."""
    from retrograd.errors import Unsupported

    values = [_known_value(tracer, a, function.__name__) for a in args]
    named = {k: _known_value(tracer, v, function.__name__) for k, v in keywords.items()}
    try:
        return static_thing(function(*values, **named))
    except Unsupported as refusal:
        if refusal.span is not None:
            raise
        raise tracer.unsupported(refusal.reason, refusal.remedy) from None
    except (ValueError, TypeError, IndexError, np.linalg.LinAlgError) as error:
        raise Certain(error) from None       # what NumPy raises for these arguments


def _known_value(tracer: Tracer, thing: Thing, what: str) -> Any:
    ok, value = known(thing)
    if ok:
        return value
    for leaf in leaves(thing):
        atom = atom_of(leaf)
        if atom is not None and not isinstance(atom, Constant):
            tracer.need_static(atom, f"an argument of {what}")
    tracer.refuse(f"an argument of {what} is not known while compiling", "write it out")


# --- the language's own functions -----------------------------------------------------------------


def _range(tracer: Tracer, args: Args, _: Keywords) -> Thing:
    from retrograd.frontend.expressions import need_atom

    atoms = [need_atom(tracer, a) for a in args]
    for atom in atoms:
        if not is_integer(atom.type) or isinstance(atom.type, Array):
            raise certain(TypeError)(
                f"'{atom.type.dtype}' object cannot be interpreted as an integer")
    if not 1 <= len(atoms) <= 3:
        raise certain(TypeError)(f"range expected 1 to 3 arguments, got {len(atoms)}")
    if len(atoms) == 1:
        return Range(integer(0), atoms[0], integer(1))
    step = atoms[2] if len(atoms) == 3 else integer(1)
    if not isinstance(step, Constant):
        tracer.need_static(step, "the step of a range")
    if not step.value:
        raise certain(ValueError)("range() arg 3 must not be zero")
    return Range(atoms[0], atoms[1], step)


def _len(tracer: Tracer, args: Args, _: Keywords) -> Thing:
    thing = args[0]
    if isinstance(thing, Items):
        return integer(len(thing.items))
    if isinstance(thing, Static):
        return integer(len(thing.value))
    return length(tracer, thing)


def length(tracer: Tracer, thing: Thing) -> Atom:
    """The number of elements that iterating over a thing gives."""
    builder = tracer.builder
    match thing:
        case Handle(value=value):
            if not value.type.rank:
                raise certain(TypeError)("len() of unsized object")
            return builder.atom_of(builder.facts.of(value)[0])
        case Range(start=start, stop=stop, step=step):
            assert isinstance(step, Constant)
            return range_length(tracer, start, stop, int(step.value.real))
        case Zip(parts=parts):
            lengths = [length(tracer, p) for p in parts]
            shortest = lengths[0]
            for other in lengths[1:]:
                facts = builder.facts
                if not facts.provably_equal(facts.integer(shortest), facts.integer(other)):
                    shortest = builder.let("minimum", shortest, other, name="n")
            return shortest
        case Enumerate(inner=inner) | Reversed(inner=inner):
            return length(tracer, inner)
        case Items(items=items):
            return integer(len(items))
        case _:
            tracer.refuse("this has no length", "use an array, a tuple or a list")


def range_length(tracer: Tracer, start: Atom, stop: Atom, step: int) -> Atom:
    """max(0, ceil((stop - start) / step))."""
    from retrograd.ir.extents import Extent, floor_divided, largest

    facts = tracer.builder.facts
    low, high = facts.integer(start), facts.integer(stop)
    span = high - low if step > 0 else low - high
    size = abs(step)
    return tracer.builder.atom_of(floor_divided(largest(Extent(0), span) + (size - 1), size))


def _zip(_: Tracer, args: Args, __: Keywords) -> Thing:
    return Zip(args)


def _enumerate(tracer: Tracer, args: Args, keywords: Keywords) -> Thing:
    from retrograd.frontend.expressions import need_atom

    start = args[1] if len(args) > 1 else keywords.get("start", integer(0))
    return Enumerate(args[0], need_atom(tracer, start))


def _reversed(_: Tracer, args: Args, __: Keywords) -> Thing:
    return Reversed(args[0])


def _container(kind: str) -> Callable[[Tracer, Args, Keywords], Thing]:
    def make(tracer: Tracer, args: Args, _: Keywords) -> Thing:
        if not args:
            return Items(kind, ())
        items = unrolled(tracer, args[0])
        if items is None:
            tracer.refuse(f"a {kind} of something whose length is not known",
                          "keep it an array")
        return Items(kind, items)

    return make


def _dict(_: Tracer, __: Args, keywords: Keywords) -> Thing:
    return Items("dict", tuple(keywords.values()), tuple(keywords))


def _print(tracer: Tracer, args: Args, keywords: Keywords) -> Thing:
    parts: list[str | int] = []
    atoms: list[Atom] = []
    for arg in args:
        for piece in arg.items if isinstance(arg, Items) and arg.kind == "message" else (arg,):
            atom = atom_of(piece)
            if atom is None or isinstance(atom, Constant):
                parts.append(str(_known_value(tracer, piece, "print")))
            else:
                parts.append(len(atoms))
                atoms.append(atom)
    static: dict[str, Any] = {k: _known_value(tracer, v, "print") for k, v in keywords.items()}
    static["parts"] = tuple(parts)
    tracer.builder.append(Effect("print", tuple(atoms), static, tracer.builder.origin))
    return Static(None)


def _primitive(tracer: Tracer, args: Args, keywords: Keywords) -> Thing:
    from retrograd.frontend.expressions import need_atom

    ok, op = known(args[0])
    assert ok and op in OPERATIONS, f"no operation is called {op!r}"
    static = {k: _known_value(tracer, v, op) for k, v in keywords.items()}
    atoms = [need_atom(tracer, a) for a in args[1:]]
    complex_numbers.check(tracer, op, atoms)
    if op in _VIEWS and isinstance(args[1], Handle):
        value = tracer.builder.let(op, *atoms, **static)
        assert isinstance(value, Value)
        if op != "reshape" or args[1].value.type.layout == "C":  # type: ignore[union-attr]
            return Handle(value, args[1].base, (*args[1].path, value))
        return Handle(value)
    return thing_of(tracer.builder.let(op, *atoms, **static))


_VIEWS = ("view", "transpose", "reshape", "broadcast_to", "diagonal")


def _is_scalar(_: Tracer, args: Args, __: Keywords) -> Thing:
    atom = atom_of(args[0])
    return constant_of(atom is not None and isinstance(atom.type, Scalar))


def _is_float(tracer: Tracer, args: Args, _: Keywords) -> Thing:
    from retrograd.frontend.expressions import need_atom

    return constant_of(is_float(need_atom(tracer, args[0]).type))


def _is_weak(_: Tracer, args: Args, __: Keywords) -> Thing:
    atom = atom_of(args[0])
    return constant_of(atom is not None and isinstance(atom.type, Scalar) and atom.type.weak)


def _is_known(_: Tracer, args: Args, __: Keywords) -> Thing:
    return constant_of(known(args[0])[0])


def _never_one(tracer: Tracer, args: Args, _: Keywords) -> Thing:
    from retrograd.frontend.expressions import need_atom

    return constant_of(tracer.builder.never_one(need_atom(tracer, args[0])))


def _isinstance(tracer: Tracer, args: Args, _: Keywords) -> Thing:
    ok, kinds = known(args[1])
    if not ok:
        tracer.refuse("isinstance with a class that is not known", "name the class")
    return constant_of(any(_is_a(args[0], k) for k in (
        kinds if isinstance(kinds, tuple) else (kinds,))))


def _is_a(thing: Thing, kind: Any) -> bool:
    atom = atom_of(thing)
    if isinstance(thing, Items):
        return kind in (object, {"tuple": tuple, "list": list, "dict": dict}[thing.kind])
    if atom is None:
        return isinstance(thing, Static) and isinstance(thing.value, kind)
    if isinstance(atom.type, Array):
        return kind in (np.ndarray, object)
    dtype = np.dtype(atom.type.dtype)
    sample = dtype.type(0)
    return isinstance(sample.item() if atom.type.weak else sample, kind)


def _shape(tracer: Tracer, args: Args, _: Keywords) -> Thing:
    from retrograd.frontend.expressions import need_atom

    return Items("tuple", tracer.builder.shape_atoms(need_atom(tracer, args[0])))


def _ndim(tracer: Tracer, args: Args, _: Keywords) -> Thing:
    from retrograd.frontend.expressions import need_atom

    return integer(need_atom(tracer, args[0]).type.rank)


def _size(tracer: Tracer, args: Args, keywords: Keywords) -> Thing:
    from retrograd.frontend.expressions import need_atom
    from retrograd.ir.operations_arrays import size

    builder = tracer.builder
    extents = builder.facts.of(need_atom(tracer, args[0]))
    axis = args[1] if len(args) > 1 else keywords.get("axis", Static(None))
    ok, number = known(axis)
    if ok and number is not None:
        return builder.atom_of(extents[number])
    return builder.atom_of(size(extents))


def _result_type(tracer: Tracer, args: Args, _: Keywords) -> Thing:
    from retrograd.ir.types import promote

    types = []
    for arg in args:
        atom = atom_of(arg)
        ok, value = known(arg)
        types.append(atom.type if atom is not None else Scalar(np.dtype(value).name)
                     if ok else Scalar("float64"))
    return Static(np.dtype(promote(types)[0]))


def _dtype(tracer: Tracer, args: Args, _: Keywords) -> Thing:
    return Static(np.dtype(_known_value(tracer, args[0], "np.dtype")))


def _hasattr(tracer: Tracer, args: Args, _: Keywords) -> Thing:
    name = _known_value(tracer, args[1], "hasattr")
    atom = atom_of(args[0])
    if atom is not None:
        number = np.zeros((), atom.type.dtype)[()]
        sample = np.zeros((0,)) if isinstance(atom.type, Array) else (
            number.item() if atom.type.weak else number)
        return constant_of(hasattr(sample, name))
    return constant_of(hasattr(_known_value(tracer, args[0], "hasattr"), name))


_LANGUAGE: dict[Any, Callable[[Tracer, Args, Keywords], Thing]] = {
    range: _range, len: _len, zip: _zip, enumerate: _enumerate, reversed: _reversed,
    tuple: _container("tuple"), list: _container("list"), dict: _dict, print: _print,
    isinstance: _isinstance, hasattr: _hasattr, np.shape: _shape, np.ndim: _ndim, np.size: _size,
    np.result_type: _result_type, np.dtype: _dtype, complex: complex_numbers.make,
    language.primitive: _primitive, language.is_scalar: _is_scalar, language.is_float: _is_float,
    language.is_weak: _is_weak, language.never_one: _never_one, language.is_known: _is_known,
}


# --- arrays and containers ------------------------------------------------------------------------


def array_attribute(tracer: Tracer, owner: Thing, name: str) -> Thing:
    """An attribute of an array or a number."""
    match name:
        case "shape":
            return _shape(tracer, (owner,), {})
        case "ndim":
            return _ndim(tracer, (owner,), {})
        case "size":
            return _size(tracer, (owner,), {})
        case "dtype":
            atom = atom_of(owner)
            assert atom is not None
            return Static(np.dtype(atom.type.dtype))
    if name in ATTRIBUTES:
        return inline.function(tracer, ATTRIBUTES[name], (owner,), {}, user=False)
    if name in METHODS:
        return Method(owner, name)
    tracer.refuse(f"arrays have no attribute {name!r} here",
                  "use the NumPy function that does the same")


def _method(tracer: Tracer, method: Method, args: Args, keywords: Keywords) -> Thing:
    owner = method.owner
    if atom_of(owner) is not None:
        return inline.function(tracer, METHODS[method.name], (owner, *args), keywords, user=False)
    if isinstance(owner, Items) and owner.kind == "dict":
        match method.name:
            case "values":
                return Items("tuple", owner.items)
            case "keys":
                return Items("tuple", tuple(static_thing(k) for k in owner.keys))
            case "items":
                return Items("tuple", tuple(
                    Items("tuple", (static_thing(k), v))
                    for k, v in zip(owner.keys, owner.items, strict=True)))
            case "get":
                ok, key = known(args[0])
                if ok:
                    default = args[1] if len(args) > 1 else Static(None)
                    return indexing.item(tracer, owner, args[0]) if key in owner.keys else default
    kind = owner.kind if isinstance(owner, Items) else type(owner).__name__.lower()
    tracer.refuse(f"the method {method.name!r} of a {kind} is not supported",
                  "build containers in one expression, without changing them afterwards")


def _convert(tracer: Tracer, dtype: Any, args: Args) -> Thing:
    """`np.float32(x)`."""
    from retrograd.frontend.expressions import need_atom

    if len(args) > 1:
        tracer.refuse(f"{dtype.__name__} with several arguments is not supported",
                      "write complex(x, y)")
    atom = need_atom(tracer, args[0]) if args else integer(0)
    name = np.dtype(dtype).name
    if isinstance(atom, Constant):
        return tracer.builder.cast(atom, name)
    return thing_of(tracer.builder.let("cast", atom, dtype=name, weak=False))


def unrolled(tracer: Tracer, thing: Thing, wanted: int | None = None,
             short: bool = False) -> tuple[Thing, ...] | None:
    """The elements of a thing of known length, or None where it has none.

    Arrays are opened where their length is known to be 1 or `wanted` says how many there must be;
    ranges in rules and the prelude always, in user code where `short` allows it.
    """
    match thing:
        case Items(items=items):
            return items
        case Static(value=value) if isinstance(value, (str, tuple, list)):
            return tuple(static_thing(v) for v in value)
        case Range(start=Constant() as start, stop=Constant() as stop, step=Constant() as step):
            numbers = range(*(int(c.value.real) for c in (start, stop, step)))
            if tracer.frame.user and not (short and len(numbers) <= UNROLL_LIMIT):
                return None
            return tuple(integer(k) for k in numbers)
        case Handle(value=value) if wanted is not None and value.type.rank:
            return _opened_array(tracer, thing, wanted)
        case _:
            return _unrolled_iterator(tracer, thing, wanted, short)


def _unrolled_iterator(tracer: Tracer, thing: Thing, wanted: int | None, short: bool,
                       ) -> tuple[Thing, ...] | None:
    """The elements of `zip`, `enumerate` and `reversed` of things of known length."""
    match thing:
        case Zip(parts=parts):
            opened = [unrolled(tracer, p, wanted, short) for p in parts]
            if any(o is None for o in opened):
                return None
            return tuple(Items("tuple", row) for row in zip(
                *(o for o in opened if o is not None), strict=False))
        case Enumerate(inner=inner, start=Constant(value=start)):
            items = unrolled(tracer, inner, wanted, short)
            return None if items is None else tuple(
                Items("tuple", (integer(int(start.real) + k), item))
                for k, item in enumerate(items))
        case Reversed(inner=inner):
            items = unrolled(tracer, inner, wanted, short)
            return None if items is None else items[::-1]
        case _:
            return None


def _opened_array(tracer: Tracer, thing: Handle, wanted: int) -> tuple[Thing, ...]:
    """Unpack an array's first axis into `wanted` names; another length raises ValueError."""
    builder = tracer.builder
    extent = builder.facts.of(thing.value)[0]
    if extent.known != wanted:
        count = builder.atom_of(extent)
        message = (f"not enough values to unpack (expected {wanted}, got ", count, ")")
        builder.append(Branch(builder.let("less", count, integer(wanted)),
                              (Raise(ValueError, message, builder.origin),), (), (),
                              builder.origin))
    builder.require_equal(extent, type(extent)(wanted), ValueError,
                          [f"too many values to unpack (expected {wanted})"])
    return tuple(element(tracer, thing, integer(k)) for k in range(wanted))


def element(tracer: Tracer, thing: Thing, position: Atom) -> Thing:
    """Element number `position` of an iterable, which is within its length."""
    builder = tracer.builder
    match thing:
        case Handle(value=value):
            rest = (FULL,) * (value.type.rank - 1)
            builder.facts.checked.add((builder.facts.integer(position),
                                       builder.facts.of(value)[0]))
            return indexing.read_parts(tracer, thing, ("int", *rest), (position,))
        case Range(start=start, step=step):
            scaled = builder.let("multiply", step, position) if step != integer(1) else position
            return builder.let("add", start, scaled) if start != integer(0) else scaled
        case Zip(parts=parts):
            return Items("tuple", tuple(element(tracer, p, position) for p in parts))
        case Enumerate(inner=inner, start=start):
            number = position if start == integer(0) else builder.let("add", start, position)
            return Items("tuple", (number, element(tracer, inner, position)))
        case Reversed(inner=inner):
            last = builder.let("subtract", length(tracer, inner), integer(1))
            return element(tracer, inner, builder.let("subtract", last, position))
        case Items():
            return indexing.item(tracer, thing, position)
        case _:
            tracer.refuse("this cannot be iterated over", "loop over a range or an array")
