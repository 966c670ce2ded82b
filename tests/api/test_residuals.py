"""`f.residuals(...)`: the table; `store=` and `recompute=`; `max_memory=`."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from api import residual_programs as programs
from retrograd.api.residuals import Residuals, Row
from retrograd.errors import Unsupported

ARGS = (0.3, 0.7, 4)
MODES = pytest.mark.parametrize("jit", [False, True])


def row(table: Residuals, name: str, answer: str | None = None) -> Row:
    return next(r for r in table.rows
                if r.variable == name and (answer is None or r.answer == answer))


# --- the table ------------------------------------------------------------------------------------


def test_rows() -> None:
    table = rg.grad(programs.power_loop).residuals(*ARGS)
    assert [r.variable for r in table.rows if r.answer == "keep"] == ["y", "n"]
    slow, fast, x = row(table, "slow"), row(table, "fast"), row(table, "x", "store")
    assert (slow.answer, slow.bytes_an_iteration, slow.bytes_total) == ("store", 8, 32)
    assert slow.why == "exp costs 20, storing 10"
    assert slow.text == "slow = np.exp(y * x)" and slow.file == programs.__file__
    assert Path(programs.__file__).read_text().splitlines()[slow.line - 1].strip() == slow.text
    assert (fast.answer, fast.bytes_an_iteration, fast.bytes_total) == ("recompute", 0, 0)
    assert fast.why == "costs 1, storing 10"
    assert x.why == "carried by the loop: what an iteration starts with"
    assert x.text == "for _ in range(n):"
    assert table.total == 64


def test_sizes_follow_the_example() -> None:
    g = rg.grad(programs.rows)
    for size, n in ((3, 5), (100, 7), (100, 0)):
        table = g.residuals(np.ones(size), n)
        assert row(table, "row").bytes_an_iteration == 8 * size
        assert row(table, "row").bytes_total == 8 * size * n
    single = g.residuals(np.ones(5, np.float32), 2)
    assert row(single, "row").bytes_an_iteration == 20


def test_nothing_is_run_or_compiled() -> None:
    g = rg.grad(programs.rows)
    table = g.residuals(np.ones(10**6), 10**9)
    assert table.total is not None and table.total >= 8 * 10**15
    assert g.signatures == []


def test_text() -> None:
    text = str(rg.grad(programs.power_loop).residuals(*ARGS))
    lines = text.splitlines()
    assert lines[0].split() == ["variable", "line", "source", "answer", "why", "bytes/iteration",
                                "bytes"]
    assert lines[-1].split() == ["total", "64"]
    ends = {len(line) for line in lines if line.endswith(("64", "32"))}
    assert len(ends) == 1                                       # numbers end in one column
    assert all("store" not in line or line.index("store") == lines[0].index("answer")
               for line in lines if line.startswith("slow"))
    assert repr(rg.grad(programs.power_loop).residuals(*ARGS)) == text
    assert text == str(rg.grad(programs.power_loop).residuals(*ARGS))


def test_unknown_totals() -> None:
    table = rg.grad(programs.until).residuals(1.5, 0.1)
    assert table.total is None and row(table, "s").bytes_an_iteration == 8
    assert str(table).splitlines()[-1].split() == ["total", "unknown"]


def test_nothing_stored() -> None:
    table = rg.grad(programs.linear).residuals(0.5, 10)
    assert table.total == 0 and str(table).splitlines()[-1].split() == ["total", "0"]


def test_html_is_escaped() -> None:
    html = rg.grad(programs.less_and_greater).residuals(np.ones(3), 4)._repr_html_()
    assert "a &lt; 0.5" in html and "a < 0.5" not in html
    assert html.startswith("<table>") and html.count("<tr>") == html.count("</tr>")


def test_of_every_kind_of_object() -> None:
    expected = rg.grad(programs.power_loop).residuals(*ARGS)
    assert rg.value_and_grad(programs.power_loop).residuals(*ARGS).total == expected.total
    assert rg.differentiable(programs.power_loop).residuals(*ARGS) == expected
    _, pullback = rg.vjp(programs.power_loop, *ARGS, argnums=0)
    assert pullback.residuals().total == expected.total
    assert rg.grad(programs.captured).residuals(1.5).total == 16


def test_of_example_arguments() -> None:
    g = rg.grad(programs.power_loop)
    with pytest.raises(TypeError, match="missing a required argument"):
        g.residuals(0.3)
    with pytest.raises(Unsupported):
        rg.grad(lambda x: eval("x")).residuals(0.3)


# --- store= and recompute= ------------------------------------------------------------------------


@MODES
@pytest.mark.parametrize("options, answers, total", [
    ({"store": "fast"}, {"slow": "store", "fast": "store"}, 96),
    ({"recompute": "slow"}, {"slow": "recompute", "fast": "recompute"}, 32),
    ({"recompute": ["slow"], "store": ("fast",)}, {"slow": "recompute", "fast": "store"}, 64),
])
def test_overrides(jit: bool, options: dict[str, Any], answers: dict[str, str],
                   total: int) -> None:
    g = rg.grad(programs.power_loop, (0, 1), jit=jit, **options)
    table = g.residuals(*ARGS)
    assert {name: row(table, name).answer for name in answers} == answers
    for option, names in options.items():
        assert row(table, names[0] if len(names[0]) > 1 else names).why == f"asked for by {option}="
    assert table.total == total
    expected = rg.grad(programs.power_loop, (0, 1), jit=jit)(*ARGS)
    assert np.allclose(g(*ARGS), expected, rtol=1e-13, atol=0)


@MODES
def test_overrides_of_arrays(jit: bool) -> None:
    args = (np.linspace(0.2, 0.9, 5), 6)
    expected = rg.grad(programs.rows, jit=jit)(*args)
    g = rg.grad(programs.rows, recompute="row", jit=jit)
    assert row(g.residuals(*args), "row").answer == "recompute"
    assert g.residuals(*args).total == 6 * 5 * 8
    assert np.allclose(g(*args), expected, rtol=1e-13, atol=0)
    _, pullback = rg.vjp(programs.rows, *args, argnums=0, recompute="row", jit=jit)
    assert pullback.residuals().total == 6 * 5 * 8
    assert np.allclose(pullback(1.0), expected, rtol=1e-13, atol=0)


@MODES
def test_store_of_an_array_that_would_be_restored(jit: bool) -> None:
    args = (np.linspace(0.5, 1.5, 6), np.array([2, 2, 0, 5]), 4)
    by_itself = rg.grad(programs.in_place, jit=jit)
    assert row(by_itself.residuals(*args), "u").answer == "restore"
    asked = rg.grad(programs.in_place, store="u", jit=jit)
    table = asked.residuals(*args)
    assert row(table, "u").answer == "store" and table.total == 4 * 6 * 8
    assert np.allclose(asked(*args), by_itself(*args), rtol=1e-13, atol=0)
    with pytest.raises(Unsupported, match="recompute names 'u'"):
        rg.grad(programs.in_place, recompute="u", jit=jit)(*args)


def test_what_cannot_be_computed_again() -> None:
    for function, name, args, why in (
            (programs.power_loop, "x", ARGS, "an iteration of the loop starts with it"),
            (programs.draws, "noise", (0.3, np.random.default_rng(0), 3), "drawn"),
            (programs.branchy, "c", (0.3, 3), "a branch decides what it is")):
        with pytest.raises(Unsupported, match=why) as refusal:
            rg.grad(function, recompute=name)(*args)
        assert refusal.value.span is not None and f"{name!r}" in refusal.value.remedy
        assert refusal.value.span.file == programs.__file__


def test_names_that_no_residual_has() -> None:
    for option in ("store", "recompute"):
        for name in ("fats", "y", "n"):
            with pytest.raises(ValueError, match=f"{option} names '{name}'.*slow, fast"):
                rg.grad(programs.power_loop, **{option: name})(*ARGS)
    with pytest.raises(ValueError, match="it reads none"):
        rg.grad(programs.linear, store="x")(0.5, 3)


def test_options_are_checked() -> None:
    with pytest.raises(ValueError, match="'a' is in recompute and in store"):
        rg.grad(programs.power_loop, store=("b", "a"), recompute="a")
    with pytest.raises(ValueError, match="store names 'a' twice"):
        rg.grad(programs.power_loop, store=("a", "a"))
    with pytest.raises(TypeError, match="recompute must be the name of a variable"):
        rg.grad(programs.power_loop, recompute=3)
    for wrong in (True, "1GB"):
        with pytest.raises(TypeError, match="max_memory must be a number of bytes"):
            rg.grad(programs.power_loop, max_memory=wrong)
    for wrong in (-1, float("nan")):
        with pytest.raises(ValueError, match="max_memory"):
            rg.grad(programs.power_loop, max_memory=wrong)


def test_options_are_part_of_pickles_and_of_stored_programs() -> None:
    g = rg.grad(programs.power_loop, recompute="slow", max_memory=100.0)
    again = pickle.loads(pickle.dumps(g))
    assert again.residuals(*ARGS) == g.residuals(*ARGS) and again.options == g.options
    assert copy.copy(g) is g
    g(*ARGS)
    assert rg.grad(programs.power_loop).residuals(*ARGS).total == 64
    code = ("import retrograd as rg, sys\nfrom api import residual_programs as p\n"
            "g = rg.grad(p.power_loop, recompute='slow', max_memory=100.0)\n"
            f"g{ARGS}\nassert 'retrograd.pipeline' not in sys.modules\n"
            f"print(g.residuals{ARGS}.total)\n"
            "try:\n    g(0.3, 0.7, 100)\nexcept rg.Unsupported as refusal:\n"
            "    print(refusal.reason)\n")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          cwd=Path(__file__).parent.parent, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "32" and "800 bytes" in done.stdout


# --- max_memory= ----------------------------------------------------------------------------------


@MODES
def test_max_memory(jit: bool) -> None:
    g = rg.grad(programs.rows, max_memory=2 * 5 * 8 * 10, jit=jit)
    small, large = np.linspace(0.2, 0.9, 5), np.linspace(0.2, 0.9, 6)
    expected = rg.grad(programs.rows, jit=jit)(small, 10)
    for _ in range(2):                                   # first calls, and calls of the fast entry
        assert np.array_equal(g(small, 10), expected)
        for args in ((small, 11), (large, 10)):
            with pytest.raises(Unsupported, match=r"the residuals need [0-9,]+ bytes") as refusal:
                g(*args)
            assert refusal.value.span is not None and "checkpointed" in refusal.value.remedy
    with pytest.raises(Unsupported, match="880 bytes"):
        rg.grad(programs.rows, max_memory=0, jit=jit)(small, 11)


@MODES
def test_max_memory_of_vjp_and_out(jit: bool) -> None:
    a = np.linspace(0.2, 0.9, 5)
    _, pullback = rg.vjp(programs.rows, a, 3, argnums=0, max_memory=240, jit=jit)
    assert np.allclose(pullback(1.0), rg.grad(programs.rows)(a, 3), rtol=1e-12)
    with pytest.raises(Unsupported, match="max_memory=240"):
        rg.vjp(programs.rows, a, 4, argnums=0, max_memory=240, jit=jit)
    g, out = rg.value_and_grad(programs.rows, max_memory=240, jit=jit), np.empty(5)
    g(a, 3, out=out)
    with pytest.raises(Unsupported, match="max_memory=240"):
        g(a, 4, out=out)
    f = rg.differentiable(programs.rows, max_memory=0, jit=jit)
    assert f(a, 4) == pytest.approx(programs.rows(a, 4))          # the value alone stores nothing
    with pytest.raises(Unsupported, match="max_memory=0"):
        f.grad(a, 4)


def test_max_memory_where_nothing_is_known() -> None:
    with pytest.raises(Unsupported, match="max_memory cannot be kept") as refusal:
        rg.grad(programs.until, max_memory=1e9)(1.5, 0.1)
    assert refusal.value.span is not None and refusal.value.span.text.startswith("while")
    assert rg.grad(programs.linear, max_memory=0)(0.5, 10) == 1024


def test_parameters_may_be_called_as_functions_are() -> None:
    def f(max: Any, int: Any, min: Any) -> Any:
        for _ in range(int):
            max = max * max * min
        return max

    g = rg.grad(f, max_memory=100)
    assert g(1.5, 2, 0.5) == rg.grad(f)(1.5, 2, 0.5) == g(1.5, 2, 0.5)
    with pytest.raises(Unsupported, match="800 bytes"):
        g(1.5, 100, 0.5)
