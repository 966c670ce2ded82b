"""Real small computations: integrators, likelihoods, networks, finance, geometry."""

from __future__ import annotations

import numpy as np

from corpus.entry import normal, positive, program


@program((1.0, 0.5, -0.3, 10.0))
def lorenz_by_rk4(x, y, z, sigma):
    def field(x, y, z):
        return sigma * (y - x), x * (2.0 - z) - y, x * y - 1.5 * z

    h = 0.02
    for _ in range(10):
        a1, b1, c1 = field(x, y, z)
        a2, b2, c2 = field(x + h / 2 * a1, y + h / 2 * b1, z + h / 2 * c1)
        a3, b3, c3 = field(x + h / 2 * a2, y + h / 2 * b2, z + h / 2 * c2)
        a4, b4, c4 = field(x + h * a3, y + h * b3, z + h * c3)
        x += h / 6 * (a1 + 2 * a2 + 2 * a3 + a4)
        y += h / 6 * (b1 + 2 * b2 + 2 * b3 + b4)
        z += h / 6 * (c1 + 2 * c2 + 2 * c3 + c4)
    return x * x + y * z


@program((1.0, 0.2, 1.3))
def verlet(q, p, k):
    dt = 0.1
    for _ in range(12):
        p = p - 0.5 * dt * k * np.sin(q)
        q = q + dt * p
        p = p - 0.5 * dt * k * np.sin(q)
    return 0.5 * p * p - k * np.cos(q)


@program((normal(2, 2), normal(2), 0.1))
def euler_of_a_linear_system(A, x, h):
    for _ in range(8):
        x = x + h * (A @ x)
    return x


@program((positive(6), 0.25))
def trapezoid_rule(y, dx):
    return np.sum((y[1:] + y[:-1]) / 2) * dx


@program((0.2, 1.4))
def simpson_rule(a, b):
    n = 10
    h = (b - a) / n
    total = np.exp(-a * a) + np.exp(-b * b)
    for i in range(1, n):
        weight = 4 if i % 2 else 2
        x = a + i * h
        total += weight * np.exp(-x * x)
    return total * h / 3


@program((normal(5, 2), positive(3), normal(3, 2), positive(3)))
def gaussian_mixture(X, weight, mean, spread):
    w = weight / np.sum(weight)
    d = np.sum((X[:, None, :] - mean[None, :, :]) ** 2, axis=2)
    logs = np.log(w) - 0.5 * d / spread**2 - 2 * np.log(spread)
    m = np.max(logs, axis=1, keepdims=True)
    return np.sum(m) + np.sum(np.log(np.sum(np.exp(logs - m), axis=1)))


@program((normal(5, 3), normal(3, 4), normal(4), np.array([0, 3, 1, 1, 2])))
def softmax_regression(X, W, b, labels):
    z = X @ W + b
    z = z - np.max(z, axis=1, keepdims=True)
    logs = z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))
    return -np.mean(logs[np.arange(5), labels])


@program((normal(3), normal(6, 3), np.array([0.0, 1.0, 1.0, 0.0, 1.0, 0.0])))
def logistic_regression(w, X, y):
    z = X @ w
    return np.mean(np.logaddexp(0, z) - y * z) + 0.01 * w @ w


@program((normal(3, 4), normal(4), normal(4, 2), normal(2), normal(5, 3)))
def two_layer_network(W1, b1, W2, b2, X):
    return np.sum((np.tanh(X @ W1 + b1) @ W2 + b2) ** 2)


@program((normal(3, 3), normal(3, 2), normal(3), normal(4, 2)))
def recurrent_network(W, U, h, xs):
    total = 0.0
    for t in range(xs.shape[0]):
        h = np.tanh(W @ h + U @ xs[t])
        total += np.sum(h * h)
    return total


