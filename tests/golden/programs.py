"""The functions behind the golden files: what users write, and what is generated from it.

Each case is a function, arguments, and the products whose source is kept: `grad`,
`value_and_grad`, `joint` (a vjp as one function), `vjp` (as a pair), each readable, and with
`compiled` in front the source that Numba gets.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import retrograd as rg

SCALE = 1.5
WEIGHTS = np.array([0.2, -0.4, 0.6])


@dataclass(frozen=True)
class Case:
    function: Callable[..., Any]
    args: tuple[Any, ...]
    products: tuple[str, ...] = ("grad",)
    argnums: tuple[int, ...] = (0,)
    has_aux: bool = False

    @property
    def name(self) -> str:
        return self.function.__name__


# --- the targets of the design ---------------------------------------------------------------


def compute_s(x, y, z):
    r1 = np.subtract(x, y)
    r2 = np.multiply(r1, 2)
    z = np.add(r2, z)
    return z


def affine(X, W, b):
    return X @ W + b


def babylonian(a, tol):
    x = 0.5 * (1 + a)
    while abs(x * x - a) > tol:
        x = 0.5 * (x + a / x)
    return x


# --- loops -------------------------------------------------------------------------------------


def runge_kutta(y, rate, n):
    h = 1.0 / n
    for _ in range(n):
        k1 = np.sin(rate * y)
        k2 = np.sin(rate * (y + 0.5 * h * k1))
        y = y + h * (k1 + k2) / 2
    return y


def horner(c, x):
    total = 0.0
    for a in c[::-1]:
        total = total * x + a
    return total


def compound(principal, rates):
    for rate in rates:
        principal = principal * (1 + rate)
    return principal


def rosenbrock(x):
    total = 0.0
    for i in range(len(x) - 1):
        total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return total


def triangular(x, n):
    total = 0.0
    for i in range(n):
        power = 1.0
        for j in range(i + 1):
            power = power * np.cos(x * j)
        total = total + power
    return total


def first_above(x, limit):
    total = 0.0
    for i in range(len(x)):
        total = total + x[i] * x[i]
        if total > limit:
            break
    return total * x[0]


def checkpointed(u, rate, steps):
    for _ in rg.checkpointed(range(steps), snapshots=3):
        u = u + rate * np.sin(u)
    return np.sum(u * u)


def newton(a, start):
    for _ in range(20):
        new = start - (start ** 3 - a) / (3 * start ** 2)
        if abs(new - start) < 1e-12:
            return new
        start = new
    return start


# --- branches ----------------------------------------------------------------------------------


def huber(r, delta):
    if abs(r) <= delta:
        return 0.5 * r * r
    return delta * (abs(r) - 0.5 * delta)


def clipped(x, low, high):
    if x < low:
        y = low
    elif x > high:
        y = high
    else:
        y = x
    return y * y


# --- arrays --------------------------------------------------------------------------------------


def mean_squared_error(w, b, X, y):
    residual = X @ w + b - y
    return np.mean(residual ** 2)


def logistic_loss(w, X, y):
    z = X @ w
    return np.mean(np.logaddexp(0, z) - y * z)


def softmax_loss(logits, target):
    shifted = logits - np.max(logits, axis=1, keepdims=True)
    norm = np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    return -np.sum(target * (shifted - norm)) / logits.shape[0]


def broadcast_sum(x, row, column):
    return np.sum(x * row + column)


def total_variation(u):
    return np.sum(np.abs(u[1:] - u[:-1])) + np.sum((u[2:] - 2 * u[1:-1] + u[:-2]) ** 2)


def piecewise(x):
    return np.sum(np.where(x > 0, np.sqrt(x), x * x))


def standardised(x):
    z = (x - np.mean(x)) / np.std(x)
    return np.sum(z ** 3)


def single_precision(x, w):
    return np.sum(np.tanh(0.5 * x * w + 1))


def recurrence(W, h, xs):
    for x in xs:
        h = np.tanh(W @ h + x)
    return np.sum(h)


# --- names, helpers, outside ---------------------------------------------------------------------


def awkward_names(x_bar, t, np_):
    np = x_bar * t
    x = math.sin(np) + np_
    n = x * x_bar
    return n * x


def squared_distance(a, b):
    d = a - b
    return d @ d


def kernel(a, b, length):
    return np.exp(-squared_distance(a, b) / (2 * length ** 2))


def two_kernels(a, b, length):
    return kernel(a, b, length) + 2.0 * kernel(a, WEIGHTS, length)


def captured(x):
    return SCALE * np.sum(WEIGHTS * np.exp(x))


def loss_and_parts(x, y):
    data = np.sum((x - y) ** 2)
    penalty = np.sum(np.abs(x))
    return data + 0.1 * penalty, (data, penalty)


def polar(x, y):
    return np.hypot(x, y), np.arctan2(y, x)


def burgers_energy(u0, nu, dt, dx, steps):
    u = u0.copy()
    for t in range(steps):                                                            # noqa: B007
        un = u.copy()
        u[1:-1] = un[1:-1] - dt / dx * un[1:-1] * (un[1:-1] - un[:-2]) + nu * dt / dx**2 * (un[2:] - 2 * un[1:-1] + un[:-2])  # noqa: E501
    return np.sum(u * u)


def log_determinant(A):
    """Cholesky's factorisation in place: every element that is read is final."""
    L = A.copy()
    n = len(L)
    for i in range(n):
        for j in range(i):
            for k in range(j):
                L[i, j] -= L[i, k] * L[j, k]
            L[i, j] /= L[j, j]
        for k in range(i):
            L[i, i] -= L[i, k] ** 2
        L[i, i] = np.sqrt(L[i, i])
    total = 0.0
    for i in range(n):
        total += 2.0 * np.log(L[i, i])
    return total


