"""The text that is read is exactly the text that runs, or it is refused."""

from __future__ import annotations

import ast
import functools
import importlib.util
import linecache
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from frontend.tracing import load, run
from retrograd.errors import Unsupported
from retrograd.frontend.reading import read
from retrograd.frontend.trace import unwrapped


def text(function: Callable[..., Any]) -> str:
    return ast.unparse(read(unwrapped(function)).node)


def module(path: Path, source: str) -> ModuleType:
    path.write_text(source)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    exec(compile(path.read_text(), str(path), "exec"), found.__dict__)
    return found


# --- which function on the line --------------------------------------------------------------


def test_lambdas_on_one_line() -> None:
    first, second, third = (lambda x: x + 1), (lambda x: x + 2), (lambda x: x * 2)
    assert [text(f) for f in (first, second, third)] == [
        "lambda x: x + 1", "lambda x: x + 2", "lambda x: x * 2"]


def test_lambdas_on_one_line_that_differ_in_one_constant() -> None:
    fs = [lambda x: x * 1, lambda x: x * 1.0, lambda x: x * True, lambda x: x * -0.0]
    assert [text(f) for f in fs] == [
        "lambda x: x * 1", "lambda x: x * 1.0", "lambda x: x * True", "lambda x: x * -0.0"]


def test_lambdas_in_lambdas() -> None:
    outer = lambda x: (lambda y: y * x)
    inner = outer(2.0)
    assert text(outer) == "lambda x: lambda y: y * x"
    assert text(inner) == "lambda y: y * x"


def test_equal_lambdas_on_one_line() -> None:
    """Which of them it is does not matter for what they compute, or it is refused."""
    pair = [lambda x: x + 1, lambda x: x + 1]
    assert [text(f) for f in pair] == ["lambda x: x + 1"] * 2


def test_lambdas_over_several_lines() -> None:
    f = (lambda x:
         x
         + 1)
    assert text(f) == "lambda x: x + 1"


def test_nested_functions_methods_and_wrappers() -> None:
    def outer(x: float) -> Callable[[float], float]:
        def inner(y: float) -> float:
            return x * y
        return inner

    class Model:
        def loss(self, x: float) -> float:
            return x + 1

        @staticmethod
        def fixed(x: float) -> float:
            return x + 2

    assert "return x * y" in text(outer(1.0)) and "def inner" in text(outer)
    assert "return x + 1" in text(Model().loss) and "return x + 1" in text(Model.loss)
    assert "return x + 2" in text(Model.fixed)
    assert "return x + 1" in text(functools.partial(Model().loss, 2.0))
    assert "return x * y" in text(functools.partial(functools.partial(outer(1.0))))


def test_a_compiled_helper_is_read_through_its_python_function() -> None:
    class Dispatcher:
        def __init__(self, function: Callable[..., Any]) -> None:
            self.py_func = function

    assert text(Dispatcher(lambda x: x - 3)) == "lambda x: x - 3"  # type: ignore[arg-type]


def test_a_foreign_wrapper_is_not_looked_through() -> None:
    def doubled(f: Callable[[float], float]) -> Callable[[float], float]:
        @functools.wraps(f)
        def wrapper(x: float) -> float:
            return 2 * f(x)
        return wrapper

    @doubled
    def f(x: float) -> float:
        return x

    assert "2 * f(x)" in text(f)


def test_decorated_functions_start_at_their_decorator() -> None:
    def same(f: Callable[..., Any]) -> Callable[..., Any]:
        return f

    @same
    @same
    def f(x: float) -> float:
        return x + 7

    assert "return x + 7" in text(f)


def test_the_same_name_twice_in_a_file(tmp_path: Path) -> None:
    found = module(tmp_path / "twice.py",
                   "def f(x):\n    return x\nfirst = f\ndef f(x):\n    return 2 * x\n"
                   "if True:\n    def f(x):\n        return 3 * x\n")
    assert "return x" in text(found.first) and "return 3 * x" in text(found.f)


def test_text_that_pytest_rewrote() -> None:
    def f(x: float) -> float:
        assert x > 0, "positive"
        return x * 2

    assert "assert x > 0" in text(f) and run(f, 3.0) == 6.0


# --- where text comes from -----------------------------------------------------------------------


def test_code_from_exec_with_linecache() -> None:
    f = load("def f(x):\n    return x * 3\n", file="<a cell>")
    assert "return x * 3" in text(f)


def test_code_from_exec_without_text_is_refused() -> None:
    scope: dict[str, Any] = {}
    exec(compile("def f(x):\n    return x\n", "<nowhere>", "exec"), scope)
    with pytest.raises(Unsupported, match="cannot be read") as caught:
        read(scope["f"])
    assert "linecache" in caught.value.remedy


def test_a_future_import_changes_the_flags(tmp_path: Path) -> None:
    found = module(tmp_path / "future.py",
                   "from __future__ import annotations\ndef f(x: float) -> float:\n"
                   "    return x\n")
    assert "return x" in text(found.f)


def test_characters_that_are_many_bytes(tmp_path: Path) -> None:
    found = module(tmp_path / "greek.py", "def f(α):\n    größe = 'ä' ; return α + unknown\n")
    with pytest.raises(Unsupported) as caught:
        run(found.f, 1.0)
    span = caught.value.span
    assert span is not None and caught.value.line[span.column:span.end_column] == "unknown"


# --- text that changed --------------------------------------------------------------------------


BEFORE = "def f(x):\n    y = x * 2\n    return y + 1\n"


@pytest.mark.parametrize("after", [
    BEFORE.replace("* 2", "* 3"), BEFORE.replace("* 2", "* 2.0"), BEFORE.replace("y", "z"),
    BEFORE.replace("f(x)", "f(x, w=1)"), "\n" + BEFORE, BEFORE.replace("def f", "def g"),
    BEFORE.replace("x * 2", "x - 2"), BEFORE.replace("return y", "return  y"),
    BEFORE.replace("* 2", "* -2"), "", "def f(x:\n",
])
def test_a_file_that_changed_is_refused(tmp_path: Path, after: str) -> None:
    path = tmp_path / "changed.py"
    found = module(path, BEFORE)
    assert "x * 2" in text(found.f)
    path.write_text(after)
    os.utime(path, (1, 1))
    linecache.checkcache()
    with pytest.raises(Unsupported, match=r"is not what runs|cannot be read"):
        read(found.f)


def test_a_change_of_another_function_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "other.py"
    found = module(path, BEFORE + "def g(x):\n    return 1\n")
    path.write_text(BEFORE + "def g(x):\n    return 2\n")
    linecache.checkcache()
    assert "x * 2" in text(found.f)
    with pytest.raises(Unsupported):
        read(found.g)


@pytest.mark.parametrize("source", [
    "f = eval('lambda x: x + 1')\n", "f = np.sin\n", "f = (lambda n: (lambda x: x))\n",
])
def test_what_has_no_text(source: str) -> None:
    f = load(source)
    if isinstance(f, np.ufunc):
        with pytest.raises(Unsupported, match="not a Python function"):
            unwrapped(f)
    elif f.__code__.co_filename == "<string>":
        with pytest.raises(Unsupported, match="cannot be read"):
            read(f)
    else:
        assert text(f) == "lambda n: lambda x: x"


def test_async_functions_and_generators_are_refused() -> None:
    async def f(x: float) -> float:
        return x

    with pytest.raises(Unsupported):
        run(f, 1.0)
    with pytest.raises(Unsupported):
        run(load("def f(x):\n    yield x\n"), 1.0)
