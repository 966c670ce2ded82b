"""Sequences: states that are rows of an array, dynamic programs, lists that grow."""

from __future__ import annotations

import numpy as np

from corpus.entry import in_place, normal, positive, weighed


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


@in_place((normal(4, 2), normal(4, 8), normal(8)))
def lstm(xs, W, b):
    """Hidden states and cells are rows of arrays; the gates are parts of one product."""
    steps = xs.shape[0]
    h = np.zeros((steps + 1, 2))
    c = np.zeros((steps + 1, 2))
    for t in range(steps):
        z = np.concatenate((xs[t], h[t])) @ W + b
        i, f, g, o = z[:2], z[2:4], z[4:6], z[6:]
        c[t + 1] = sigmoid(f) * c[t] + sigmoid(i) * np.tanh(g)
        h[t + 1] = sigmoid(o) * np.tanh(c[t + 1])
    return h[1:]


@in_place((normal(3, 2), 0.5 * normal(2, 2), 0.5 * normal(2, 2, seed=1), normal(2)))
def gated_unit(xs, U, V, h):
    h = h.copy()
    out = np.empty((len(xs), 2))
    for t, x in enumerate(xs):
        gate = sigmoid(x @ U + h @ V)
        h *= gate
        h += (1 - gate) * np.tanh(x + h)
        out[t] = h
    return weighed(out)


def soft_minimum(a, b, c, gamma):
    low = min(a, min(b, c))
    return low - gamma * np.log(np.exp((low - a) / gamma) + np.exp((low - b) / gamma)
                                + np.exp((low - c) / gamma))


@in_place((normal(3), normal(4), 0.5))
def soft_dynamic_time_warping(x, y, gamma):
    R = np.full((len(x) + 1, len(y) + 1), 1e6)
    R[0, 0] = 0.0
    for i in range(1, len(x) + 1):
        for j in range(1, len(y) + 1):
            cost = (x[i - 1] - y[j - 1]) ** 2
            R[i, j] = cost + soft_minimum(R[i - 1, j - 1], R[i - 1, j], R[i, j - 1], gamma)
    return R[len(x), len(y)]


@in_place((normal(3), normal(4)))
def edit_distance(x, y):
    D = np.zeros((len(x) + 1, len(y) + 1))
    for i in range(len(x)):
        D[i + 1, 0] = D[i, 0] + abs(x[i])
    for j in range(len(y)):
        D[0, j + 1] = D[0, j] + abs(y[j])
    for i in range(len(x)):
        for j in range(len(y)):
            D[i + 1, j + 1] = min(D[i, j] + abs(x[i] - y[j]), D[i, j + 1] + abs(x[i]),
                                  D[i + 1, j] + abs(y[j]))
    return D[-1, -1] + weighed(D)


@in_place((normal(3, 3), normal(3), normal(4, 3)))
def forward_algorithm(T, start, emission):
    alpha = np.zeros((4, 3))
    alpha[0] = start + emission[0]
    for t in range(1, 4):
        for k in range(3):
            alpha[t, k] = emission[t, k] + np.log(np.sum(np.exp(alpha[t - 1] + T[:, k])))
    return np.log(np.sum(np.exp(alpha[-1])))


@in_place((normal(3, 3), normal(4, 3)))
def viterbi_with_traceback(T, emission):
    """The best path is found with integers, its score is read again afterwards."""
    n, k = emission.shape
    score = np.zeros((n, k))
    back = np.zeros((n, k), dtype=np.int64)
    score[0] = emission[0]
    for t in range(1, n):
        for j in range(k):
            candidates = score[t - 1] + T[:, j]
            back[t, j] = np.argmax(candidates)
            score[t, j] = candidates[back[t, j]] + emission[t, j]
    state = np.argmax(score[n - 1])
    total = score[n - 1, state]
    for t in range(n - 1, 0, -1):
        total += 0.1 * emission[t, state] ** 2
        state = back[t, state]
    return total


@in_place((normal(6), 0.3))
def exponential_smoothing(x, a):
    s = np.empty_like(x)
    s[0] = x[0]
    for t in range(1, len(x)):
        s[t] = a * x[t] + (1 - a) * s[t - 1]
    return np.sum((x[1:] - s[:-1]) ** 2)


@in_place((normal(5), 0.1, 0.2, 0.6))
def garch(r, omega, alpha, beta):
    h = np.empty(len(r))
    h[0] = np.var(r)
    for t in range(1, len(r)):
        h[t] = omega + alpha * r[t - 1] ** 2 + beta * h[t - 1]
    return np.sum(np.log(h) + r**2 / h)


@in_place((0.3, 2.9, 6), argnums=(0, 1))
def list_of_states(x, r, n):
    xs = [x]
    for _ in range(n):
        x = r * x * (1 - x)
        xs.append(x)
    return np.array(xs)


@in_place((normal(4), 0.1, 4), argnums=(0, 1))
def list_of_arrays_stacked(u, h, n):
    path = []
    for t in range(n):
        u = u + h * np.sin(u) * t
        path.append(u)
    return np.stack(path)


@in_place((0.4, 7), (0.4, 1), argnums=(0,))
def list_indexed(x, n):
    """Fibonacci's way: the last two entries make the next."""
    a = [x, x * x]
    for k in range(n):
        a.append(np.sin(a[-1]) + a[k] * 0.5)
    return a[-1] * a[2] + sum(a)


@in_place((normal(4),))
def list_summed(x):
    ys = []
    for value in x:
        ys.append(value**2)
        ys.append(np.exp(value))
    return sum(ys) * ys[3]


@in_place((3.0,), (0.5,))
def list_in_a_while(x):
    halves = [x]
    while halves[-1] > 0.2:
        halves.append(halves[-1] * 0.6 - 0.01 * x)
    total = 0.0
    for k in range(len(halves)):
        total += halves[k] ** 2 * (k + 1)
    return total


@in_place((normal(5),))
def list_filled_in_a_branch(x):
    positive_ones = [0.5]
    for i in range(len(x)):
        if x[i] > 0:
            positive_ones.append(x[i] * positive_ones[-1])
    return np.sum(np.array(positive_ones) ** 2)


@in_place((normal(4), 0.5))
def comprehension_over_range(x, a):
    powers = [a**k for k in range(len(x))]
    return np.sum(np.array(powers) * x)


@in_place((normal(3, 4),))
def comprehension_over_rows(A):
    norms = np.array([np.sqrt(row @ row) for row in A])
    A[:] = A / norms[:, np.newaxis]
    return A


@in_place((normal(4), 3), argnums=(0,))
def list_element_replaced(x, n):
    y = [x[0], x[1], x[2], x[3]]
    for k in range(n):
        y[k] = y[k] * y[k + 1]
    return y[0] * y[1] + y[2] * y[3]


@in_place((normal(3), 3), argnums=(0,))
def list_of_mutated_arrays(u, n):
    """What is appended is a copy; the array itself goes on changing."""
    u = u.copy()
    seen = []
    for k in range(n):
        u *= np.cos(u)
        seen.append(u.copy())
    return weighed(np.stack(seen)) + weighed(u)


@in_place((positive(4), positive(4, seed=1)))
def cumulative_by_stores(p, y):
    """An ordinary differential equation's solution, its running integral, its running maximum."""
    n = len(p)
    integral, largest = np.zeros(n), np.zeros(n)
    integral[0], largest[0] = p[0], y[0]
    for i in range(1, n):
        integral[i] = integral[i - 1] * y[i] + p[i]
        largest[i] = max(largest[i - 1], y[i] * integral[i])
    return integral, largest
