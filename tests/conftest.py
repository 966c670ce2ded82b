"""What all tests share: a cache folder of their own, so that no run sees another's code."""

from __future__ import annotations

import os
import tempfile
import zlib
from collections.abc import Iterator

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite-goldens", action="store_true",
                     help="write the golden files of tests/golden anew")
    parser.addoption("--one-in", type=int, default=1,
                     help="run one in so many of the selected tests, always the same ones")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    share = config.getoption("--one-in")
    left_out = [i for i in items if zlib.crc32(i.nodeid.encode()) % share]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [i for i in items if not zlib.crc32(i.nodeid.encode()) % share]


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
