"""The programs of the corpus with rules in the place of NumPy's own functions: the derivatives are
the same."""

from __future__ import annotations

import importlib
import linecache
import re
import types
import zlib

import numpy as np
import pytest

import retrograd as rg
import truth
from corpus.entry import Entry
from corpus.test_corpus import ENTRIES
from oracle import float_arguments, is_number
from retrograd.errors import Unsupported

RULED = re.compile(r"(?<![\w.])np\.(sin|cos|exp|tanh|sqrt|log|square|sum|dot)\((?!.*out)")
OTHER_OUT = {"stores-out_arguments", "stores-out_of_products_and_reductions",
             "helpers-calls_compiled_helper"}               # Numba compiles it in plain Python


def _ruled(theme):
    """The module of a theme with rules; None where nothing in it has any."""
    original = importlib.import_module(f"corpus.{theme}")
    text = "".join(linecache.getlines(original.__file__))
    changed, count = RULED.subn(r"ruled_numpy.\1(", text)
    if not count:
        return None
    changed = changed.replace("import numpy as np", "import numpy as np\n"
                              "from api import ruled_numpy", 1)
    file = f"<{theme} with rules>"
    linecache.cache[file] = (len(changed), None, changed.splitlines(keepends=True), file)
    module = types.ModuleType(f"ruled_{theme}")
    exec(compile(changed, file, "exec"), module.__dict__)
    return {name: value for name, value in vars(module).items() if isinstance(value, Entry)}


_THEMES = {}


def _entry(name):
    theme, _, program = name.partition("-")
    if theme not in _THEMES:
        _THEMES[theme] = _ruled(theme)
    return None if _THEMES[theme] is None else _THEMES[theme][program]


NAMES = [pytest.param(name, marks=pytest.mark.slow) if zlib.crc32(name.encode()) % 16 else name
         for name, entry in ENTRIES.items() if not entry.refused and name not in OTHER_OUT]


def _seeds(value):
    """Weights for all that a function returns."""
    if isinstance(value, tuple):
        return tuple(map(_seeds, value))
    if isinstance(value, list):
        return [_seeds(v) for v in value]
    return np.cos(np.arange(np.size(value), dtype=float)).reshape(np.shape(value)) \
        if np.ndim(value) else 1.0


def _derivative(function, args, argnums):
    """The value, and the adjoints by reverse mode."""
    given = [truth.fresh(a) for a in args]
    value = function(*(truth.fresh(a) for a in args))
    holomorphic = is_number(value) and np.iscomplexobj(value)
    try:
        return rg.value_and_grad(function, argnums=argnums, holomorphic=holomorphic,
                                 jit=False)(*given)
    except Unsupported as refusal:
        if "a gradient needs one number" not in refusal.reason:
            raise
    value, pullback = rg.vjp(function, *given, argnums=argnums, jit=False)
    return value, pullback(_seeds(value))


def _flat(found):
    return [x for f in found for x in _flat(f)] if isinstance(found, (tuple, list)) else [found]


@pytest.mark.parametrize("name", NAMES)
def test_a_program_with_rules(name):
    ruled, entry = _entry(name), ENTRIES[name]
    if ruled is None:
        pytest.skip("it calls no function that has a rule")
    args = entry.arguments[0]
    argnums = entry.argnums or tuple(float_arguments(args))
    expected = _flat(_derivative(entry.function, args, argnums))
    found = _flat(_derivative(ruled.function, args, argnums))
    for f, e in zip(found, expected, strict=True):
        np.testing.assert_allclose(f, e, rtol=1e-9, atol=1e-11)