def swept(u, c, sweeps):
    """What the sweeps overwrite is put back, one number an update."""
    v = u.copy()
    for s in range(sweeps):
        for i in range(1, len(v) - 1):
            v[i] += c * v[i - 1] * v[i + 1]
    return np.sum(v)


def two_buffers(u, steps):
    now, after = u.copy(), np.zeros_like(u)
    for step in range(steps):
        after[1:-1] = 0.5 * (now[2:] - now[:-2]) * now[1:-1]
        now, after = after, now
    return np.sum(now * now)


def floored(x, low):
    y = np.sqrt(x)
    y[x < 0.5] = low
    return np.sum(y)


def trajectory(x, r, n):
    """A list that a loop fills: in the generated source it is an array."""
    xs = [x]
    for _ in range(n):
        xs.append(r * xs[-1] * (1 - xs[-1]))
    return np.mean(np.array(xs) ** 2)


def positive_logs(x):
    logs = [np.log(v) for v in x if v > 0]
    return sum(logs) / len(logs)


A22 = np.array([[0.5, -1.0], [2.0, 0.25]])
V3, V4 = np.array([0.3, -0.7, 1.1]), np.array([0.9, 0.4, -0.6, 1.3])
M34 = np.arange(12.0).reshape(3, 4) / 7 - 0.6

CASES = (
    Case(compute_s, (1.0, 2.0, 5.0), ("grad", "value_and_grad", "compiled grad"), (0, 1, 2)),
    Case(affine, (A22, A22.T + 1, np.array([4.0])), ("joint", "vjp"), (0, 1, 2)),
    Case(babylonian, (2.0, 1e-9), ("grad", "compiled grad")),
    Case(runge_kutta, (0.3, 1.2, 5), ("grad", "compiled value_and_grad"), (0, 1)),
    Case(horner, (V4, 0.7), argnums=(0, 1)),
    Case(compound, (100.0, np.array([0.02, 0.05, 0.01])), argnums=(0, 1)),
    Case(rosenbrock, (V4,), ("grad", "compiled grad")),
    Case(triangular, (0.4, 4)),
    Case(first_above, (V4, 1.0), argnums=(0,)),
    Case(newton, (5.0, 1.5), argnums=(0, 1)),
    Case(checkpointed, (V4, 0.1, 12), ("grad", "compiled value_and_grad"), (0, 1)),
    Case(huber, (0.4, 1.0), argnums=(0, 1)),
    Case(clipped, (0.4, 0.0, 1.0), argnums=(0, 1, 2)),
    Case(mean_squared_error, (V4, 0.5, M34, V3), ("value_and_grad",), (0, 1)),
    Case(logistic_loss, (V4, M34, np.array([0.0, 1.0, 1.0])), ("value_and_grad",)),
    Case(softmax_loss, (M34, np.eye(3, 4))),
    Case(broadcast_sum, (M34, V4, V3[:, None]), argnums=(0, 1, 2)),
    Case(total_variation, (V4,)),
    Case(piecewise, (V4,), ("grad", "compiled grad")),
    Case(standardised, (V4,)),
    Case(single_precision, (V3.astype(np.float32), np.float32(0.7)), argnums=(0, 1)),
    Case(recurrence, (A22, V4[:2], M34[:, :2].copy()), argnums=(0, 1, 2)),
    Case(awkward_names, (0.3, 0.8, 1.1), argnums=(0, 1, 2)),
    Case(two_kernels, (V3, V3[::-1].copy(), 0.8), argnums=(0, 2)),
    Case(captured, (V3,)),
    Case(loss_and_parts, (V3, V4[:3]), ("grad", "value_and_grad"), has_aux=True),
    Case(polar, (0.3, 0.8), ("joint",), (0, 1)),
    Case(burgers_energy, (np.sin(np.arange(8.0)), 0.1, 0.01, 0.1, 3)),
    Case(log_determinant, (A22 @ A22.T + np.eye(2),), ("grad", "compiled grad")),
    Case(swept, (V4, 0.3, 2), argnums=(0, 1)),
    Case(two_buffers, (np.cos(np.arange(6.0)), 3), ("grad", "compiled grad")),
    Case(floored, (np.array([0.0, 0.25, 1.0, 2.25]), 0.1), argnums=(0, 1)),
    Case(trajectory, (0.3, 2.9, 5), ("grad", "compiled grad"), (0, 1)),
    Case(positive_logs, (V4,)),
)
