"""Every form of a store, each in a small program that a wrong adjoint does not survive."""

from __future__ import annotations

import numpy as np

from corpus.entry import in_place, normal, positive, weighed

X, M = normal(5), normal(4, 4)
TWICE = np.array([1, 3, 1, 1])
ONCE = np.array([3, 0, 4])


@in_place((X, 2.0))
def element_overwritten(x, a):
    y = x * x
    y[2] = a * y[1]
    y[1] = y[2] * x[2]
    return y


@in_place((positive(5),))
def every_augmented_form(x):
    y = x.copy()
    y[0] += y[1]
    y[1] -= y[2] * y[0]
    y[2] *= y[1]
    y[3] /= y[0]
    y[4] **= 2
    y[0] **= y[3]
    return y


@in_place((positive(4, 4), positive(3, seed=1)))
def augmented_slices(A, v):
    A = A.copy()
    A[1:-1, ::2] *= 1.5
    A[0, 1:] += v
    A[1:, 0] -= v * v
    A[2] /= A[1]
    A[:, 3] **= 2
    A[::2, ::-1] *= A[::2]
    return A


@in_place((X,))
def chained_store(x):
    a = np.zeros(5)
    b = np.zeros(5)
    for i in range(4):
        a[i] = b[i + 1] = x[i] * (1 + b[i])
    return weighed(a) + weighed(b * b)


@in_place((X,))
def tuple_targets(x):
    s = x.copy()
    for i in range(4):
        s[i], s[i + 1] = s[i + 1] * s[i], np.sin(s[i])
    return s


@in_place((X,))
def elements_exchanged(x):
    """A bubble sort: what is sorted carries its gradient along."""
    x = x.copy()
    for i in range(len(x)):
        for j in range(len(x) - 1 - i):
            if x[j] > x[j + 1]:
                x[j], x[j + 1] = x[j + 1], x[j]
    return x


@in_place((X,))
def rows_exchanged(x):
    A = np.outer(x, x[:2])
    A[0], A[3] = A[3].copy(), A[0].copy()
    A[[1, 2]] = A[[2, 1]]
    return A * A


@in_place((X, normal(4, seed=1)), (X, normal(4, seed=1)))
def integer_array_last_one_wins(x, v):
    y = x * 2
    y[TWICE] = v * v
    return y


@in_place((X, normal(3)))
def integer_array_without_duplicates(x, v):
    y = x.copy()
    y[ONCE] = v
    y[ONCE] *= y[ONCE - 1]
    return y


@in_place((X, normal(4, seed=1)))
def integer_array_augmented_with_duplicates(x, v):
    """`y[k] += v` reads once and writes once for each index: only the last one counts."""
    y = x * x
    y[TWICE] += v
    return y


@in_place((X, normal(4, seed=1)))
def add_at_accumulates(x, v):
    y = x * x
    np.add.at(y, TWICE, v * y[2])
    return y


@in_place((M, normal(3), normal(3, seed=1)))
def integer_arrays_for_two_axes(A, v, w):
    A = A.copy()
    A[ONCE - 1, np.array([1, 1, 2])] = v
    A[1:, ONCE[1] + 1] += w * A[0, 0]
    return A


@in_place((X, 0.5))
def mask_with_a_scalar(x, a):
    y = x * 1.0
    y[x < 0] = a
    y[y > 1] *= a
    return y


@in_place((X, normal(5, seed=2)))
def mask_with_an_array(x, v):
    y = x.copy()
    mask = x > 0
    y[mask] = v[mask] * y[mask]
    y[~mask] += v[:1] * 2
    return y


@in_place((M, normal(4)))
def mask_of_two_dimensions(A, v):
    A = A.copy()
    A[A < 0] = 0.0
    A[v > 0] *= v
    A[:, v < 0] = 1.5
    return A


@in_place((X, normal(5, seed=1)))
def whole_array_replaced(x, v):
    y = x.copy()
    z = y
    y[:] = v * y
    y[...] = y * x
    z[:] = z[::-1] + y
    return y


@in_place((X, 2.0))
def filled_and_copied(x, a):
    y = np.empty_like(x)
    y.fill(a)
    y[1] = x[1] * y[0]
    z = np.ones(5)
    np.copyto(z, y * x)
    np.copyto(z[1:3], a)
    return weighed(y) * weighed(z)


@in_place((X, X + 2.0))
def out_arguments(x, y):
    z = np.empty_like(x)
    np.multiply(x, y, out=z)
    np.add(z, x, z)
    np.sin(z, z)
    np.subtract(z[1:], z[:-1], out=z[1:])
    np.exp(x, out=z[:5])
    z += np.maximum(x, y, out=y)
    return z * y


@in_place((M, normal(4)))
def out_of_products_and_reductions(A, v):
    w = np.empty(4)
    np.dot(A, v, out=w)
    s = np.zeros(4)
    np.sum(A * A, axis=0, out=s)
    np.cumsum(s * w, out=s)
    return s


