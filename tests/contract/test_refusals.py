"""The contract: everything that is refused raises `rg.Unsupported`, with place and remedy."""

import functools
import linecache
import pickle
import re

import numpy as np
import pytest

import retrograd as rg
from contract import refused
from contract.support import both_modes


def refusal(call, *args):
    with pytest.raises(rg.Unsupported) as caught:
        call(*args)
    error = caught.value
    assert error.reason.strip() and error.remedy.strip()
    assert str(error).endswith(f"\n  remedy: {error.remedy}")
    return error


@pytest.mark.parametrize("name", refused.REFUSED)
def test_refused_with_place_and_remedy(name):
    f, args, word = refused.REFUSED[name]
    for product in (rg.grad, rg.value_and_grad):
        error = refusal(product(f, jit=False), *args)
        assert re.search(word, error.reason, re.IGNORECASE), error.reason
        check_place(error, name)


def check_place(error, name):
    """File, line and column are in the function (or in a helper beside it), a caret is below."""
    with open(refused.__file__, encoding="utf-8") as file:
        lines = file.read().splitlines()
    span = error.span
    assert span is not None and span.file == refused.__file__
    starts = [k for k, text in enumerate(lines) if re.match(r"(async )?def |@refused", text)]
    first = next(k for k, text in enumerate(lines) if re.match(rf"(async )?def {name}\b", text))
    last = next((k for k in starts if k > first), len(lines))
    helpers = {"counts_with_while_else": "helper_of_unknown", "writes_nonlocal": "inner",
               "mutual_recursion": "p[io]ng"}
    if name in helpers:
        assert re.match(helpers[name], span.function)
    else:
        assert first < span.line <= last and span.function == name
    shown = str(error).splitlines()
    place = shown.index(f'  File "{span.file}", line {span.line}, column {span.column + 1}, '
                        f"in {span.function}")
    assert shown[place + 1] == "    " + lines[span.line - 1]
    caret = shown[place + 2]
    assert re.fullmatch(r" *\^+", caret)
    start = len(caret) - len(caret.lstrip()) - 4
    assert start >= 0 and lines[span.line - 1][start] != " "
    assert start + caret.count("^") <= len(lines[span.line - 1])


@both_modes
def test_refused_alike_in_both_modes(jit):
    for name in ("try_statement", "ranks_disagree", "unknown_function", "returns_an_array"):
        f, args, _ = refused.REFUSED[name]
        assert str(refusal(rg.grad(f, jit=jit), *args)) == str(refusal(
            rg.value_and_grad(f, jit=not jit), *args))


def test_refusals_can_be_pickled():
    f, args, _ = refused.REFUSED["try_statement"]
    error = refusal(rg.grad(f), *args)
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error) and again.span == error.span


def shrinks(x, n):
    for _ in range(n):
        x = x[1:]
    return np.sum(x)


@both_modes
def test_a_shape_that_changes_in_a_loop_is_found_when_it_does(jit):
    """The trip count decides, so this cannot be refused before; generated code raises it."""
    g = rg.grad(shrinks, jit=jit)
    assert g(np.ones(3), 0).tolist() == [1.0, 1.0, 1.0]
    with pytest.raises(ValueError, match="give it one shape"):
        g(np.ones(3), 1)


# --- source --------------------------------------------------------------------------------------


def made(text, file, register=True):
    if register:
        linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    scope = {"np": np}
    exec(compile(text, file, "exec"), scope)
    return scope["f"]


def test_source_that_cannot_be_read_is_refused():
    f = made("def f(x):\n    return x * x\n", "<made by exec>", register=False)
    error = refusal(rg.grad(f, jit=False), 1.0)
    assert "cannot be read" in error.reason and "linecache" in error.remedy
    g = made("def f(x):\n    return x * x\n", "<made and registered>")
    assert rg.grad(g, jit=False)(3.0) == 6.0


def test_source_that_was_changed_is_refused(tmp_path):
    path = tmp_path / "changing.py"
    path.write_text("def f(x):\n    return x * x\n")
    f = made(path.read_text(), str(path), register=False)
    assert rg.grad(f, jit=False)(3.0) == 6.0
    for changed in ("def f(x):\n    return x * x * x\n", "def f(x):\n    return x * (\n",
                    "# moved\ndef f(x):\n    return x * x\n", "def f(x):\n    return x * 2\n"):
        path.write_text(changed)
        linecache.checkcache(str(path))
        error = refusal(rg.grad(f, jit=False), 3.0)
        assert "not what runs" in error.reason and "reload" in error.remedy


def test_lambdas_on_one_line_are_told_apart():
    a, b, c = (lambda x: x * 2.0), (lambda x: x * 3.0), (lambda x: x + x * x)
    assert [rg.grad(f, jit=False)(1.0) for f in (a, b, c)] == [2.0, 3.0, 3.0]


def test_what_is_not_python_is_refused():
    for f in (np.sin, len):
        with pytest.raises((rg.Unsupported, TypeError)):
            rg.grad(f, jit=False)(1.0)
    with pytest.raises((rg.Unsupported, TypeError)):
        rg.grad(functools.partial(np.sin), jit=False)(1.0)
    with pytest.raises(TypeError):
        rg.grad(3.0)


# --- arguments -----------------------------------------------------------------------------------

ARGUMENTS = {
    "float16": np.float16([1, 2]),
    "float16 scalar": np.float16(1),
    "longdouble": np.ones(2, np.longdouble),
    "other byte order": np.ones(2, np.dtype("f8").newbyteorder()),
    "matrix": np.ones((2, 2)).view(np.matrix),
    "masked": np.ma.array([1.0, 2.0]),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_that_are_refused(name):
    f = lambda x: np.sum(x * x)
    error = refusal(rg.grad(f, jit=False), ARGUMENTS[name])
    assert error.remedy


def test_arrays_without_numbers_raise_type_error():
    for x in (np.array(["a"]), np.array([None]), np.array(["2020-01-01"], "M8[D]")):
        with pytest.raises(TypeError):
            rg.grad(lambda x: x, jit=False)(x)


def test_a_value_that_is_not_a_float_raises_type_error():
    for f in (lambda x: 3, lambda x: x > 1, lambda x: int(x)):
        with pytest.raises(TypeError, match="no derivative"):
            rg.grad(f, jit=False)(1.0)


def test_keywords_that_stand_for_any_are_refused():
    refusal(rg.grad, lambda x, **rest: x)
