import sys

import pytest

from api.fakes import FakeCompiler
from retrograd.cli import main
from retrograd.ir.types import FLOAT, Array

FILE = """
import retrograd as rg

def product3(x, y, z):
    return x * y * z

@rg.grad(argnums=2)
def decorated(x, y, z):
    return x * y * z

number = 3
"""


@pytest.fixture
def fake(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "some_model.py").write_text(FILE)
    yield FakeCompiler().install(monkeypatch)
    sys.modules.pop("some_model", None)


def show(tmp_path, *arguments):
    return main(["show", f"{tmp_path}/some_model.py:{arguments[0]}", *arguments[1:]])


def test_show(fake, tmp_path, capsys):
    assert show(tmp_path, "product3") == 0
    assert "return y * z\n" in capsys.readouterr().out
    assert show(tmp_path, "product3", "--wrt", "y,x") == 0
    assert "return x * z, y * z\n" in capsys.readouterr().out
    assert show(tmp_path, "product3", "--wrt", "y", "--compiled") == 0
    assert "@numba.njit" in capsys.readouterr().out


def test_types(fake, tmp_path):
    assert show(tmp_path, "product3", "--types", "float64[:, ::1], float64, float64") == 0
    assert fake.requests[-1].params == (Array("float64", (None, None)), FLOAT, FLOAT)


@pytest.mark.parametrize(("arguments", "text"), [
    (("missing",), "has no function 'missing'"), (("number",), "is int, not a function"),
    (("product3", "--wrt", "w"), "no parameter 'w'"),
    (("product3", "--types", "float65"), "'float65' is not a type"),
    (("product3", "--types", "float64"), "3 parameters, but 1 types"),
])
def test_errors(fake, tmp_path, capsys, arguments, text):
    assert show(tmp_path, *arguments) == 2
    assert text in capsys.readouterr().err


def test_wrong_places(capsys):
    assert main(["show", "nothing"]) == 2 and "FILE:FUNCTION" in capsys.readouterr().err
    assert main(["show", "nothing.py:f"]) == 2 and "no file nothing.py" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stopped:
        main([])
    assert stopped.value.code == 2


def test_terminals_get_colours(fake, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert show(tmp_path, "product3") == 0
    assert "\x1b[" in capsys.readouterr().out
