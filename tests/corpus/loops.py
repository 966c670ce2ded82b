"""`for` loops: every kind of range, arrays, enumerate, zip, nested and triangular."""

from __future__ import annotations

import numpy as np

from corpus.entry import normal, program


@program((normal(5),), (normal(0),), (normal(1),))
def sum_of_squares(x):
    total = 0.0
    for i in range(len(x)):
        total += x[i] * x[i]
    return total


@program((normal(5),))
def product_of_elements(x):
    p = 1.0
    for value in x:
        p *= value + 2.0
    return p


@program((0.4, 3.5),)
def logistic_map(x, r):
    for _ in range(20):
        x = r * x * (1 - x)
    return x


@program((0.9, 0), (0.9, 1), (0.9, 7))
def power_by_loop(x, n):
    y = 1.0
    for _ in range(n):
        y = y * x
    return y


@program((normal(6),))
def backwards(x):
    y = 0.0
    for i in range(len(x) - 1, -1, -1):
        y = y * 0.5 + np.sin(x[i])
    return y


@program((normal(9),))
def steps(x):
    y = 1.0
    for i in range(1, len(x), 3):
        y = y * x[i] + x[i - 1]
    for i in range(8, 0, -2):
        y += x[i] * y
    return y


@program((normal(4),))
def enumerated(x):
    total = 0.0
    for i, value in enumerate(x):
        total += (i + 1) * value**2
    return total


@program((normal(4), normal(4, seed=1)))
def zipped(x, y):
    total = 0.0
    for a, b in zip(x, y):
        total += a * b * total + a
    return total


@program((normal(3, 4),))
def rows(A):
    total = 0.0
    for row in A:
        total += np.sum(row * row) * row[0]
    return total


@program((normal(3, 4),))
def nested(A):
    total = 0.0
    for i in range(A.shape[0]):
        line = 1.0
        for j in range(A.shape[1]):
            line = line * 0.7 + A[i, j]
        total += line * line
    return total


@program((normal(5),))
def triangular(x):
    total = 0.0
    for i in range(len(x)):
        for j in range(i):
            total += x[i] * x[j] ** 2
    return total


@program((0.5, 4))
def three_deep(x, n):
    y = x
    for i in range(n):
        for j in range(i, n):
            for k in range(0, j, 2):
                y = np.sin(y + x * k) + i
    return y


@program((0.7,))
def index_in_arithmetic(x):
    total = 0.0
    for k in range(1, 8):
        total += np.sin(k * x) / k + x**k
    return total


@program((0.3, 1.2),)
def two_carried_values(a, b):
    for _ in range(6):
        a, b = a + 0.1 * b, b - 0.1 * np.sin(a)
    return a * b


@program((1.0, 2.0, 5))
def swapped(a, b, n):
    for _ in range(n):
        a, b = b, a * 0.5
    return a * a + b


@program((normal(4),))
def static_tuple_of_numbers(x):
    total = 0.0
    for weight in (0.5, 1.0, -2.0):
        total += weight * np.sum(x**2) * total + weight
    return total * x[0]


@program((0.6,))
def static_list_of_functions(x):
    for f in [np.sin, np.exp, np.tanh]:
        x = f(x)
    return x


@program((normal(3, 3), normal(3)))
def array_carried(A, x):
    for _ in range(4):
        x = np.tanh(A @ x)
    return x


@program((normal(6), 0.5))
def moving_average(x, a):
    y = x[0]
    total = 0.0
    for i in range(1, len(x)):
        y = a * y + (1 - a) * x[i]
        total += y * y
    return total


@program((normal(5),))
def loop_variable_afterwards(x):
    total = 0.0
    for i in range(5):
        total += x[i] ** 2
    return total * i + x[i]


@program((normal(4),))
def running_maximum(x):
    largest = x[0]
    for i in range(1, 4):
        largest = max(largest, x[i])
    return largest * largest


@program((normal(4), normal(3)))
def sequential_loops(x, y):
    a = 0.0
    for i in range(4):
        a += x[i] ** 2
    b = 1.0
    for j in range(3):
        b *= np.cos(y[j] * a)
    return a * b


@program((normal(5, 2),))
def pairwise_distances(P):
    energy = 0.0
    for i in range(P.shape[0]):
        for j in range(i + 1, P.shape[0]):
            d = P[i] - P[j]
            energy += 1 / np.sqrt(np.sum(d * d) + 0.1)
    return energy


@program((0.2, 3), (0.2, -2))
def range_from_arguments(x, n):
    y = x
    for i in range(-n, n):
        y = y + np.cos(i * x)
    return y


@program((normal(9), 9), (normal(9), 0))
def steps_that_the_program_computes(x, n):
    total = 1.0
    step = 1
    while step < n:
        for start in range(0, n, 2 * step):
            total += np.sin(x[start]) * step
        for k in range(n - 1, 0, -step):
            total *= 1 + 0.1 * x[k]
        step += 2
    return total
