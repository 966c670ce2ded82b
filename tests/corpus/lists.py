"""Lists: grown in loops, shared, passed on, read while they grow; comprehensions of any length."""

from __future__ import annotations

import numpy as np

from corpus.entry import in_place, normal, positive, program, weighed


@in_place((0.7, 6), (0.7, 0), argnums=(0,))
def one_list_two_names(x, n):
    ys = zs = [x]
    for k in range(n):
        ys.append(x * zs[-1] + k)
    return weighed(np.array(zs)) + len(ys)


@in_place((normal(5), 0.3), (normal(1), 0.3))
def appended_by_a_helper(x, h):
    path = []

    def record(y):
        path.append(y * y)
        return y

    y = 0.1
    for v in x:
        y = record(np.sin(y) + h * v)
    return weighed(np.array(path)) * path[-1]


def _collect(out, x, scale):
    for k in range(len(x)):
        if x[k] > 0:
            out.append(scale * x[k] ** 2)
    return out


@in_place((normal(6), 1.5),)
def passed_on_and_returned(x, scale):
    found = _collect([scale], x, scale)
    more = _collect(found, -x, 2 * scale)
    return weighed(np.array(found)) + more[-1] * found[0]


@in_place((normal(3, 4),), (normal(1, 1),))
def grown_in_nested_loops(A):
    terms = []
    for i in range(A.shape[0]):
        for j in range(A.shape[1]):
            terms.append(np.sin(A[i, j]) * (i + 2 * j + 1))
    return weighed(np.array(terms) ** 2)


@in_place((normal(4), 4), argnums=(0,))
def grown_in_a_triangle(x, n):
    terms = []
    for i in range(n):
        terms.append(x[i] * 1.0)
        for j in range(i):
            terms.append(terms[-1] * x[j] + terms[j])
    return weighed(np.array(terms))


@in_place((normal(4, 3),))
def rows_copied_before_they_are_written(A):
    A = A.copy()
    rows = []
    for i in range(A.shape[0]):
        rows.append(A[i].copy())
        A[i] *= 2.0
        A[i, 0] += np.sum(rows[0])
    return weighed(np.array(rows)) + weighed(A)


@in_place((normal(4, 3),))
def rows_of_a_matrix_that_is_only_read(A):
    rows = [A[0]]
    for i in range(1, A.shape[0]):
        rows.append(A[i])
        rows.append(A[i] * rows[-2])
    return weighed(np.array(rows))


@in_place((0.4, 0), (0.4, 1), (0.4, 5), argnums=(0,))
def loop_that_may_be_empty(x, n):
    ys = []
    for k in range(n):
        ys.append(x ** (k + 1))
    return sum(ys) + np.sum(np.array(ys) ** 2) + x * len(ys)


@in_place((0.9, 6), (0.9, 1), argnums=(0,))
def read_while_it_grows(x, n):
    """A recurrence over two lists, each reads the other."""
    a, b = [x], [x * x]
    for k in range(1, n):
        a.append(0.5 * b[k - 1] + np.sin(a[k - 1]))
        b.append(a[-1] * b[-1])
    return a[-1] + weighed(np.array(b))


@in_place((2.0, 0.3), (0.2, 0.3))
def while_with_a_break(x, h):
    xs = []
    while True:
        xs.append(x)
        if x < 0.5 or len(xs) > 6:
            break
        x = x - h * x * x
    return weighed(np.array(xs)) * len(xs)


@in_place((1.0, 0.2, 0.05, 8), argnums=(0, 1, 2))
def list_of_pairs(x, v, h, n):
    path = [(x, v)]
    for _ in range(n):
        a, b = path[-1]
        path.append((a + h * b, b - h * np.sin(a)))
    total = 0.0
    for k, (a, b) in enumerate(path):
        total += (k + 1) * a * b
    return total


@in_place((normal(3), 0.1, 4), argnums=(0, 1))
def list_of_times_and_states(u, h, n):
    path = []
    t = 0.0
    for _ in range(n):
        t = t + h
        u = u + h * np.cos(u * t)
        path.append((t, u))
    return sum([w * np.sum(y**2) for w, y in path])


@in_place((normal(4), normal(4, seed=1)))
def lists_swapped(x, y):
    a, b = [], []
    for k in range(len(x)):
        a.append(x[k])
        b.append(y[k] ** 2)
    a, b = b, a
    a.append(b[0])
    return weighed(np.array(a)) * b[-1]


@in_place((0.3, 0.8, 5), argnums=(0, 1))
def states_in_small_lists(x, v, n):
    """The state is a list that every step makes anew."""
    state = [x, v]
    for k in range(n):
        state = [state[0] + 0.1 * state[1], state[1] - 0.1 * np.sin(state[0])]
    return state[0] * state[1]


