import enum
import math

import numpy as np
import pytest

import retrograd as rg
from retrograd.api.annotations import annotated_type, parse_type, split_types
from retrograd.api.types import differentiated, static_key, type_of
from retrograd.ir.types import FLOAT, INT, Array, Scalar
from retrograd.program import Known


@pytest.mark.parametrize(("value", "expected"), [
    (1.0, FLOAT), (1, INT), (True, Scalar("bool", True)), (1j, Scalar("complex128", True)),
    (np.float32(1), Scalar("float32")), (np.float64(1), Scalar("float64")),
    (np.int32(1), Scalar("int32")), (np.bool_(1), Scalar("bool")),
    (np.zeros(3), Array("float64", (None,))), (np.zeros(()), Array("float64", ())),
    (np.zeros((1, 3), np.float32), Array("float32", (1, None))),
    (np.zeros((2, 3)).T, Array("float64", (None, None), "F")),
    (np.zeros(6)[::2], Array("float64", (None,), "A")),
    (np.zeros((4, 0)), Array("float64", (None, None))),
    (enum.IntEnum("E", "a").a, INT),
    ("sum", Known("sum")), (None, Known(None)), (math, Known(math)), ((1, 2), Known((1, 2))),
])
def test_type_of(value, expected):
    assert type_of(value) == expected


@pytest.mark.parametrize(("value", "error"), [
    (np.zeros(2, object), TypeError), (np.array(["a"]), TypeError),
    (np.zeros(2, "M8[s]"), TypeError), (np.zeros(2, np.float16), rg.Unsupported),
    (np.zeros(2, np.uint8), rg.Unsupported), (np.longdouble(1), rg.Unsupported),
    (np.zeros(2, ">f8"), rg.Unsupported), (np.ma.zeros(2), rg.Unsupported),
    (2**63, OverflowError),
])
def test_refused_arguments(value, error):
    with pytest.raises(error):
        type_of(value)


def test_an_unaligned_array_is_taken_as_its_copy():
    raw = np.zeros(17, np.uint8)[1:].view(np.float64)
    assert not raw.flags.aligned
    assert type_of(raw) == Array("float64", (None,))


def test_differentiated():
    assert differentiated(INT, "n") == FLOAT
    assert differentiated(Scalar("bool", True), "n") == FLOAT
    with pytest.raises(TypeError, match=r"'n'.*dtype int64.*n\.astype\(float\)"):
        differentiated(Array("int64", (None,)), "n")
    with pytest.raises(TypeError, match=r"'n'.*None"):
        differentiated(Known(None), "n")


def test_static_keys_are_typed():
    values = [1, 1.0, True, 0.0, -0.0, (1,), [1], "1", b"1", None, slice(1), slice(1.0)]
    assert len({static_key(v) for v in values}) == len(values)
    assert static_key((1, "a", [2])) == static_key((1, "a", [2]))


@pytest.mark.parametrize(("text", "expected"), [
    ("float64", FLOAT), ("float", FLOAT), ("int64", INT), ("float32", Scalar("float32")),
    ("float64[:]", Array("float64", (None,), "A")),
    ("float64[::1]", Array("float64", (None,), "C")),
    ("float32[:, ::1]", Array("float32", (None, None), "C")),
    ("float64[::1,:]", Array("float64", (None, None), "F")),
    ("float64[1, ::1]", Array("float64", (1, None), "C")),
])
def test_parse_type(text, expected):
    assert parse_type(text) == expected


@pytest.mark.parametrize("text", ["", "float65", "float64[2]", "float64[", "float64[]"])
def test_parse_type_refuses(text):
    with pytest.raises(ValueError, match="is not a type"):
        parse_type(text)


def test_split_types():
    assert split_types("float64[:, :], float64") == ("float64[:, :]", " float64")


def test_numba_types():
    numba = pytest.importorskip("numba")
    assert annotated_type(numba.float64[:, ::1]) == Array("float64", (None, None), "C")
    assert annotated_type(numba.float32[:]) == Array("float32", (None,), "A")
    assert annotated_type(numba.float64) == FLOAT
    assert annotated_type(numba.boolean) == Scalar("bool", True)


def test_python_annotations():
    assert annotated_type(float) == FLOAT
    assert annotated_type(np.float32) == Scalar("float32")
    assert annotated_type("float64[:]") == Array("float64", (None,), "A")
    assert annotated_type(list) is None
    with pytest.raises(rg.Unsupported, match="how many axes"):
        annotated_type(np.ndarray)
