"""Algorithms on arrays in place, as they are found in the wild."""

from __future__ import annotations

import numpy as np

from corpus.entry import in_place, normal


@in_place((0.3 * normal(5, 5), 0.05, 7))
def game(board, rate, steps):
    """Two fields that are exchanged in most steps."""
    a, b = board.copy(), np.zeros_like(board)
    for s in range(steps):
        around = a[:-2, 1:-1] + a[2:, 1:-1] + a[1:-1, :-2] + a[1:-1, 2:]
        b[1:-1, 1:-1] = a[1:-1, 1:-1] + rate * (around - 4 * a[1:-1, 1:-1]) ** 3
        b[0] = a[1]
        b[-1, :] = a[-2]
        if s % 3 == 1:
            b[:, 0] *= -1.0
            continue
        a, b = b, a
    return np.sum(a * a) + np.sum(b * 0.1)


@in_place((0.2 * normal(4), 4 + normal(5), 0.2 * normal(4, seed=1), normal(5, seed=1)))
def thomas(lower, diag, upper, rhs):
    n = diag.size
    c, d, b = upper.copy(), rhs.copy(), diag.copy()
    for i in range(1, n):
        w = lower[i - 1] / b[i - 1]
        b[i] -= w * c[i - 1]
        d[i] -= w * d[i - 1]
    x = np.empty(n)
    x[-1] = d[-1] / b[-1]
    for i in range(n - 2, -1, -1):
        x[i] = (d[i] - c[i] * x[i + 1]) / b[i]
    return np.sum(x * np.arange(n))


@in_place((np.array([0.1, 0.5, 0.9, 1.4, 0.3]), np.array([0.0, 0.4, 0.8, 1.6]),
           np.array([1.0, 2.0, 1.0, 3.0, 2.0])), argnums=(0, 2))
def histogram(x, edges, w):
    counts = np.zeros(len(edges) - 1)
    for v, wt in zip(x, w):  # noqa: B905
        for k in range(len(counts)):
            if edges[k] <= v < edges[k + 1]:
                counts[k] += wt * (v - edges[k])
                break
    counts /= np.sum(counts)
    return np.sum(counts ** 2)


@in_place((normal(8),))
def fft_like(x):
    y = x.copy()
    n = y.size
    step = 1
    while step < n:
        for start in range(0, n, 2 * step):
            for k in range(start, start + step):
                t = y[k + step] * np.cos(0.3 * k)
                y[k + step] = y[k] - t
                y[k] = y[k] + t * y[k]
        step *= 2
    return np.sum(y * np.arange(n))


@in_place((normal(6),))
def bubble(x):
    y = x.copy()
    n = len(y)
    for i in range(n):
        for j in range(n - 1 - i):
            if y[j] > y[j + 1]:
                y[j], y[j + 1] = y[j + 1], y[j]
    return np.sum(y * np.arange(n) ** 2)


@in_place((normal(3), 11))
def ring(x, n):
    buf = np.zeros(4)
    out = 0.0
    for t in range(n):
        buf[t % 4] = np.sin(x[t % len(x)]) + 0.5 * buf[(t - 1) % 4]
        out += buf[t % 4] * buf[(t + 1) % 4]
    return out


@in_place((3 * normal(3, 4), 0.5), argnums=(0,))
def nested(A, tol):
    B = A.copy()
    count = 0
    while np.max(np.abs(B)) > tol:
        for i in range(B.shape[0]):
            row = B[i]
            for j in range(1, row.size):
                row[j] -= 0.3 * row[j - 1]
                if row[j] < -2:
                    row[j] = -2.0
                    break
            row *= 0.7
        count += 1
        if count > 5:
            break
    return np.sum(B ** 2) + B[0, 0] * count


def helper(dst, src, k):
    dst[k:] = src[:len(src) - k] * dst[k:]
    return dst


@in_place((normal(6),))
def through(x):
    a = x.copy()
    v = a[1:]
    helper(v, a[:-1], 1)
    w = v[::-1]
    w[0] += a[2] * w[1]
    np.multiply(v, w, out=w)
    return np.sum(a * np.arange(a.size) ** 2) + v[0] * w[-1]
