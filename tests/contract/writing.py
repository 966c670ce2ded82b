"""Functions that write into their arguments, as the tests of the contract take them."""
# ruff: noqa: B007, B008

import numpy as np

FACTORS = np.array([1.0, 2.0, 3.0, 4.0])


def whole(x, a):
    x *= a
    x[0] = x[1] * x[2]
    return np.sum(x * x)


def kernel(u, out):
    out[1:-1] = 0.5 * (u[:-2] + u[2:])
    out[0] = u[0] * u[1]
    out[-1] = u[-1]


def rows(A, s):
    for i in range(A.shape[0]):
        s[i] += np.sum(A[i])
        A[i, 0] = s[i] * A[i, 1]
    return s[0], A[0]


def early(x, limit):
    for i in range(len(x)):
        x[i] = 3.0 * x[i] * x[i]
        if x[i] > limit:
            return i
    x[0] = limit
    return -1


def branch(x, c):
    if c > 0:
        x[0] = c * x[1]
        return np.sum(x)
    x[2] = 7.0 * x[1]
    return x[0]


def helper(x, a):
    part = x[1:]
    whole(part, a)
    return part[0]


def rebound(x, a):
    x[0] = a
    x = x * 2.0
    x[1] = a
    return np.sum(x)


def complex_elements(z, w):
    z[0] = z[1] * w
    z[1:] += w


def any_number(a, *arrays, last):
    arrays[0][:] = a * a
    last += arrays[1] * a


def by_default(a, w=np.ones(3)):
    w *= a
    return np.sum(w)


def by_captured(x, a):
    x *= FACTORS
    return a * np.sum(x)


def into_captured(a):
    FACTORS[0] = a
    return a


def one_of_two(x, y, c):
    z = x if c else y
    z[0] = 5.0 * z[1]
    return np.sum(x) + np.sum(y) if c else z[0]


def swapped(u, w, steps):
    for t in range(steps):
        w[:] = u * u
        u, w = w, u
    return np.sum(u)


def raising(x, a):
    x[0] = a
    if a > 1:
        raise ValueError("too large")
    return np.sum(x)


def only_reads(x, y):
    return np.sum(x * y)


def ravel_of_a_view(x):
    part = np.ravel(x[::2])
    part[0] = 5.0
    return np.sum(x)


def ravel_read_afterwards(x):
    part = x[::2].ravel()
    x[0] = 5.0
    return np.sum(part * part)


def ravel(x):
    flat = x.ravel()
    flat[0] = 5.0 * flat[1]
    return np.sum(x)


def bound_in_a_loop(x, n):
    for i in range(n):
        y = x
    y[0] = 5.0 * y[1]
    return np.sum(y)


def rotated(a, b, c, n):
    """At the end of an iteration `a` is what `b` was."""
    for i in range(n):
        a, b, c = b, c, a
    a[0] = 5.0 * b[1]
    return a[0]


def swapped_with_captured(u, n):
    w = FACTORS
    for i in range(n):
        u, w = w, u
    u[0] = 1.0
    return np.sum(u)


def bound_in_a_branch(x, y, c):
    z = np.zeros(4)
    if c > 0:
        z = x[1:]
    elif c < -1:
        z = y
    z[0] = 5.0
    return np.sum(z)


def in_a_container(x, y):
    pair = (x, y)
    for part in pair:
        part *= 2.0
    return pair[0][0]


def as_rows(A):
    for row in A:
        row *= A[0, 1]
    return A[0, 0]


def by_closure(x):
    def put(i):
        x[i] = 2.0 * x[i + 1]
    put(0)
    put(1)
