"""Programs on disk: a second process derives nothing, and never takes what does not fit."""

import functools
import json
import os
import subprocess
import sys

import pytest

HELPERS = """
import numpy as np

def act(z):
    return np.tanh(z)

SCALE = 2.0
"""
PROGRAM = """
import dataclasses
import numpy as np
import helpers
from helpers import act

RATE = 3.0
SETTINGS = {"power": 2, "weights": np.ones(3)}
AXIS = 0

def cubed(z):
    return z * z * z

class TooLarge(ValueError):
    pass

def loss(x, axis=0):
    if x[0, 0] > 100:
        raise TooLarge("large")
    s = np.sum(np.sum(act(x) * RATE, axis=axis) ** SETTINGS["power"])
    return s * helpers.SCALE + np.sum(helpers.act(x) * SETTINGS["weights"])

def along(x):
    return np.sum(np.sum(x, axis=AXIS) ** 2)

def closed(k):
    def inner(x):
        return np.sum(act(x) * k)
    return inner

@dataclasses.dataclass
class Model:
    weight: float
    def loss(self, x):
        return np.sum(x * x) * self.weight

MODEL = Model(2.0)

def of_model(x):
    return MODEL.loss(x)
"""
RUN = """
import json, sys
import numpy as np
import retrograd as rg
import program, helpers
x = np.arange(6.0).reshape(2, 3) / 10
def check(f, *args):
    g = rg.value_and_grad(f)
    value, gradient = g(*args)
    number = f(*args)
    assert abs(value - number) <= 1e-12 * abs(number), (value, number)
    finite = rg.value_and_grad(f, jit=False, cache=False)(*args)[1]
    assert np.allclose(gradient, finite, rtol=1e-12)
def first(f, *args):
    rg.value_and_grad(f)(*args)
    return "retrograd.pipeline" in sys.modules
derived = {}
%s
print(json.dumps(derived))
"""
PLAIN = """
derived["loss"] = first(program.loss, x)
derived["static"] = first(program.loss, x, 1)
derived["along"] = first(program.along, x)
derived["closed"] = first(program.closed(2.0), x)
derived["of_model"] = first(program.of_model, x)
check(program.loss, x); check(program.loss, x, 1); check(program.along, x)
check(program.closed(2.0), x); check(program.closed(np.ones((2, 3))), x); check(program.of_model, x)
try:
    rg.value_and_grad(program.loss)(x + 1000)
except program.TooLarge as error:
    assert str(error) == "large"
else:
    raise AssertionError
"""
SHORT = """
derived["loss"] = first(program.loss, x)
check(program.loss, x)
"""


def running(folder, text=PLAIN):
    """What a process of its own says of the programs in a folder, which holds their cache too."""
    path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", RUN % text], capture_output=True, text=True, check=False,
        env={**os.environ, "RETROGRAD_CACHE_DIR": str(folder / "cache"), "PYTHONPATH": path,
             "PYTHONDONTWRITEBYTECODE": "1"})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def derived_once(tmp_path_factory):
    """A folder with the programs in which one process has run them, and what it said.

    The tests share its cache, to which each adds; no two make the same edit.
    """
    folder = tmp_path_factory.mktemp("stored")
    write(folder)
    return folder, running(folder)


def write(folder):
    (folder / "helpers.py").write_text(HELPERS)
    (folder / "program.py").write_text(PROGRAM)


@pytest.fixture
def folder(derived_once):
    found, _ = derived_once
    write(found)
    return found


@pytest.fixture
def run(folder):
    return functools.partial(running, folder)


def edit(folder, name, old, new):
    path = folder / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_second_process_derives_nothing(run, derived_once):
    _, first = derived_once
    assert first["loss"] is True
    again = run()
    # an object that only has its identity cannot be recognised in another process
    assert again == {"loss": False, "static": False, "along": False, "closed": False,
                     "of_model": True}


def test_an_edited_callee(run, folder):
    edit(folder, "helpers.py", "np.tanh(z)", "np.sin(z)")
    assert run(SHORT)["loss"] is True
    assert run(SHORT)["loss"] is False


def test_an_edited_function(run, folder):
    edit(folder, "program.py", "* RATE", "+ RATE")
    assert run(SHORT)["loss"] is True


def test_what_is_captured_is_read_again(run, folder):
    edit(folder, "helpers.py", "SCALE = 2.0", "SCALE = 5.0")
    assert run(SHORT)["loss"] is False
    edit(folder, "helpers.py", "SCALE = 5.0", "SCALE = np.arange(2.0)[1]")
    assert run(SHORT)["loss"] is True                                    # another type


def test_what_was_replaced_in_the_other_process(run):
    run("""
program.act = np.sin
check(program.loss, x)
program.SETTINGS = {"power": 3, "weights": np.zeros((1, 3)), "more": 1}
check(program.loss, x)
program.AXIS = 1
check(program.along, x)
helpers.act = program.cubed
check(program.loss, x)
program.act = helpers.act
check(program.closed(1.0), x)
""")


def test_damaged_programs_are_derived_again(run, folder):
    paths = sorted((folder / "cache").rglob("*loss*.program"))
    contents = [path.read_bytes() for path in paths]
    for damage in (lambda _: b"", lambda c: c[:-3], lambda c: c[:200] + b"?" + c[201:]):
        for path, content in zip(paths, contents):
            path.write_bytes(damage(content))
        assert run(SHORT)["loss"] is True
    assert run(SHORT)["loss"] is False


CLASSES = """
import dataclasses
from typing import NamedTuple
import numpy as np

class Point(NamedTuple):
    x: float
    y: float = 2.0

@dataclasses.dataclass
class Box:
    w: np.ndarray
    k: float = 3.0

def of_dict(p):
    q = Point(np.sum(p["w"]))
    return q.x * q.y * p["s"]

def of_box(b):
    c = Box(b.w * 2)
    return np.sum(c.w) * c.k
"""
OF_CLASSES = """
import classes
p = {"s": 2.0, "w": np.ones(2), "n": 3, "name": "n"}
derived["dict"] = first(classes.of_dict, p)
derived["box"] = first(classes.of_box, classes.Box(np.ones(2)))
value, gradient = rg.value_and_grad(classes.of_dict)(p)
assert value == classes.of_dict(p) and gradient["name"] is None, (value, gradient)
assert type(rg.grad(classes.of_box)(classes.Box(np.ones(2)))) is classes.Box
assert rg.value_and_grad(classes.of_box)(classes.Box(np.ones(2)))[0] == classes.of_box(
    classes.Box(np.ones(2)))
"""


def test_containers_and_their_classes(run, folder):
    path = folder / "classes.py"
    path.write_text(CLASSES)
    assert run(OF_CLASSES) == {"dict": True, "box": True}
    assert run(OF_CLASSES) == {"dict": False, "box": False}
    edit(folder, "classes.py", "y: float = 2.0", "y: float = 5.0")     # read at every call
    assert run(OF_CLASSES) == {"dict": False, "box": False}
    edit(folder, "classes.py", "    k: float = 3.0\n",
         "    k: float = 3.0\n    def __post_init__(self):\n        self.k = self.k * 2\n")
    assert run(OF_CLASSES)["box"] is True