@in_place((normal(5),))
def stack_that_grows_and_shrinks(x):
    stack = [x[0]]
    total = 0.0
    for k in range(1, len(x)):
        top = stack.pop()
        total += top * x[k]
        stack.append(top * x[k])
        if x[k] > 0:
            stack.append(x[k] ** 2)
    return total + sum(stack)


@in_place((normal(6),))
def elements_replaced(x):
    ys = [v * v for v in x]
    for k in range(len(ys) - 1):
        ys[k] = ys[k] * ys[k + 1]
    ys[-1] += ys[0]
    return weighed(np.array(ys))


@in_place((normal(5),))
def slices_and_sums_of_lists(x):
    ys = []
    for v in x:
        ys.append(np.exp(v))
    zs = ys[1:] + [ys[0]]
    zs[0] *= 3.0
    return weighed(np.array(zs[::-1])) + max(ys) * min(zs)


@program((normal(6),), (-positive(4),), jax=False)
def generator_with_a_condition(x):
    return sum(v**3 for v in x if v > 0) + sum(np.sin(v) for v in x)


@program((normal(3, 4), normal(4)), jax=False)
def nested_comprehension(A, v):
    rows = [[A[i, j] * v[j] for j in range(len(v))] for i in range(len(A))]
    flat = [a * b for row in A for a, b in zip(row, v)]
    return weighed(np.array(flat)) + rows[0][1]


@program((normal(4, 3),), jax=False)
def comprehension_over_pairs(A):
    return weighed(np.array([k * np.dot(a, b) for k, (a, b) in enumerate(zip(A, A[::-1]))]))


@program((normal(4, 3), 0.5), jax=False)
def stacked_rows(A, h):
    up = np.stack([np.tanh(row * h) for row in A], axis=1)
    joined = np.concatenate([row[1:] * h for row in A])
    return weighed(up) + weighed(joined) + weighed(np.vstack([row - h for row in A]))


@in_place((normal(4), 0.5))
def dictionary_of_lists(x, a):
    record = {"values": [], "total": 0.0}
    for v in x:
        record["total"] += a * v
        record["values"].append(record["total"] ** 2)
    return weighed(np.array(record["values"])) * record["total"]


@in_place((normal(3), 7), (normal(3), 2), argnums=(0,))
def filled_before_the_loop(x, n):
    ys = [0.0] * n
    ys[0] = x[0]
    for k in range(1, n):
        ys[k] = ys[k - 1] * x[k % 3] + x[1]
    return weighed(np.array(ys))


@in_place((normal(3), 5), argnums=(0,))
def ring_of_known_length(x, n):
    ring = [x[0], x[1], x[2]]
    for k in range(n):
        ring[k % 3] = ring[(k + 1) % 3] * ring[(k + 2) % 3] + 0.5
    return ring[0] + 2 * ring[1] + 3 * ring[2]


@in_place((normal(4), 0.4))
def lists_made_in_every_iteration(x, h):
    total = 0.0
    for k in range(len(x)):
        parts = []
        for j in range(len(x)):
            parts.append(np.sin(x[k] * x[j] * h))
        total += parts[k] * max(parts)
    return total


@in_place((normal(5),))
def filled_by_either_branch(x):
    low, high = [], [1.0]
    for v in x:
        if v < 0:
            low.append(v * high[-1])
        else:
            high.append(v)
            high.append(v * v)
    return weighed(np.array(low)) + weighed(np.array(high))


@in_place((normal(3), normal(3, seed=1)))
def columns_of_pairs(x, y):
    pairs = [(x[k], y[k] * x[0]) for k in range(3)]
    first, second = zip(*pairs)  # noqa: B905
    total = 0.0
    for u, v in zip(first, second):  # noqa: B905
        total += u * v
    return total + sum(u * sum(rest) for u, *rest in zip(*pairs))  # noqa: B905


@in_place((normal(3), normal(3, seed=1)))
def columns_of_known_arrays(x, y):
    rows = [x * y, y, x + y]
    total = 0.0
    for u, v, w in zip(*rows):  # noqa: B905
        total += u * v * w
    for u, v in zip(*np.stack((x, y))):  # noqa: B905
        total += u * v * v
    return total


@in_place((normal(3), normal(3, seed=1)))
def columns_of_a_list_that_was_filled(x, y):
    rows = []
    for k in range(2):
        rows.append([x[k], y[k], x[k + 1] * y[k]])
    transposed = [list(column) for column in zip(*rows)]  # noqa: B905
    transposed[0][1] *= transposed[2][0]
    a, *others = transposed[0]
    top, *below = np.stack((x, y, x * y))
    return a * others[0] + transposed[1][0] ** 2 + np.sum(top * below[0] * below[1])
