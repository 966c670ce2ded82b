"""Whole arrays: elementwise expressions and sums, of several ranks and sizes."""

from __future__ import annotations

import numpy as np

from corpus.entry import normal, positive, program


@program((normal(5), normal(5, seed=1)), (normal(0), normal(0)))
def sum_of_products(x, y):
    return np.sum(x * y + np.sin(x) / 2)


@program((normal(5),))
def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


@program((normal(3, 4), 1.5),)
def array_and_number(A, s):
    return np.sum(np.tanh(A * s) + s / (1 + A**2) - s)


@program((positive(4),))
def entropy(p):
    q = p / np.sum(p)
    return -np.sum(q * np.log(q))


@program((normal(6), normal(6, seed=2)))
def cosine_similarity(u, v):
    return np.sum(u * v) / (np.sqrt(np.sum(u * u)) * np.sqrt(np.sum(v * v)))


@program((normal(4),))
def softmax_vector(z):
    e = np.exp(z - np.max(z))
    return e / np.sum(e)


@program((normal(2, 3, 4),))
def three_dimensions(A):
    return np.sum(np.exp(-A * A) * A)


@program((normal(4), normal(4, seed=3)))
def array_result(x, y):
    return np.sin(x) * y


@program((normal(4), normal(4, seed=3)))
def several_results(x, y):
    total = x + y
    return total * x, np.sum(total), total - 1.0


@program((normal(5),))
def where_with_arrays(x):
    return np.sum(np.where(x > 0, np.log1p(np.abs(x)), x**3))


@program((np.array([-1.0, 0.0, 4.0]),), expected=[(np.array([0.0, 0.0, 0.25]),)])
def where_hides_what_is_infinite(x):
    safe = np.where(x > 0, x, 1.0)
    return np.sum(np.where(x > 0, np.sqrt(safe), 0.0))


@program((np.array([-1.0, 0.0, 4.0]),), expected=[(np.array([0.0, 0.0, 0.25]),)], jax=False)
def strong_zero_of_where(x):
    return np.sum(np.where(x > 0, np.sqrt(x), 0.0))


@program((normal(5), 0.3),)
def huber(r, delta):
    a = np.abs(r)
    return np.sum(np.where(a <= delta, 0.5 * r * r, delta * (a - 0.5 * delta)))


@program((normal(4), normal(4, seed=1)))
def extremes_of_arrays(x, y):
    return np.sum(np.maximum(x, y) * np.minimum(x, 0.5) + np.clip(x, -0.5, 0.5))


@program((np.array([1.0, 2.0]), np.array([1.0, 3.0])),
         expected=[(np.array([0.5, 0.0]), np.array([0.5, 1.0]))])
def ties_of_arrays(x, y):
    return np.sum(np.maximum(x, y))


@program((normal(5),))
def methods(x):
    return (x * x).sum() + x.mean() * x.max() - x.min() + x.copy().dot(x)


@program((np.array(0.7), normal(3)))
def zero_dimensional(a, x):
    return np.sum(a * x) + a * a


@program((normal(3),), jax=False)
def constants_of_shape(x):
    n = x.shape[0]
    return np.sum(np.ones(n) * x + np.zeros_like(x) + np.full(3, 2.0) * x + np.arange(3) * x
                  + np.linspace(0.0, 1.0, 3) * x + np.ones_like(x)) / x.size + len(x)


@program((0.5, 1.5))
def array_of_numbers(a, b):
    v = np.array([a, b, a * b, 1.0])
    return np.sum(v * v * v)


@program((0.5, 1.5))
def matrix_of_numbers(a, b):
    R = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    v = np.array([b, 1.0])
    return R @ v


@program((normal(3, 3).T, normal(3, 3)),)
def transposed_memory(A, B):
    return np.sum(A * B.T * np.exp(A))


@program((normal(8)[::2], normal(4)),)
def strided_argument(x, y):
    return np.sum(x * x * y)
