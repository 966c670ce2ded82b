"""Programs that are refused: where two names share memory, one of them is written while the other
is still used, and what they share is known at run time only."""

from __future__ import annotations

import numpy as np

from corpus.entry import in_place, normal, weighed

X = normal(5)


@in_place((X, 1.0), (X, -1.0), argnums=(0,), refused=True)
def one_of_two_views(x, flag):
    w = x.copy()
    saved = w[:3] if flag > 0 else w[1:4]
    w[2] = w[0] * w[4]
    return weighed(saved * saved)


@in_place((X, 1.0), (X, -1.0), argnums=(0,), refused=True)
def bound_to_another_array_in_one_branch(x, flag):
    y = x.copy()
    z = np.zeros(5)
    if flag > 0:
        z = y
    z[1] = y[0] * 2.0
    return weighed(y * z)


@in_place((X, X), refused=True)
def written_and_given_twice(u, v):
    u[1:] += u[:-1] * v[1:]
    return weighed(u * v)


@in_place((X, 3), argnums=(0,), refused=True)
def another_array_in_the_first_iteration(x, n):
    w = x
    for t in range(n):
        w[t] = w[t + 1] * 2.0
        w = np.cos(w)
    return weighed(w * x)
