"""The functions of the language itself: `range`, `len`, `print`, `primitive`, ..."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from retrograd.api.marks import checkpointed, parallel_range
from retrograd.api.ravel import ravel
from retrograd.api.rules import Ruled, stop_gradient
from retrograd.frontend import cells, complex_numbers, indexing, lists, marks, objects
from retrograd.frontend.atoms import need_atom
from retrograd.frontend.certain import certain
from retrograd.frontend.iteration import elements, length, unrolled
from retrograd.frontend.things import (
    Base,
    Enumerate,
    Grown,
    Handle,
    Items,
    Range,
    Reversed,
    Static,
    Stream,
    Thing,
    Zip,
    atom_of,
    thing_of,
)
from retrograd.frontend.tracer import Tracer, constant_of, known, known_value
from retrograd.ir import draws
from retrograd.ir.nodes import Atom, Branch, Constant, Effect, Raise, Value, integer
from retrograd.ir.operations import OPERATIONS
from retrograd.ir.types import Array, Scalar, is_float, is_integer
from retrograd.prelude import language

Args = tuple[Thing, ...]
Keywords = Mapping[str, Thing]


def _range(tracer: Tracer, args: Args, _: Keywords) -> Thing:
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
        if tracer.from_parameters(step):
            tracer.need_static(step, "the step of a range")
        return Range(atoms[0], atoms[1], step, _count(tracer, atoms[0], atoms[1], step))
    if not step.value:
        raise certain(ValueError)("range() arg 3 must not be zero")
    return Range(atoms[0], atoms[1], step)


def _parallel_range(tracer: Tracer, args: Args, keywords: Keywords) -> Thing:
    """`prange` is `range` with a mark: whether iterations are independent has to be proven."""
    thing = _range(tracer, args, keywords)
    assert isinstance(thing, Range)
    return replace(thing, parallel=True)


def _count(tracer: Tracer, start: Atom, stop: Atom, step: Atom) -> Atom:
    """The length of a range whose step the program computes: (stop - start + step - sign) // step,
    and not less than 0."""
    builder = tracer.builder
    builder.append(Branch(builder.let("equal", step, integer(0)),
                          (Raise(ValueError, ("range() arg 3 must not be zero",), builder.origin),),
                          (), (), builder.origin))
    span = builder.let("add", builder.let("subtract", stop, start), step)
    span = builder.let("subtract", span, builder.let("sign", step))
    return builder.let("maximum", integer(0), builder.let("floor_divide", span, step), name="n")


def _len(tracer: Tracer, args: Args, _: Keywords) -> Thing:
    counted = objects.special_method(tracer, args[0], "__len__")
    if counted is not None:
        return counted(())
    thing = cells.opened(tracer, args[0])
    if isinstance(thing, Items):
        return integer(len(elements(tracer, thing)))
    if isinstance(thing, Static):
        return integer(len(thing.value))
    return length(tracer, thing)


def _zip(_: Tracer, args: Args, __: Keywords) -> Thing:
    return Zip(args)


def _enumerate(tracer: Tracer, args: Args, keywords: Keywords) -> Thing:
    start = args[1] if len(args) > 1 else keywords.get("start", integer(0))
    return Enumerate(args[0], need_atom(tracer, start))


def _reversed(_: Tracer, args: Args, __: Keywords) -> Thing:
    return Reversed(args[0])


def _container(kind: str) -> Callable[[Tracer, Args, Keywords], Thing]:
    def make(tracer: Tracer, args: Args, _: Keywords) -> Thing:
        if not args:
            return cells.made(tracer, Items(kind, ()))
        items = unrolled(tracer, args[0])
        if items is None and kind == "list":
            if isinstance(cells.opened(tracer, args[0]), Grown):
                return lists.copied(tracer, args[0])
            if isinstance(args[0], Handle):
                return lists.of_array(tracer, args[0])
        if items is None:
            tracer.refuse(f"a {kind} of something whose length is not known",
                          "keep it an array")
        return cells.made(tracer, Items(kind, items))

    return make


def _dict(tracer: Tracer, args: Args, keywords: Keywords) -> Thing:
    before = cells.opened(tracer, args[0]) if args else Items("dict", ())
    if not isinstance(before, Items) or before.kind != "dict":
        tracer.refuse("a dict of this is not supported", "write it as {...}")
    both = {**dict(zip(before.keys, before.items, strict=True)), **keywords}
    return cells.made(tracer, Items("dict", tuple(both.values()), tuple(both)))


def _print(tracer: Tracer, args: Args, keywords: Keywords) -> Thing:
    parts: list[str | int] = []
    atoms: list[Atom] = []
    for arg in (cells.frozen(tracer, a) for a in args):
        for piece in arg.items if isinstance(arg, Items) and arg.kind == "message" else (arg,):
            atom = tracer.atom(piece)
            if atom is None or isinstance(atom, Constant):
                parts.append(str(known_value(tracer, piece, "print")))
            else:
                parts.append(len(atoms))
                atoms.append(atom)
    static: dict[str, Any] = {k: known_value(tracer, v, "print") for k, v in keywords.items()}
    static["parts"] = tuple(parts)
    tracer.builder.append(Effect("print", tuple(atoms), static, tracer.builder.origin))
    return Static(None)


def _primitive(tracer: Tracer, args: Args, keywords: Keywords) -> Thing:
    ok, op = known(args[0])
    assert ok and op in OPERATIONS, f"no operation is called {op!r}"
    static = {k: known_value(tracer, v, op) for k, v in keywords.items()}
    atoms = [need_atom(tracer, a) for a in args[1:]]
    complex_numbers.check(tracer, op, atoms)
    result = tracer.builder.let(op, *atoms, **static)
    owner = args[1] if len(args) > 1 else None
    if not isinstance(owner, Handle) or not isinstance(result, Value):
        return thing_of(result)
    array = atoms[0]
    assert isinstance(array, Value)
    if op in _VIEWS and (op != "reshape" or owner.type.layout == "C"):
        return indexing.looked_into(tracer, owner, array, result, op, tuple(atoms[1:]), static)
    copied = op == "reshape" and _reordered(tracer, array)
    if op in _MAYBE_VIEWS and isinstance(result.type, Array) and not copied and (
            op == "reshape" or len(atoms) == 1):
        return Handle(result, Base(result, frozenset({owner.base}), born=tracer.memory.clock))
    return thing_of(result)


def _reordered(tracer: Tracer, array: Value) -> bool:
    """Whether an array is certainly not in C order, so that `reshape` copies it."""
    builder = tracer.builder
    long = [n for n in builder.facts.of(array) if builder.never_one(builder.atom_of(n))]
    return isinstance(array.type, Array) and array.type.layout == "F" and len(long) > 1


_VIEWS = ("view", "transpose", "reshape", "broadcast_to", "diagonal")
_MAYBE_VIEWS = ("reshape", "einsum", "real", "imag")      # views or copies: NumPy decides


def _draw(tracer: Tracer, args: Args, keywords: Keywords) -> Thing:
    stream, (_, method) = args[0], known(args[1])
    assert isinstance(stream, Stream)
    shape = keywords["shape"]
    extents = None if not isinstance(shape, Items) else [need_atom(tracer, s) for s in shape.items]
    for extent in extents or ():
        if not is_integer(extent.type) or isinstance(extent.type, Array):
            raise certain(TypeError)(
                f"'{extent.type.dtype}' object cannot be interpreted as an integer")
    bounds = [tracer.builder.cast(need_atom(tracer, b), "int64") for b in args[2:]]
    _, endpoint = known(keywords.get("endpoint", Static(False)))
    return thing_of(draws.draw(tracer.builder, method, stream.value, bounds, extents, endpoint))


def _is_scalar(_: Tracer, args: Args, __: Keywords) -> Thing:
    atom = atom_of(args[0])
    return constant_of(atom is not None and isinstance(atom.type, Scalar))


def _is_float(tracer: Tracer, args: Args, _: Keywords) -> Thing:
    return constant_of(is_float(need_atom(tracer, args[0]).type))


def _is_weak(_: Tracer, args: Args, __: Keywords) -> Thing:
    atom = atom_of(args[0])
    return constant_of(atom is not None and isinstance(atom.type, Scalar) and atom.type.weak)


def _is_known(_: Tracer, args: Args, __: Keywords) -> Thing:
    return constant_of(known(args[0])[0])


def _in_one_piece(tracer: Tracer, args: Args, _: Keywords) -> Thing:
    owner = args[0]
    if not isinstance(owner, Handle) or owner.type.layout == "C":
        return owner
    seen = tracer.current(owner)
    return Handle(seen, Base(seen, frozenset({owner.base}), born=tracer.memory.clock))


def _never_one(tracer: Tracer, args: Args, _: Keywords) -> Thing:
    return constant_of(tracer.builder.never_one(need_atom(tracer, args[0])))


def _isinstance(tracer: Tracer, args: Args, _: Keywords) -> Thing:
    ok, kinds = known(args[1])
    if not ok:
        tracer.refuse("isinstance with a class that is not known", "name the class")
    return constant_of(any(_is_a(cells.opened(tracer, args[0]), k) for k in (
        kinds if isinstance(kinds, tuple) else (kinds,))))


def _is_a(thing: Thing, kind: Any) -> bool:
    atom = atom_of(thing)
    if isinstance(thing, Grown):
        return kind in (object, list)
    if isinstance(thing, Items):
        cls = thing.kind if isinstance(thing.kind, type) else {
            "tuple": tuple, "list": list, "dict": dict}[thing.kind]
        return issubclass(cls, kind)
    if isinstance(thing, Stream):
        return kind in (np.random.Generator, object)
    if atom is None:
        return isinstance(thing, Static) and isinstance(thing.value, kind)
    if isinstance(atom.type, Array):
        return kind in (np.ndarray, object)
    dtype = np.dtype(atom.type.dtype)
    sample = dtype.type(0)
    return isinstance(sample.item() if atom.type.weak else sample, kind)


def shape(tracer: Tracer, args: Args, _: Keywords) -> Thing:
    return Items("tuple", tracer.builder.shape_atoms(need_atom(tracer, args[0])))


def ndim(tracer: Tracer, args: Args, _: Keywords) -> Thing:
    return integer(need_atom(tracer, args[0]).type.rank)


def size_of(tracer: Tracer, args: Args, keywords: Keywords) -> Thing:
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
    return Static(np.dtype(known_value(tracer, args[0], "np.dtype")))


def _hasattr(tracer: Tracer, args: Args, _: Keywords) -> Thing:
    name = known_value(tracer, args[1], "hasattr")
    found = objects.content(tracer, args[0])
    if found is not None:
        return constant_of(name in found.keys or hasattr(found.kind, name))
    atom = atom_of(args[0])
    if atom is not None:
        number = np.zeros((), atom.type.dtype)[()]
        sample = np.zeros((0,)) if isinstance(atom.type, Array) else (
            number.item() if atom.type.weak else number)
        return constant_of(hasattr(sample, name))
    return constant_of(hasattr(known_value(tracer, args[0], "hasattr"), name))


def _getattr(tracer: Tracer, args: Args, _: Keywords) -> Thing:
    from retrograd.frontend import expressions

    name = known_value(tracer, args[1], "getattr")
    if len(args) > 2 and not _hasattr(tracer, args[:2], {}).value:  # type: ignore[union-attr]
        return args[2]
    return expressions.attribute(tracer, args[0], name)


def _replace(tracer: Tracer, args: Args, keywords: Keywords) -> Thing:
    from retrograd.frontend import construction

    return construction.replace(tracer, args, keywords)


def _as_dict(tracer: Tracer, args: Args, keywords: Keywords) -> Thing:
    from retrograd.frontend import construction

    return construction.as_dict(tracer, args, keywords)


def _as_tuple(tracer: Tracer, args: Args, keywords: Keywords) -> Thing:
    from retrograd.frontend import construction

    return construction.as_tuple(tracer, args, keywords)


def _ravel(tracer: Tracer, args: Args, keywords: Keywords) -> Thing:
    tracer.refuse("ravel is called inside a function", "make the flat vector outside; what it "
                  "returns to go back, unravel(vector), may be called here")


LANGUAGE: dict[Any, Callable[[Tracer, Args, Keywords], Thing]] = {
    checkpointed: marks.checkpointed, parallel_range: _parallel_range,
    stop_gradient: marks.stop_gradient, ravel: _ravel,
    range: _range, len: _len, zip: _zip, enumerate: _enumerate, reversed: _reversed,
    tuple: _container("tuple"), list: _container("list"), dict: _dict, print: _print,
    isinstance: _isinstance, hasattr: _hasattr, getattr: _getattr,
    setattr: objects.set_attribute, object.__setattr__: objects.set_directly,
    dataclasses.replace: _replace, dataclasses.asdict: _as_dict, dataclasses.astuple: _as_tuple,
    np.shape: shape, np.ndim: ndim, np.size: size_of,
    np.result_type: _result_type, np.dtype: _dtype, complex: complex_numbers.make,
    language.primitive: _primitive, language.draw: _draw, language.is_scalar: _is_scalar,
    language.is_float: _is_float, language.in_one_piece: _in_one_piece,
    language.is_weak: _is_weak, language.never_one: _never_one, language.is_known: _is_known,
}


def _ruled(tracer: Tracer, function: Ruled, args: Args, keywords: Keywords) -> Thing:
    from retrograd.frontend import ruled  # which builds on all of the front end

    return ruled.call(tracer, function, args, keywords)


def special(function: Any) -> Callable[[Tracer, Args, Keywords], Thing] | None:
    """What a function of the language does. Numba's `prange` is known by its name: Numba need not
    have been imported."""
    if not callable(function) or type(function).__hash__ is None:
        return None
    if isinstance(function, Ruled):
        return lambda tracer, args, keywords: _ruled(tracer, function, args, keywords)
    if (getattr(function, "__module__", None), getattr(function, "__name__", None)) == (
            "numba.misc.special", "prange"):
        return _parallel_range
    return LANGUAGE.get(function)
