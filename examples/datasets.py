"""The two data sets in `examples/data` (see the README there for their origin)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

DATA = Path(__file__).parent / "data"


def breast_cancer() -> tuple[np.ndarray, np.ndarray]:
    """Measurements (569, 30) and classes (569,): 0 malignant, 1 benign."""
    table = np.loadtxt(DATA / "breast_cancer.csv", delimiter=",", skiprows=1)
    return table[:, :-1], table[:, -1]


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Pixels (1797, 64) in 0..16 and the digits (1797,) as ints."""
    table = np.loadtxt(DATA / "digits.csv.gz", delimiter=",")
    return table[:, :-1], table[:, -1].astype(np.int64)


def split(
    X: np.ndarray, y: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Four fifths to learn from and one fifth held out, shuffled."""
    order = np.random.default_rng(seed).permutation(len(y))
    held_out, learn = order[: len(y) // 5], order[len(y) // 5 :]
    return X[learn], y[learn], X[held_out], y[held_out]