@program((normal(4, 3), normal(4, 3, seed=1), normal(4, 2)))
def attention(Q, K, V):
    scores = Q @ K.T / np.sqrt(3.0)
    e = np.exp(scores - np.max(scores, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True) @ V


@program((normal(2, 4), normal(4), normal(4, seed=1)))
def layer_normalisation(X, gain, bias):
    mean = np.mean(X, axis=1, keepdims=True)
    spread = np.sqrt(np.var(X, axis=1, keepdims=True) + 1e-5)
    return (X - mean) / spread * gain + bias


@program((normal(7), normal(3)))
def convolution_by_loop(x, kernel):
    total = 0.0
    for i in range(len(x) - len(kernel) + 1):
        y = 0.0
        for j in range(len(kernel)):
            y += x[i + j] * kernel[j]
        total += np.maximum(y, 0.0) ** 2
    return total


@program((np.array([0.3, 0.9, -0.2, 0.5]),), rtol=1e-6)
def simplex_projection(v):
    """Projection on the simplex by Newton's method on the threshold, without sorting."""
    tau = (np.sum(v) - 1) / len(v)
    for _ in range(10):
        count = 0.0
        total = 0.0
        for value in v:
            if value > tau:
                count += 1.0
                total += value
        tau = (total - 1) / count
    w = np.maximum(v - tau, 0.0)
    return np.sum(w * np.arange(1.0, 5.0))


@program((100.0, 95.0, 0.03, 0.3))
def binomial_option_european(S, K, r, sigma):
    n, years = 6, 1.0
    dt = years / n
    up = np.exp(sigma * np.sqrt(dt))
    p = (np.exp(r * dt) - 1 / up) / (up - 1 / up)
    value, ways = 0.0, 1.0
    for k in range(n + 1):
        payoff = S * up ** (2 * k - n) - K
        if payoff > 0:
            value += ways * p**k * (1 - p) ** (n - k) * payoff
        ways = ways * (n - k) / (k + 1)
    return np.exp(-r * years) * value


@program((0.05, 100.0, 5.0, 8))
def bond_price(rate, face, coupon, years):
    price = 0.0
    for t in range(1, years + 1):
        price += coupon / (1 + rate) ** t
    return price + face / (1 + rate) ** years


@program((0.8, 1.2, 0.4))
def robot_arm(a, b, c):
    x = np.cos(a) + 0.8 * np.cos(a + b) + 0.5 * np.cos(a + b + c)
    y = np.sin(a) + 0.8 * np.sin(a + b) + 0.5 * np.sin(a + b + c)
    return np.hypot(x - 1.0, y - 0.5)


@program((normal(4, 3) * 3,))
def lennard_jones(P):
    energy = 0.0
    for i in range(len(P)):
        for j in range(i):
            r2 = 1.0
            for k in range(3):
                r2 += (P[i, k] - P[j, k]) ** 2
            s = 1.0 / r2**3
            energy += 4 * (s * s - s)
    return energy


@program((normal(8), 0.3, -0.2, 0.5))
def garch_likelihood(r, a, b, c):
    h = 1.0
    total = 0.0
    for x in r:
        h = np.exp(a) * 0.1 + 0.2 / (1 + np.exp(b)) * x * x + 0.9 / (1 + np.exp(-c)) * h
        total += np.log(h) + x * x / h
    return 0.5 * total


@program((normal(6), 0.9, 0.4, 0.2))
def kalman_filter(y, a, q, r):
    mean, variance, total = 0.0, 1.0, 0.0
    for i in range(len(y)):
        mean, variance = a * mean, a * a * variance + q * q
        s = variance + r * r
        gain = variance / s
        error = y[i] - mean
        total += 0.5 * (np.log(s) + error**2 / s)
        mean = mean + gain * error
        variance = (1 - gain) * variance
    return total


@program((positive(3, 3), positive(3), np.array([0, 2, 1, 1])))
def hidden_markov_model(T, start, seen):
    T = T / np.sum(T, axis=1, keepdims=True)
    alpha = start / np.sum(start)
    total = 0.0
    for s in seen:
        alpha = (alpha @ T) * (0.2 + 0.4 * (np.arange(3) == s))
        size = np.sum(alpha)
        total += np.log(size)
        alpha = alpha / size
    return total


@program((np.array([1.2, -0.4]),))
def himmelblau(p):
    x, y = p[0], p[1]
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


@program((normal(4),))
def ackley(x):
    n = len(x)
    return (-20 * np.exp(-0.2 * np.sqrt(np.sum(x**2) / n))
            - np.exp(np.sum(np.cos(2 * np.pi * x)) / n) + 20 + np.e)


@program((normal(3, 3), normal(3)))
def power_iteration(A, v):
    S = A @ A.T + np.eye(3)
    for _ in range(5):
        v = S @ v
        v = v / np.sqrt(v @ v)
    return v @ S @ v


@program((normal(5, 2), normal(5), 0.7, 0.2), rtol=1e-6)
def gaussian_process(X, y, length, noise):
    D = np.sum((X[:, None, :] - X[None, :, :]) ** 2, axis=-1)
    K = np.exp(-0.5 * D / length**2) + (noise**2 + 0.1) * np.eye(5)
    return 0.5 * y @ np.linalg.solve(K, y) + 0.5 * np.linalg.slogdet(K)[1]


@program((0.6, 1.1))
def legendre_series(x, a):
    previous, current = 1.0, x
    total = previous + a * current
    for n in range(1, 6):
        previous, current = current, ((2 * n + 1) * x * current - n * previous) / (n + 1)
        total += a ** (n + 1) * current
    return total


@program((0.4, 0.3))
def agm(a, b):
    for _ in range(5):
        a, b = (a + b) / 2, np.sqrt(a * b)
    return np.pi / (2 * a)


@program((normal(6), 0.05, 5))
def heat_equation_functional(u, nu, steps):
    for _ in range(steps):
        left, right = np.roll(u, 1), np.roll(u, -1)
        u = u + nu * (left - 2 * u + right)
    return np.sum(u * u)


@program((0.6, 1.7, 0.2, 3.0))
def continued_fraction(x, a, b, c):
    y = c
    for k in range(8, 0, -1):
        y = a + k * x / (b + y)
    return y


@program((2.5,))
def stirling_with_shift(x):
    shift = 0.0
    while x < 7:
        shift -= np.log(x)
        x += 1.0
    return shift + (x - 0.5) * np.log(x) - x + 0.5 * np.log(2 * np.pi) + 1 / (12 * x)
