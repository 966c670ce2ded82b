"""No program needs a copy of a whole array inside a loop: neither its gradient as it is read nor
as it is compiled. The copies that users write themselves do not count."""

from __future__ import annotations

import pytest

from corpus.entry import sampled
from corpus.test_corpus import ENTRIES
from retrograd import pipeline
from retrograd.errors import Unsupported
from retrograd.ir.nodes import Function
from retrograd.optimise.storage import Storage, plan_storage
from test_pipeline import Recorded, derived

IN_PLACE = [name for name, entry in ENTRIES.items() if entry.writes]


@pytest.mark.parametrize("name", sampled(ENTRIES, IN_PLACE))
def test_no_hidden_copies(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        request = derived(ENTRIES[name], Recorded(monkeypatch))
    except Unsupported:
        pytest.skip("refused")            # judged by the corpus itself
    plans: list[Storage] = []

    def recording(function: Function) -> Storage:
        plans.append(plan_storage(function))
        return plans[-1]

    monkeypatch.setattr("retrograd.backend.emit.plan_storage", recording)
    for unit in pipeline.derive(request).units:
        unit.lowered()
    assert plans
    assert [copy for plan in plans for copy in plan.hidden] == []
