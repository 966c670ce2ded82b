"""What all tests share: a cache folder of their own, so that no run sees another's code."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite-goldens", action="store_true",
                     help="write the golden files of tests/golden anew")


@pytest.fixture(autouse=True, scope="session")
def private_cache() -> Iterator[None]:
    with tempfile.TemporaryDirectory(prefix="retrograd-tests-") as folder:
        before = os.environ.get("RETROGRAD_CACHE_DIR")
        os.environ["RETROGRAD_CACHE_DIR"] = folder
        yield
        if before is None:
            del os.environ["RETROGRAD_CACHE_DIR"]
        else:
            os.environ["RETROGRAD_CACHE_DIR"] = before
