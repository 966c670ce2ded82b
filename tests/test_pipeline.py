"""Every stage of the compiler on every program of the corpus: each result is a program, and it
means what the one before it meant; the readable source does what the IR says."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import truth
from corpus.entry import Entry, sampled
from corpus.test_corpus import ENTRIES
from frontend.tracing import leaves, request_for, settled
from oracle import float_arguments, is_number
from retrograd import pipeline
from retrograd.backend.emit import emit
from retrograd.errors import Unsupported
from retrograd.frontend.trace import Traced
from retrograd.ir.interpret import interpret
from retrograd.ir.nodes import Function
from retrograd.ir.verify import verify
from retrograd.program import VALUE_AND_GRAD, VJP, Request
from retrograd.trees import Leaf, Node

Stage = Callable[[Function], Function]


class Recorded:
    """The functions that a derivation gave to the whole optimiser, before anything was done."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.functions: list[Function] = []
        self.traced: list[Traced] = []
        real, trace = pipeline.optimised, pipeline.trace

        def optimised(function: Function, *stages: Any) -> Function:
            if not stages and function.params[:len(self.params)] == self.params:
                self.functions.append(function)
            return real(function, *stages)

        def tracing(request: Request, order: int) -> Traced:
            self.traced.append(trace(request, order))
            self.params = self.traced[-1].function.params
            return self.traced[-1]

        monkeypatch.setattr(pipeline, "optimised", optimised)
        monkeypatch.setattr(pipeline, "trace", tracing)


def derived(entry: Entry, recorded: Recorded) -> Request:
    """Derive the entry's gradient for its first arguments."""
    args = entry.arguments[0]
    argnums = entry.argnums if entry.argnums is not None else float_arguments(args)
    with np.errstate(all="ignore"):
        value = entry.function(*map(truth.fresh, args))
    real = is_number(value) and np.asarray(value).dtype.kind != "c"
    product = VALUE_AND_GRAD if real else VJP
    request = request_for(entry.function, args, product, argnums)
    return settled(request, args, pipeline.derive)[0]


def arguments(entry: Entry, request: Request, function: Function, traced: Traced,
              ) -> Iterator[list[Any]]:
    """The leaves of each set of arguments of the same types, then random output adjoints."""
    rng = np.random.default_rng(3)
    for args in entry.arguments:
        argnums = entry.argnums if entry.argnums is not None else float_arguments(args)
        if request_for(entry.function, args, request.product, argnums).params != request.params:
            continue
        found = leaves(request, [truth.fresh(a) for a in args], traced.captures)
        outputs = interpret(traced.function, found)
        seeds = function.params[len(found):]
        shapes = [np.shape(o) for o in outputs if np.asarray(o).dtype.kind in "fc"]
        yield found + [rng.standard_normal(s).astype(p.type.dtype) if s
                       else np.dtype(p.type.dtype).type(rng.standard_normal())
                       for p, s in zip(seeds, shapes, strict=False)]


def outcome(function: Function, args: list[Any]) -> Any:
    try:
        return interpret(function, args)
    except Exception as error:            # what the program raises is part of what it means
        return error


def only_up_to_rounding(stage: Stage) -> bool:
    """Whether the pass says of itself that it changes the order of sums."""
    text = (sys.modules[stage.__module__].__doc__ or "").lower()
    return "exact up to rounding" in " ".join(text.split())


def assert_same(found: Any, expected: Any, place: str, exact: bool) -> None:
    if isinstance(expected, Exception):
        assert type(found) is type(expected), f"{place}: {found!r} instead of {expected!r}"
        assert str(found) == str(expected), place
        return
    assert not isinstance(found, Exception), f"{place}: {found!r}"
    for a, b in zip(found, expected, strict=True):
        assert np.asarray(a).dtype == np.asarray(b).dtype, place
        if exact:
            np.testing.assert_array_equal(a, b, err_msg=place)
        else:
            assert_close(a, b, place)


def assert_close(a: Any, b: Any, place: str) -> None:
    single = np.asarray(b).dtype in (np.float32, np.complex64)
    np.testing.assert_allclose(a, b, rtol=1e-5 if single else 1e-12,
                               atol=1e-6 if single else 1e-12, err_msg=place)


@pytest.mark.parametrize("name", sampled(ENTRIES, ENTRIES))
def test_every_stage_keeps_the_meaning(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = Recorded(monkeypatch)
    if name == "helpers-variable_arguments":
        pytest.skip("the interface spreads *args, the compiler has no parameter to differentiate")
    try:
        request = derived(ENTRIES[name], recorded)
    except Unsupported:
        pytest.skip("refused")            # judged by the corpus itself
    traced = recorded.traced[-1]
    verify(traced.function)
    for function in recorded.functions:
        verify(function)
        samples = list(arguments(ENTRIES[name], request, function, traced))
        assert samples
        function = after_stages(name, function, pipeline.OPTIMISATIONS, samples)
        cut = after_stages(name, function, pipeline.OPTIMISATIONS_TO_LOWER, samples)
        after_stages(name, pipeline.lower(cut), pipeline.LOWERED_OPTIMISATIONS, samples)
        expected = [outcome(function, s) for s in samples]
        for stage in pipeline.READABLE_OPTIMISATIONS:
            function = verify(stage(function))
        source_does_the_same(function, samples, expected)


def after_stages(name: str, function: Function, stages: tuple[Stage, ...],
                 samples: list[list[Any]]) -> Function:
    """The function after all stages; each keeps its meaning."""
    for stage in stages:
        expected = [outcome(function, s) for s in samples]
        function = verify(stage(function))
        for sample, before in zip(samples, expected, strict=True):
            assert_same(outcome(function, sample), before, f"{name} after {stage.__name__}",
                        not only_up_to_rounding(stage))
    return function


def source_does_the_same(function: Function, samples: list[list[Any]], expected: list[Any],
                         ) -> None:
    """The readable source of the IR, executed, gives what the interpreter gives."""
    flat = Node("tuple", tuple(Leaf(k) for k in range(len(function.returns))))
    emitted = emit(function, "readable", flat)
    space: dict[str, Any] = {}
    exec(compile(emitted.source, "<emitted>", "exec"), space)
    for sample, before in zip(samples, expected, strict=True):
        given = [a.copy() if isinstance(a, np.ndarray) else np.dtype(p.type.dtype).type(a)
                 for a, p in zip(sample, function.params, strict=True)]
        with np.errstate(all="ignore"):
            try:
                found = space[emitted.name](*given)
            except Exception as error:    # compared with what the interpreter raises
                found = error
        if isinstance(before, Exception):
            assert type(found) is type(before), emitted.source
            assert str(found) == str(before), emitted.source
            continue
        assert not isinstance(found, Exception), f"{found!r}\n{emitted.source}"
        for a, b in zip(found, before, strict=True):
            assert_close(a, b, emitted.source)
