"""PolyBench: factorisations, solvers, statistics and filters, as loops over elements."""

from __future__ import annotations

import numpy as np

from corpus.entry import in_place, normal, positive, weighed

DOMINANT = normal(4, 4) + 5.0 * np.eye(4)
DEFINITE = normal(4, 4) @ normal(4, 4).T + 2.0 * np.eye(4)
DATA = normal(4, 3)


@in_place((DEFINITE,))
def cholesky(A):
    A = A.copy()
    for i in range(len(A)):
        for j in range(i):
            for k in range(j):
                A[i, j] -= A[i, k] * A[j, k]
            A[i, j] /= A[j, j]
        for k in range(i):
            A[i, i] -= A[i, k] * A[i, k]
        A[i, i] = np.sqrt(A[i, i])
    return A


@in_place((DOMINANT,))
def lu(A):
    A = A.copy()
    n = len(A)
    for i in range(n):
        for j in range(i):
            for k in range(j):
                A[i, j] -= A[i, k] * A[k, j]
            A[i, j] /= A[j, j]
        for j in range(i, n):
            for k in range(i):
                A[i, j] -= A[i, k] * A[k, j]
    return weighed(A * A)


@in_place((DOMINANT, normal(4)))
def ludcmp(A, b):
    A = A.copy()
    n = len(A)
    x = np.zeros_like(b)
    y = np.zeros_like(b)
    for i in range(n):
        for j in range(i):
            w = A[i, j]
            for k in range(j):
                w -= A[i, k] * A[k, j]
            A[i, j] = w / A[j, j]
        for j in range(i, n):
            w = A[i, j]
            for k in range(i):
                w -= A[i, k] * A[k, j]
            A[i, j] = w
    for i in range(n):
        w = b[i]
        for j in range(i):
            w -= A[i, j] * y[j]
        y[i] = w
    for i in range(n - 1, -1, -1):
        w = y[i]
        for j in range(i + 1, n):
            w -= A[i, j] * x[j]
        x[i] = w / A[i, i]
    return x


@in_place((0.2 * normal(5),))
def durbin(r):
    y = np.empty(len(r))
    z = np.empty(len(r))
    y[0] = -r[0]
    beta = 1.0
    alpha = -r[0]
    for k in range(1, len(r)):
        beta = (1 - alpha * alpha) * beta
        total = 0.0
        for i in range(k):
            total += r[k - i - 1] * y[i]
        alpha = -(r[k] + total) / beta
        for i in range(k):
            z[i] = y[i] + alpha * y[k - i - 1]
        for i in range(k):
            y[i] = z[i]
        y[k] = alpha
    return y


@in_place((DATA + np.eye(4, 3),))
def gramschmidt(A):
    A = A.copy()
    m, n = A.shape
    Q = np.zeros((m, n))
    R = np.zeros((n, n))
    for k in range(n):
        nrm = 0.0
        for i in range(m):
            nrm += A[i, k] * A[i, k]
        R[k, k] = np.sqrt(nrm)
        for i in range(m):
            Q[i, k] = A[i, k] / R[k, k]
        for j in range(k + 1, n):
            for i in range(m):
                R[k, j] += Q[i, k] * A[i, j]
            for i in range(m):
                A[i, j] -= Q[i, k] * R[k, j]
    return Q, R


@in_place((DOMINANT, normal(4)))
def trisolv(L, b):
    x = np.empty_like(b)
    for i in range(len(b)):
        x[i] = b[i]
        for j in range(i):
            x[i] -= L[i, j] * x[j]
        x[i] = x[i] / L[i, i]
    return weighed(x)


@in_place((DATA,))
def covariance(data):
    data = data.copy()
    n, m = data.shape
    mean = np.zeros(m)
    cov = np.zeros((m, m))
    for j in range(m):
        for i in range(n):
            mean[j] += data[i, j]
        mean[j] /= n
    for i in range(n):
        for j in range(m):
            data[i, j] -= mean[j]
    for i in range(m):
        for j in range(i, m):
            for k in range(n):
                cov[i, j] += data[k, i] * data[k, j]
            cov[i, j] /= n - 1.0
            cov[j, i] = cov[i, j]
    return cov


