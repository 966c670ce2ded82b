"""`while` loops: convergence, counters, nesting."""

from __future__ import annotations

import numpy as np

from corpus.entry import normal, program


@program((2.0, 1e-12), (9.0, 1e-12), argnums=(0,), rtol=1e-8)
def babylonian(a, tol):
    x = 0.5 * (1 + a)
    while abs(x * x - a) > tol:
        x = 0.5 * (x + a / x)
    return x


@program((0.5, 5), (0.5, 0))
def counter(x, n):
    i = 0
    while i < n:
        x = np.sin(x) + 0.1 * i
        i += 1
    return x


@program((1.3,), (40.0,), (0.1,))
def halving(x):
    y = 1.0
    while x > 1.0:
        x = x / 2
        y = y * x + 0.5
    return y + x


@program((0.9, 0.3), rtol=1e-7)
def kepler(M, e):
    E = M
    while True:
        step = (E - e * np.sin(E) - M) / (1 - e * np.cos(E))
        E = E - step
        if abs(step) < 1e-13:
            break
    return E


@program((normal(6),))
def over_an_array(x):
    i, total = 0, 0.0
    while i < len(x) and total < 100.0:
        total = total + x[i] ** 2
        i = i + 1
    return total


@program((3.0,), (0.5,))
def nested_whiles(x):
    total = x
    i = 0
    while i < 3:
        j = 0
        while j < i + 1:
            total = np.tanh(total) + x * j
            j += 1
        i += 1
    return total


@program((normal(3), 2.0))
def while_with_array(x, limit):
    y = x
    while np.sum(y * y) < limit:
        y = y * 1.5 + 0.1
    return y


@program((0.7, 0.2),)
def bisection_then_use(x, shift):
    low, high = 0.0, 2.0
    k = 0
    while k < 5:
        middle = (low + high) / 2
        if middle * middle < 2.0:
            low = middle
        else:
            high = middle
        k += 1
    return low * x + high * shift * x


@program((6, 0.8), (7, 0.8))
def collatz(n, x):
    while n != 1:
        if n % 2 == 0:
            n = n // 2
            x = np.sin(x) + 0.1
        else:
            n = 3 * n + 1
            x = x * 0.9
    return x


@program((10, 1.1))
def binary_power(n, x):
    result = 1.0
    while n > 0:
        if n % 2:
            result = result * x
        x = x * x
        n //= 2
    return result