@in_place((X,))
def negative_indices_and_steps(x):
    y = x.copy()
    y[-1] = y[-2] * y[0]
    y[-3:] *= y[-3:][::-1]
    y[::-2] = np.sin(y[::2])
    y[3:0:-1] += x[:3]
    for i in range(1, 4):
        y[-i] += y[-i - 1] * y[i]
    return y


@in_place((M,))
def negative_indices_of_two_dimensions(A):
    A = A.copy()
    A[-1, -2:] = A[0, :2] * A[-2, -1]
    A[:, -1] *= A[:, 0]
    A[::-1, 1] = A[:, 2] * 0.5
    return A


@in_place((normal(2, 3, 4), normal(4)))
def three_dimensions(A, v):
    A = A.copy()
    A[0, ..., 1] = 2.0 * A[1, :, 0]
    A[:, 1] *= v
    A[1, 2, ::2] += A[0, 0, ::2]
    A[..., -1] = 0.0
    A[1, :, np.newaxis, 2] += v[:1]
    return A


@in_place((normal(3), 0.5))
def broadcast_into_a_slice(v, a):
    A = np.ones((3, 3))
    A[:, :] = v
    A[1:, :] *= v[:, np.newaxis][1:]
    A[:, 0] = a
    A[0] = v[1]
    A += a * A[1]
    return A


@in_place((X,))
def integer_array_holds_floats(x):
    """A float is cut when it is stored in an array of ints, and carries no gradient there."""
    k = np.zeros(5, dtype=np.int64)
    y = x.copy()
    for i in range(5):
        k[i] = 3 * x[i]
        y[i] = y[i] * k[i] + x[i]
    return y


@in_place((X.astype(np.float32), 0.3), rtol=1e-4)
def single_precision_stores(x, a):
    y = x.copy()
    for i in range(1, 5):
        y[i] = a * y[i - 1] + y[i] * 2
    y[1:3] *= a
    return y


@in_place((X,), expected=[(2 * X * (np.append(1, X[:-1] ** 2) + np.append(X[1:] ** 2, 0)),)])
def float_stored_in_single_precision(x):
    y = np.zeros(5, dtype=np.float32)
    y[1:] = x[1:] * x[:-1]
    y[0] = x[0]
    return np.sum(y * y)


@in_place((X, 2), (X, 9), argnums=(0,))
def stored_in_one_branch(x, n):
    y = x.copy()
    for i in range(1, 5):
        if i < n:
            y[i] = y[i - 1] * x[i]
        elif x[i] > 0:
            y[i - 1] += np.sin(y[i])
    return y


@in_place((X,))
def loop_over_a_changing_array(x):
    y = x.copy()
    total = 0.0
    for i, value in enumerate(y):
        if i < 4:
            y[i + 1] *= value + 1.0
        total += value * value
    return total


@in_place((M,))
def rows_change_while_they_are_read(A):
    A = A.copy()
    for i in range(1, 4):
        A[i] = A[i - 1] * A[i] + A[i, ::-1]
        A[i - 1, i] = A[i, 0] ** 2
    return A


@in_place((X, 3), argnums=(0,))
def store_of_an_index(x, n):
    """Where the element goes depends on data."""
    y = np.zeros(5)
    for t in range(n):
        k = int(np.argmax(x - y))
        y[k] += 0.5 * x[k] * (1 + y[k - 1])
    return y


@in_place((X,))
def stores_in_a_while(x):
    y = x.copy()
    i = 0
    while i < 4 and abs(y[i]) < 2.0:
        y[i + 1] = y[i] * y[i + 1] + 0.5
        i += 1
    return y


@in_place((M, 0.8), argnums=(0,))
def early_exit_from_nested_loops(A, limit):
    A = A.copy()
    for i in range(1, 4):
        for j in range(4):
            A[i, j] = np.sin(A[i - 1, j]) + A[i, j]
            if A[i, j] > limit:
                return weighed(A * A)
            if j == 2 and i == 2:
                break
        else:
            A[i, 0] *= 3.0
    return weighed(A)


@in_place((0.5, 1.5))
def scalars_through_an_array(a, b):
    """An array as a bag of variables."""
    s = np.zeros(3)
    s[0] = a
    s[1] = b
    for _ in range(4):
        s[2] = s[0] + 0.1 * s[1]
        s[1] = s[1] - 0.1 * np.sin(s[0])
        s[0] = s[2]
    return s[0] * s[1]


@in_place((X, True), (X, False), argnums=(0,))
def array_of_zero_dimensions(x, flag):
    total = np.zeros(())
    total[()] = x[0]
    if flag:
        total += x[1] * total
    total[...] = total * x[2]
    return float(total) * x[3]
