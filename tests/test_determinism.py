"""The same input gives the same bytes, whatever the order of sets and dicts of hashes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parent
SEEDS = ("1", "424242")
EVERY = 12                       # one program of the corpus in this many
SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
import retrograd as rg
from corpus.test_corpus import ENTRIES
from generator.checking import load
from generator.generate import generate
from oracle import float_arguments
from test_determinism import EVERY

def show(name, function, args, argnums):
    gradient = rg.value_and_grad(function, argnums=argnums)
    try:
        print("#", name, gradient.source(*args), gradient.source("compiled", *args), sep="\\n")
    except (rg.Unsupported, TypeError) as refusal:
        print("#", name, refusal)

for name in sorted(ENTRIES)[::EVERY]:
    entry = ENTRIES[name]
    args = entry.arguments[0]
    show(name, entry.function, args, entry.argnums or float_arguments(args))
for seed in range(8):
    source, args = generate(seed)
    show(f"generated {seed}", load(source, f"<generated {seed}>"), args, float_arguments(args))
"""


def start(seed: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONWARNINGS": "ignore"}
    return subprocess.Popen([sys.executable, "-c", SCRIPT, str(TESTS)], env=environment,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_hash_seeds_give_the_same_source() -> None:
    outputs = []
    for process in [start(seed) for seed in SEEDS]:
        out, error = process.communicate(timeout=300)
        assert process.returncode == 0, error
        outputs.append(out)
    first, second = outputs
    assert first.count("def ") > 60 and first.count("numba.njit") > 25
    for one, other in zip(first.split("\n# "), second.split("\n# "), strict=True):
        assert one == other
