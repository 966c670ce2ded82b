"""The builder: NumPy's promotion, folding, checks only where they are needed."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from retrograd.ir.build import Builder
from retrograd.ir.extents import Extent, root
from retrograd.ir.index import Slice
from retrograd.ir.interpret import interpret
from retrograd.ir.nodes import Atom, Constant, Effect, Function, Let, Value, integer
from retrograd.ir.types import BOOL, FLOAT, INT, Array, Scalar, Type
from retrograd.ir.verify import verify

DTYPES = ("bool", "int32", "int64", "float32", "float64", "complex64", "complex128")
PYTHON = {"bool": True, "int64": 3, "float64": 1.5, "complex128": 1.5 + 2j}
BINARY = {"add": np.add, "multiply": np.multiply, "divide": np.divide, "maximum": np.maximum,
          "less": np.less, "hypot": np.hypot}
UNARY = {"exp": np.exp, "sqrt": np.sqrt, "absolute": np.absolute, "sign": np.sign}


def operands() -> list[Any]:
    """One operand of each kind: arrays, NumPy scalars, Python numbers."""
    arrays = [np.array([1, 0, 1], d) for d in DTYPES]
    return [*arrays, *(np.dtype(d).type(1) for d in DTYPES), *PYTHON.values()]


def type_of(x: Any) -> Type:
    if isinstance(x, np.ndarray):
        return Array(x.dtype.name, (None,))
    if isinstance(x, np.generic):
        return Scalar(x.dtype.name)
    return Scalar({bool: "bool", int: "int64", float: "float64", complex: "complex128"}[type(x)],
                  weak=True)


def built(op: str, *args: Any, **static: Any) -> tuple[Function, Atom]:
    builder = Builder()
    params = tuple(Value(f"x{k}", type_of(a)) for k, a in enumerate(args))
    result = builder.let(op, *params, **static)
    return verify(Function("f", params, builder.block, (result,))), result


# --- promotion ---------------------------------------------------------------------------------


@pytest.mark.parametrize("op", BINARY)
def test_promotion_is_numpys(op: str) -> None:
    """All pairs of dtypes, weak and strong; Python numbers alone stay Python numbers."""
    for a, b in itertools.product(operands(), operands()):
        try:
            with np.errstate(all="ignore"):
                expected = BINARY[op](a, b)
        except TypeError:
            continue                                   # NumPy has no such loop
        if np.asarray(expected).dtype.name not in DTYPES:
            continue                                   # float16, int8: not computed in here
        function, result = built(op, a, b)
        assert result.type.dtype == np.asarray(expected).dtype.name, (a, b)
        assert isinstance(result.type, Array) == isinstance(expected, np.ndarray)
        both_python = type(a).__module__ == type(b).__module__ == "builtins"
        assert getattr(result.type, "weak", False) == both_python
        np.testing.assert_array_equal(interpret(function, [a, b])[0], expected)


@pytest.mark.parametrize("op", UNARY)
def test_functions_of_one_argument(op: str) -> None:
    for a in operands():
        if np.asarray(a).dtype == bool:
            continue
        with np.errstate(all="ignore"):
            expected = UNARY[op](a)
        function, result = built(op, a)
        assert result.type.dtype == np.asarray(expected).dtype.name, a
        np.testing.assert_allclose(interpret(function, [a])[0], expected, rtol=1e-6)


def test_a_weak_operand_is_cast_only_where_compiled_code_would_promote() -> None:
    single, double = np.float32(2), 2.5
    ops = [s.op for s in built("multiply", np.array([1], "float32"), double)[0].body]
    assert ops == ["cast", "multiply"]
    assert [s.op for s in built("multiply", np.array([1.0]), double)[0].body] == ["multiply"]
    assert [s.op for s in built("multiply", single, 3)[0].body] == ["cast", "multiply"]


def test_where_takes_its_dtype_from_the_arms() -> None:
    for a, b in itertools.product(operands(), operands()):
        expected = np.where(np.array([True, False, True]), a, b)
        _, result = built("where", np.array([True, False, True]), a, b)
        if expected.dtype.name in DTYPES:
            assert result.type.dtype == expected.dtype.name, (a, b)


# --- folding -----------------------------------------------------------------------------------


def constants(*values: Any) -> list[Constant]:
    return [Constant(v, {bool: BOOL, int: INT, float: FLOAT}[type(v)]) for v in values]


@pytest.mark.parametrize("op, args, expected", [
    ("add", (2, 3), 5), ("multiply", (2, 0.5), 1.0), ("divide", (1.0, 4.0), 0.25),
    ("negative", (1.5,), -1.5), ("floor_divide", (-7, 2), -4), ("remainder", (-7, 2), 1),
    ("less", (1, 2), True), ("power", (2.0, 3.0), 8.0), ("power", (2, 3), 8),
    ("where", (True, 1.0, 2.0), 1.0), ("logical_not", (False,), True),
])
def test_constants_are_folded(op: str, args: tuple[Any, ...], expected: Any) -> None:
    builder = Builder()
    result = builder.let(op, *constants(*args))
    assert isinstance(result, Constant) and not builder.block
    assert result.value == expected and type(result.value) is type(expected)


@pytest.mark.parametrize("op, args", [
    ("divide", (1.0, 0.0)), ("log", (0.0,)), ("floor_divide", (1, 0)), ("remainder", (1, 0)),
    ("sqrt", (-1.0,)), ("exp", (1e4,)), ("power", (2, -1)), ("add", (2**62, 2**62)),
    ("multiply", (2**40, 2**40)), ("power", (2, 64)),
])
def test_what_is_not_a_finite_number_is_left_to_run_time(op: str, args: tuple[Any, ...]) -> None:
    builder = Builder()
    assert isinstance(builder.let(op, *constants(*args)), Value)
    assert len(builder.block) == 1


def test_folding_distinguishes_the_zeros() -> None:
    found = Builder().let("multiply", *constants(0.0, -1.0))
    assert found == Constant(-0.0, FLOAT) and found != Constant(0.0, FLOAT)


# --- shapes and checks ---------------------------------------------------------------------------


def arrays(*dims: tuple[int | None, ...]) -> list[Value]:
    return [Value(f"x{k}", Array("float64", d)) for k, d in enumerate(dims)]


def effects(builder: Builder) -> list[Effect]:
    return [s for s in builder.block if isinstance(s, Effect)]


def test_extents_are_checked_once() -> None:
    builder = Builder()
    a, b = arrays((None,), (None,))
    builder.let("add", a, b)
    assert [e.kind for e in effects(builder)] == ["check_equal"]
    builder.let("multiply", b, a)
    assert len(effects(builder)) == 1
    with pytest.raises(ValueError, match="operands could not be broadcast together with shapes"):
        interpret(Function("f", (a, b), builder.block, ()), [np.ones(3), np.ones(4)])


def test_what_is_known_in_a_branch_is_not_known_outside() -> None:
    builder = Builder()
    a, b = arrays((None,), (None,))
    inner = builder.inner()
    inner.let("add", a, b)
    builder.let("add", a, b)
    assert len(effects(inner)) == len(effects(builder)) == 1


def test_an_extent_of_one_broadcasts_without_a_check() -> None:
    builder = Builder()
    a, b = arrays((None, 1), (1, None))
    result = builder.let("add", a, b)
    assert not effects(builder) and result.type.dims == (None, None)
    assert builder.facts.of(result) == (root(a, 0), root(b, 1))


def test_stencils_need_no_check() -> None:
    builder = Builder()
    (x,) = arrays((None,))
    parts = [builder.let("view", x, *(integer(b) for b in (low, high) if b is not None),
                         index=(Slice(low is not None, high is not None),))
             for low, high in ((1, -1), (None, -2), (2, None))]
    builder.let("add", builder.let("add", *parts[:2]), parts[2])
    assert not effects(builder)


def test_reshape_to_the_same_size_needs_no_check() -> None:
    builder = Builder()
    (x,) = arrays((None, None))
    n, m = builder.shape_atoms(x)
    flat = builder.let("reshape", x, builder.let("multiply", n, m))
    builder.let("reshape", flat, n, m)
    assert not effects(builder)


def test_loop_indices_are_proved_within_their_bounds() -> None:
    builder = Builder()
    (x,) = arrays((None,))
    i = Value("i", INT)
    builder.facts.bounds[i] = (Extent(0), root(x, 0) - 1)
    index, extent = root(i), root(x, 0)
    within = builder.facts.within
    assert within(index, extent) and within(index.scaled(-1) - 1, extent)
    for other in (index + 1, index - 1, index.scaled(2)):
        assert not within(other, extent)
    builder.facts.bounds[i] = (Extent(1), root(x, 0) - 1)
    assert within(index - 1, extent) and not within(index - 2, extent)


def test_atoms_of_extents_compute_what_they_say() -> None:
    (x,) = arrays((None, None))
    n, m = root(x, 0), root(x, 1)
    from retrograd.ir.extents import floor_divided, largest, product, smallest

    extents = {n: 5, n - m: 2, m - n: -2, n.scaled(-3) + 1: -14, product(n, m) + 4: 19,
               largest(Extent(0), n - 7) + 2: 2, smallest(n, m): 3, Extent(7): 7,
               floor_divided(n + 1, 2).scaled(2) - 1: 5}
    builder = Builder()
    atoms = tuple(builder.atom_of(e) for e in extents)
    found = interpret(verify(Function("f", (x,), builder.block, atoms)), [np.zeros((5, 3))])
    assert list(map(int, found)) == list(extents.values())


def test_renaming_keeps_what_covers_it() -> None:
    builder = Builder()
    (x,) = arrays((None,))
    i = Value("i", INT)
    loaded = builder.let("load", x, i, index=("int",))
    assert isinstance(loaded, Value)
    builder.check_index(i, builder.facts.of(x)[0], 0, loaded)
    new = builder.renamed(loaded, "y")
    assert new.name == "y" and builder.block[-1].result is new
    assert effects(builder)[-1].static["covers"] is new
    assert builder.renamed(new, "z") is new            # it has a name already


def test_layouts_of_views() -> None:
    builder = Builder()
    (x,) = arrays((None, None))
    turned = builder.let("transpose", x, axes=(1, 0))
    assert turned.type.layout == "F"
    assert builder.let("transpose", turned, axes=(1, 0)).type.layout == "C"
    assert builder.let("view", x, index=(Slice(), Slice(step=2))).type.layout == "A"
    assert isinstance(builder.block[0], Let)
