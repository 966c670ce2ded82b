"""Small and nasty programs: each is a way in which a compiler of adjoints can be silently wrong."""

from __future__ import annotations

import numpy as np

from corpus.entry import normal, program

CAPTURED = normal(4, seed=9)


@program((0.5, 0), (0.5, 3), (0.5, -1))
def loop_that_runs_zero_times(x, n):
    y = x * x
    for _ in range(n):
        y = np.sin(y) * x
    return y


@program((0.5, True), (0.5, False))
def defined_in_one_branch_only(x, flag):
    if flag:
        y = x * 3
    if flag:
        return y * x
    return x


@program((normal(3), 2), (normal(3), 0))
def while_inside_for_inside_if(x, n):
    y = 0.1
    if n > 0:
        for i in range(len(x)):
            k = 0
            while k < n:
                y = np.sin(y) * x[i] + x[i - 1]
                k += 1
    return y


@program((normal(4),))
def captured_array(x):
    return np.sum(x * CAPTURED + CAPTURED * CAPTURED[::-1])


_SAME = normal(4)


@program((_SAME, _SAME))
def same_array_twice(u, v):
    return np.sum(u * u * v)


@program((_SAME[:3], _SAME[1:]))
def overlapping_arrays(u, v):
    return np.sum(u * v * v)


@program((normal(4),))
def alias(x):
    y = x
    z = y[1:]
    x = x * 2
    return np.sum(y * x) + np.sum(z)


@program((normal(5),))
def negative_index_wraps_in_a_loop(x):
    total = 0.0
    for i in range(5):
        total = total * x[i - 1] + x[i - 2]
    return total


@program((0.5, 1.5, 6))
def slots_that_only_swap(u, w, n):
    for _ in range(n):
        u, w = w, u
    return u * u * w


@program((0.5, 6))
def fibonacci_style_shift(x, n):
    a, b, c = x, x * x, 1.0
    for _ in range(n):
        a, b, c = b, c, np.sin(a + b * c)
    return a * b + c


@program((0.4, 3))
def outer_value_read_in_the_loop(x, n):
    y = x * x
    z = y
    for _ in range(n):
        z = z * y + x
    return z * y


@program((0.4, 3))
def start_is_also_read_inside(a, n):
    x = a
    for _ in range(n):
        x = x * a
    return x + a


@program((0.5,))
def dead_code(x):
    unused = np.exp(x) * 1e10
    y = x * 2
    y = x * x
    for _ in range(3):
        unused = unused * 2
    return y


@program((0.5, 4))
def inactive_in_between(x, n):
    k = 0
    for i in range(n):
        k = k + i * i
        x = x + k * x * 0.1
    return x * k


@program((-0.5,), (0.5,), expected=[(0.0,), (1.0,)])
def branch_not_taken_has_infinite_partial(x):
    return np.sqrt(x) ** 2 if x > 0 else 0.0


@program((0.5, 1.0), expected=[(1.0, 0.0)])
def untaken_logarithm_in_a_loop(x, y):
    total = 0.0
    for k in range(3):
        if k > 5:
            total += np.log(y - 1.0)
        elif k == 0:
            total += x
    return total


@program((normal(3), normal(3, seed=1)))
def result_used_twice(x, y):
    z = x * y
    return z, z


@program((normal(3),))
def argument_is_the_result(x):
    return x


@program((normal(3), 0.5))
def argument_and_view_as_results(x, a):
    return x, x[1:], a * a


@program((0.4, 5))
def carried_but_unused(x, n):
    y, z = x, x
    for _ in range(n):
        y = np.cos(y)
        z = z * y
    return y


@program((0.4, 5))
def made_in_the_loop_used_after(x, n):
    y = 0.0
    for i in range(n):
        y = np.sin(x * i)
        z = y * x
    return y * z


@program((0.4, 3, 2), (0.4, 0, 2), (0.4, 2, 0))
def inner_trip_counts_vary(x, n, m):
    y = x
    for i in range(n):
        for j in range(m - i):
            y = np.sin(y) + x * j
    return y


@program((normal(3), 3), (normal(3), 0))
def loop_carried_array_of_growing_use(x, n):
    y = x
    for k in range(n):
        y = np.sin(y) * x + y[0] * k
    return np.sum(y)


@program((normal(4), True), (normal(4), False))
def array_from_either_branch(x, flag):
    if flag:
        y = x
    else:
        y = x * 2
    return np.sum(y * y * x)


@program((normal(4),))
def view_chosen_by_branch(x):
    y = x[:2] if x[0] > 0 else x[2:]
    return np.sum(y * y) + x[1]


@program((0.5,))
def same_operand_twice(x):
    return x * x + (x - x) + x / x + np.maximum(x, x * 2) + np.hypot(x, x)


@program((normal(3),))
def same_array_operand_twice(x):
    return x @ x + np.sum(x * x) + np.dot(x, x) * x[0]


@program((1e-3, 40))
def deep_chain(x, n):
    y = x
    for _ in range(n):
        y = y * (1 + x) + x
    return y


@program((0.3, 10), (0.3, 1))
def last_iteration_differs(x, n):
    y = x
    for i in range(n):
        if i == n - 1:
            y = y * y * 10
        else:
            y = np.sin(y) + x
    return y


@program((0.3, 4))
def assertion_and_print_free(x, n):
    assert n > 0
    y = x
    for i in range(n):
        assert i < n, "never"
        y = y * x + 1
    return y


@program((0.3,))
def docstring_and_pass(x):
    """A docstring with 'quotes', a # and a backslash \\n."""
    pass
    if x > 100:
        pass
    return x * x


@program((0.3, 1e16), expected=[(1.0, 1.0)])
def two_sum(a, b):
    s = a + b
    v = s - a
    return (a - (s - v)) + (b - v) + s


@program((normal(6) * 1e8,))
def kahan(x):
    total, correction = 0.0, 0.0
    for value in x:
        y = value - correction
        t = total + y
        correction = (t - total) - y
        total = t
    return total


@program((0.5, 2.0), expected=[(123456790.12345679, 5e-324 - 4e-7)], jax=False)
def huge_and_tiny_constants(x, y):
    return x * 1e300 * 1e-300 + y * 5e-324 + x * 123456789.123456789 + y**2 * -1e-7


@program((0.5,))
def negative_constants(x):
    return (-2.0) ** 2 * x - -3 * x + (-x) ** 2 - (-1) ** 3 * x**2


@program((0.5, 2))
def bool_from_comparison_carried(x, n):
    done = False
    i = 0
    while not done:
        x = x * 1.5
        i += 1
        done = i >= n or x > 100
    return x * x


@program((0.5, 3))
def condition_on_a_carried_value(x, n):
    y = x
    sign = 1.0
    for _ in range(n):
        if sign > 0:
            y = np.sin(y)
        else:
            y = y * x
        sign = -sign
    return y * sign
