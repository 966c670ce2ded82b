import pytest

from api.fakes import FakeCompiler


@pytest.fixture
def fake(monkeypatch, tmp_path):
    monkeypatch.setenv("RETROGRAD_CACHE_DIR", str(tmp_path))
    return FakeCompiler().install(monkeypatch)
