"""Loops over samples in which one matrix meets a vector of each: networks, regressions, points."""

from __future__ import annotations

import numpy as np

from corpus.entry import in_place, normal, program


@program((normal(4, 3), normal(4), normal(2, 4), normal(7, 3), np.array([0, 1, 1, 0, 1, 1, 0])))
def network_sample_by_sample(W, b, V, X, labels):
    total = 0.0
    for k in range(X.shape[0]):
        h = np.tanh(W @ X[k] + b)
        z = V @ h
        total += np.log(np.sum(np.exp(z))) - z[labels[k]]
    return total / X.shape[0]


@in_place((normal(4, 3), normal(3, 4), normal(5, 3)))
def outputs_in_rows(W, V, X):
    Y = np.zeros((X.shape[0], 3))
    for k in range(X.shape[0]):
        h = W @ X[k]
        Y[k] = X[k] + V @ (h * np.abs(h))
    return np.sum(Y * Y)


@in_place((normal(3, 3), normal(6, 3)))
def rotated_points(R, P):
    Q = P.copy()
    for k in range(len(Q)):
        Q[k] = R @ P[k]
    return np.sum(np.sin(Q))


@program((normal(3, 3), normal(6, 3), 0.3))
def quadratic_forms_with_branches(A, X, threshold):
    total = 0.0
    count = 0
    for k in range(len(X)):
        x = X[k]
        value = x @ A @ x
        if value > threshold:
            y = A @ x
            total += np.sum(y * y)
            count += 1
        else:
            total -= value
    return total / (1 + count)


@program((normal(4, 3), normal(6, 3), normal(6), normal(4)))
def robust_regression(W, X, t, v):
    loss = 0.0
    worst = 0.0
    for k in range(len(t)):
        r = v @ np.tanh(W @ X[k]) - t[k]
        weight = 1.0 if abs(r) < 1.0 else 1.0 / abs(r)
        loss = loss + weight * r * r
        worst = max(worst, abs(r))
    return loss + 0.1 * worst


@program((normal(3, 4), normal(5, 4), normal(3)))
def running_average_of_features(W, X, m):
    for k in range(len(X)):
        m = 0.9 * m + 0.1 * np.tanh(W @ X[k])
    return np.sum(m * m)


@program((normal(3, 3), normal(3, 3), normal(5, 3)))
def features_in_a_recurrence(U, W, X):
    h = np.zeros(3)
    for k in range(len(X)):
        h = np.tanh(U @ h + W @ X[k])
    return np.sum(h)


@program((normal(4, 3), normal(3, 4), normal(2, 5, 3)))
def batches_of_samples(W, V, X):
    total = 0.0
    for i in range(X.shape[0]):
        step = 0.0
        for k in range(X.shape[1]):
            h = np.tanh(W @ X[i, k])
            step += np.sum(np.cos(h @ W) + V @ h)
        total += step * step
    return total


@program((normal(3, 3), normal(6, 3)))
def neighbours_in_a_chain(A, X):
    energy = 0.0
    for k in range(1, len(X)):
        d = A @ (X[k] - X[k - 1])
        energy += 0.5 * d @ d
    return energy


@program((normal(3, 3), normal(6, 3), np.array([2, 0, 5, 2])))
def gathered_rows(A, X, rows):
    s = np.zeros(3)
    for k in range(len(rows)):
        x = X[rows[k]]
        s += np.maximum(A @ x, 0.1 * x)
    return np.prod(1.0 + s * s)


@program((normal(4, 3), normal(3, 4), normal(5, 3)))
def inner_steps_between_products(W, V, X):
    total = 0.0
    for k in range(len(X)):
        h = W @ X[k]
        for _ in range(3):
            h = h - 0.1 * h**3
        total += np.sum(np.exp(-(V @ h) ** 2))
    return total
