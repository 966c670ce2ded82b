"""Helpers that change what they are given, and programs that change their arguments."""

from __future__ import annotations

import numpy as np

from corpus.entry import in_place, normal, positive, weighed

X, M = normal(5), normal(4, 4)


def scale(A, s):
    A *= s


def smooth(u, out):
    out[1:-1] = 0.5 * (u[:-2] + u[2:])
    out[0] = u[0]
    out[-1] = u[-1]


def add_row_sums(A, s):
    for i in range(A.shape[0]):
        s[i] += np.sum(A[i])
        A[i, 0] = s[i]


def first_below(A, limit):
    """Writes, and returns early."""
    for i in range(len(A)):
        if A[i] < limit:
            A[i] = limit * A[i]
            return i
    A[0] = limit
    return 0


def with_default(u, w=None, strength=0.5):
    if w is None:
        w = np.ones_like(u)
    u += strength * w
    return u


@in_place((X, 1.5))
def argument_changed(x, a):
    x[1:] *= a
    x[0] = x[1] * x[2]
    return np.sum(x * x)


@in_place((M, 2), argnums=(0,))
def matrix_argument_changed_in_loops(A, n):
    for t in range(n):
        for i in range(1, 4):
            for j in range(4):
                A[i, j] = np.sin(A[i - 1, j]) + A[i, j]
    return weighed(A)


@in_place((X, X[::-1].copy(), 0.1))
def two_arguments_changed(x, y, a):
    x += a * y
    y *= x
    x[2] = y[3]
    return x, y


@in_place((X, 1.5))
def helper_returns_nothing(x, a):
    y = x.copy()
    scale(y, a)
    scale(y[1:3], y[0])
    return y


@in_place((X, 3), argnums=(0,))
def helper_writes_into_out(x, n):
    u, w = x.copy(), np.zeros(5)
    for t in range(n):
        smooth(u, w)
        smooth(w, u)
        u *= np.cos(w)
    return u


@in_place((M, normal(4)))
def helper_changes_two_arrays(A, s):
    A, s = A.copy(), s.copy()
    add_row_sums(A, s)
    add_row_sums(A[1:], s[:3])
    return weighed(A * A) + weighed(s)


@in_place((X, -0.2), (X, -9.0))
def helper_returns_early(x, limit):
    y = x.copy()
    i = first_below(y, limit)
    y[i - 1] *= 2.0
    return y


@in_place((X, X + 1.0))
def helper_with_defaults(x, w):
    y = with_default(x.copy())
    z = with_default(y, w, strength=2.0)
    z[0] = y[1] * z[2]
    return weighed(y) + weighed(z)


@in_place((X,))
def argument_given_to_a_helper(x):
    scale(x, x[0])
    return weighed(x * x)


@in_place((X, 3), argnums=(0,))
def closure_changes_outer_array(x, n):
    y = x.copy()
    trace = np.zeros(3)

    def step(t):
        y[t] = y[t + 1] * 2.0
        trace[t] = np.sum(y)

    for t in range(n):
        step(t)
    return weighed(trace) * weighed(y)


@in_place((X,))
def array_returned_by_a_helper_is_changed(x):
    def doubled(v):
        w = 2.0 * v
        w[0] = v[1]
        return w

    y = doubled(x)
    z = doubled(y)
    y[1] = z[0] * z[2]
    return weighed(y) + weighed(z)


@in_place((X,))
def view_returned_by_a_helper_is_changed(x):
    def inside(v):
        return v[1:-1]

    y = x.copy()
    inside(y)[0] = y[0] ** 2
    inner = inside(inside(y))
    inner += y[3]
    return y


class Grid:
    """A small class as scientists write them: parameters outside, arrays inside."""

    def __init__(self, k):
        self.k = k

    def step(self, u):
        u[1:-1] += self.k * (u[2:] - 2 * u[1:-1] + u[:-2]) * u[1:-1]


GRID = Grid(0.3)


@in_place((X, 3), argnums=(0,))
def method_changes_its_argument(u, n):
    u = u.copy()
    for t in range(n):
        GRID.step(u)
    return weighed(u)


@in_place((positive(4), positive(4, seed=1), 0.4))
def arrays_in_a_tuple(p, q, a):
    state = (p.copy(), q.copy())
    for t in range(3):
        state[0][t] += a * state[1][t + 1]
        state[1][1:] *= state[0][:-1]
    return weighed(state[0]) * weighed(state[1])


@in_place((positive(4), 0.4))
def arrays_in_a_dictionary(p, a):
    fields = {"p": p.copy(), "flux": np.zeros(4)}
    for t in range(3):
        fields["flux"][1:] = fields["p"][1:] - fields["p"][:-1]
        fields["p"] -= a * fields["flux"] * fields["p"]
    return weighed(fields["p"])


@in_place((X,))
def sorted_by_insertion(x):
    def insert(v, k):
        key = v[k]
        while k > 0 and v[k - 1] > key:
            v[k] = v[k - 1]
            k -= 1
        v[k] = key

    y = x.copy()
    for k in range(1, len(y)):
        insert(y, k)
    return y


@in_place((X, 0.5), (X[:1], 0.5))
def same_array_twice_in_a_helper(x, a):
    def blend(u, v, s):
        u[:] = s * u + (1 - s) * v * v

    y = x.copy()
    blend(y, y, a)
    blend(y[:1], y[-1:], a)
    return y