@in_place((DATA,))
def correlation(data):
    data = data.copy()
    n, m = data.shape
    stddev = np.zeros(m)
    corr = np.zeros((m, m))
    for j in range(m):
        mean = 0.0
        for i in range(n):
            mean += data[i, j] / n
        for i in range(n):
            data[i, j] -= mean
            stddev[j] += data[i, j] ** 2
        stddev[j] = np.sqrt(stddev[j] / n)
        if stddev[j] <= 0.1:
            stddev[j] = 1.0
        for i in range(n):
            data[i, j] /= np.sqrt(n) * stddev[j]
    for i in range(m - 1):
        corr[i, i] = 1.0
        for j in range(i + 1, m):
            for k in range(n):
                corr[i, j] += data[k, i] * data[k, j]
            corr[j, i] = corr[i, j]
    corr[m - 1, m - 1] = 1.0
    return weighed(corr)


@in_place((normal(4, 5), 0.25))
def deriche(image, alpha):
    """A recursive edge detector: filters to the right and to the left along the rows, whose sum is
    filtered down and up along the columns."""
    e = np.exp(-alpha)
    k = (1 - e) ** 2 / (1 + 2 * alpha * e - e * e)
    a1, a2, a3, a4 = k, k * e * (alpha - 1), k * e * (alpha + 1), -k * e * e
    b1, b2 = 2.0 * e, -e * e
    h, w = image.shape
    first = np.empty((h, w))
    second = np.empty((h, w))
    smooth = np.empty((h, w))
    for i in range(h):
        ym1, ym2, xm1 = 0.0, 0.0, 0.0
        for j in range(w):
            first[i, j] = a1 * image[i, j] + a2 * xm1 + b1 * ym1 + b2 * ym2
            xm1 = image[i, j]
            ym2 = ym1
            ym1 = first[i, j]
        yp1, yp2, xp1, xp2 = 0.0, 0.0, 0.0, 0.0
        for j in range(w - 1, -1, -1):
            second[i, j] = a3 * xp1 + a4 * xp2 + b1 * yp1 + b2 * yp2
            xp2 = xp1
            xp1 = image[i, j]
            yp2 = yp1
            yp1 = second[i, j]
    for i in range(h):
        for j in range(w):
            smooth[i, j] = first[i, j] + second[i, j]
    for j in range(w):
        tm1, ym1, ym2 = 0.0, 0.0, 0.0
        for i in range(h):
            first[i, j] = a1 * smooth[i, j] + a2 * tm1 + b1 * ym1 + b2 * ym2
            tm1 = smooth[i, j]
            ym2 = ym1
            ym1 = first[i, j]
        tp1, tp2, yp1, yp2 = 0.0, 0.0, 0.0, 0.0
        for i in range(h - 1, -1, -1):
            second[i, j] = a3 * tp1 + a4 * tp2 + b1 * yp1 + b2 * yp2
            tp2 = tp1
            tp1 = smooth[i, j]
            yp2 = yp1
            yp1 = second[i, j]
    for i in range(h):
        for j in range(w):
            smooth[i, j] = first[i, j] + second[i, j]
    return smooth


@in_place((positive(4, 4),))
def floyd_warshall(paths):
    paths = paths.copy()
    n = len(paths)
    for k in range(n):
        for i in range(n):
            for j in range(n):
                if paths[i, k] + paths[k, j] < paths[i, j]:
                    paths[i, j] = paths[i, k] + paths[k, j]
    return paths


@in_place((DEFINITE, normal(4)))
def cholesky_solve(A, b):
    """Factor, then forward and back substitution in the right-hand side."""
    L = A.copy()
    n = len(b)
    x = b.copy()
    for j in range(n):
        for k in range(j):
            L[j, j] -= L[j, k] ** 2
        L[j, j] = np.sqrt(L[j, j])
        for i in range(j + 1, n):
            for k in range(j):
                L[i, j] -= L[i, k] * L[j, k]
            L[i, j] /= L[j, j]
    for i in range(n):
        for j in range(i):
            x[i] -= L[i, j] * x[j]
        x[i] /= L[i, i]
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            x[i] -= L[j, i] * x[j]
        x[i] /= L[i, i]
    return np.sum(b * x)


@in_place((positive(5), 4.0 + positive(6), normal(5, seed=1), normal(6)))
def thomas_algorithm(lower, main, upper, d):
    """A tridiagonal system, solved in the arrays that hold it."""
    upper = upper.copy()
    d = d.copy()
    upper[0] /= main[0]
    d[0] /= main[0]
    for i in range(1, 6):
        pivot = main[i] - lower[i - 1] * upper[i - 1]
        if i < 5:
            upper[i] /= pivot
        d[i] = (d[i] - lower[i - 1] * d[i - 1]) / pivot
    for i in range(4, -1, -1):
        d[i] -= upper[i] * d[i + 1]
    return d
