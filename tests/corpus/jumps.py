"""break, continue and early return, in loops and out of nested ones."""

from __future__ import annotations

import numpy as np

from corpus.entry import normal, program


@program((normal(8), 1.0), (normal(8), 100.0), (normal(8), -1.0))
def break_at_a_limit(x, limit):
    total = 0.0
    for i in range(len(x)):
        total += x[i] ** 2
        if total > limit:
            break
        total *= 0.9
    return total


@program((normal(8),))
def continue_over_negatives(x):
    total = 0.0
    for value in x:
        if value < 0:
            continue
        total += value**2 * (1 + total)
    return total


@program((normal(6), 0.2), (normal(6), 10.0))
def return_from_loop(x, limit):
    for i in range(len(x)):
        if x[i] > limit:
            return x[i] ** 2 + i
    return np.sum(x)


@program((normal(4, 3), 0.8), (normal(4, 3), 50.0))
def return_from_nested_loops(A, limit):
    total = 0.0
    for i in range(A.shape[0]):
        for j in range(A.shape[1]):
            total += A[i, j] ** 2
            if total > limit:
                return total * A[i, j]
    return total


@program((normal(4, 3),))
def break_inner_only(A):
    total = 0.0
    for row in A:
        part = 0.0
        for value in row:
            if value > 0.5:
                break
            part += value**2
        total += part * row[0]
    return total


@program((0.5,), (2.0,), (-1.0,))
def early_return(x):
    if x < 0:
        return x * x
    y = np.sin(x)
    if y > 0.8:
        return y * x
    return y + x


@program((normal(5),))
def break_and_continue(x):
    y = 1.0
    for i in range(len(x)):
        if x[i] > 1.0:
            break
        if x[i] < -0.5:
            continue
        y = y * (1 + x[i])
    return y


@program((0.5, 10), (0.5, 3))
def while_true(x, n):
    i = 0
    while True:
        x = np.cos(x)
        i += 1
        if i == n:
            break
        if i == 6:
            return x * x
    return x


@program((normal(5), 3), (normal(5), 9))
def for_else(x, k):
    total = 0.0
    for i in range(len(x)):
        if i == k:
            break
        total += x[i]
    else:
        total = total * total
    return total


@program((0.3,), (0.9,))
def return_in_while(x):
    while x < 5:
        x = x * 1.7 + 0.1
        if x > 2:
            return x**2
    return x


@program((normal(6), normal(3)))
def search_subset(x, y):
    best = 0.0
    for j in range(3):
        for i in range(6):
            if x[i] < y[j]:
                continue
            if i > 4:
                break
            best = best + (x[i] - y[j]) ** 2
        best = best * 0.5
    return best


@program((0.2, 0.1, 3.0))
def newton_with_limit(x, a, b):
    for _ in range(50):
        f = x**3 + a * x - b
        if abs(f) < 1e-14:
            return x
        x = x - f / (3 * x**2 + a)
    return x


@program((1.0, 5), (1.0, 0))
def break_first(x, n):
    for _ in range(n):
        break
    else:
        x = x * 2
    return x * x


@program((normal(4),))
def jump_in_all_arms(x):
    total = 0.0
    for i in range(4):
        if x[i] > 0:
            total += x[i]
            continue
        else:
            total -= x[i] ** 2
            if total < -2:
                break
    return total * total


@program((-1.0,), (1.0,))
def nothing_after_return(x):
    if x > 0:
        return x**2
    else:
        return x**3
