"""PolyBench: products, factorisations and statistics on rows, columns and slices."""

from __future__ import annotations

import numpy as np

from corpus.entry import in_place, normal, positive, weighed

A34, B45, C35 = normal(3, 4), normal(4, 5), normal(3, 5)
SQUARE, OTHER = normal(4, 4), normal(4, 4, seed=1)
DOMINANT = normal(4, 4) + 5.0 * np.eye(4)
DEFINITE = normal(4, 4) @ normal(4, 4).T + 2.0 * np.eye(4)
DATA = normal(5, 3)


@in_place((1.5, 0.7, A34, B45, C35))
def gemm(alpha, beta, A, B, C):
    C[:] = alpha * A @ B + beta * C
    return C


@in_place((1.5, 0.7, SQUARE, *(normal(4, seed=s) for s in range(3, 9))))
def gemver(alpha, beta, A, u1, v1, u2, v2, y, z):
    A = A.copy()
    x = z.copy()
    A += np.outer(u1, v1) + np.outer(u2, v2)
    x += beta * y @ A
    w = np.zeros_like(x)
    w += alpha * A @ x
    return w


@in_place((1.5, 0.7, A34, C35, normal(4), normal(5)))
def gesummv(alpha, beta, A, B, x, z):
    y = np.empty(A.shape[0])
    np.dot(A, x, out=y)
    y *= alpha
    y += beta * (B @ z)
    return y


@in_place((A34, normal(4)))
def atax(A, x):
    y = np.zeros_like(x)
    for i in range(A.shape[0]):
        y += A[i] * (A[i] @ x)
    return y


@in_place((A34, normal(4), normal(3)))
def bicg(A, p, r):
    s = np.zeros_like(p)
    q = np.zeros_like(r)
    for i in range(A.shape[0]):
        s += r[i] * A[i, :]
        q[i] = A[i, :] @ p
    return weighed(s) * weighed(q)


@in_place((SQUARE, *(normal(4, seed=s) for s in range(4))))
def mvt(A, x1, x2, y1, y2):
    x1 += A @ y1
    x2 += y2 @ A
    return x1, x2


@in_place((1.5, 0.7, normal(3, 3), A34, normal(3, 4, seed=1)))
def symm(alpha, beta, A, B, C):
    C = C.copy()
    temp = np.empty(C.shape[1])
    C *= beta
    for i in range(C.shape[0]):
        for j in range(C.shape[1]):
            C[:i, j] += alpha * B[i, j] * A[i, :i]
            temp[j] = B[:i, j] @ A[i, :i]
        C[i, :] += alpha * B[i, :] * A[i, i] + alpha * temp
    return C


@in_place((1.5, 0.7, A34, normal(3, 3)))
def syrk(alpha, beta, A, C):
    for i in range(A.shape[0]):
        C[i, :i + 1] *= beta
        for k in range(A.shape[1]):
            C[i, :i + 1] += alpha * A[i, k] * A[:i + 1, k]
    return C


@in_place((1.5, 0.7, A34, normal(3, 4, seed=1), normal(3, 3)))
def syr2k(alpha, beta, A, B, C):
    C = C.copy()
    for i in range(A.shape[0]):
        C[i, :i + 1] *= beta
        for k in range(A.shape[1]):
            C[i, :i + 1] += A[:i + 1, k] * alpha * B[i, k] + B[:i + 1, k] * alpha * A[i, k]
    return weighed(C * C)


@in_place((1.5, normal(3, 3), A34))
def trmm(alpha, A, B):
    B = B.copy()
    for i in range(B.shape[0]):
        for j in range(B.shape[1]):
            B[i, j] += np.dot(A[i + 1:, i], B[i + 1:, j])
    B *= alpha
    return B


@in_place((1.5, 0.7, normal(3, 3), A34, normal(4, 3), C35[:, :3]))
def two_mm(alpha, beta, A, B, C, D):
    D = D.copy()
    D *= beta
    D += alpha * A @ B @ C
    return weighed(D * D)


@in_place((normal(2, 3), normal(3, 3), normal(3, 2), normal(2, 3, seed=1)))
def three_mm(A, B, C, D):
    E = np.empty((2, 3))
    F = np.empty((3, 3))
    np.matmul(A, B, out=E)
    np.matmul(C, D, out=F)
    return E @ F


@in_place((normal(2, 3, 4), SQUARE))
def doitgen(A, C4):
    A = A.copy()
    for r in range(A.shape[0]):
        for q in range(A.shape[1]):
            A[r, q, :] = A[r, q] @ C4
    return A


@in_place((DEFINITE,))
def cholesky(A):
    A = A.copy()
    A[0, 0] = np.sqrt(A[0, 0])
    for i in range(1, A.shape[0]):
        for j in range(i):
            A[i, j] -= np.dot(A[i, :j], A[j, :j])
            A[i, j] /= A[j, j]
        A[i, i] -= np.dot(A[i, :i], A[i, :i])
        A[i, i] = np.sqrt(A[i, i])
    return A


@in_place((DOMINANT,))
def lu(A):
    """Right-looking: each step updates the block that is left."""
    A = A.copy()
    for k in range(len(A)):
        A[k + 1:, k] /= A[k, k]
        A[k + 1:, k + 1:] -= np.outer(A[k + 1:, k], A[k, k + 1:])
    return A


@in_place((DOMINANT, normal(4)))
def ludcmp(A, b):
    A = A.copy()
    n = len(b)
    x = np.zeros(n)
    y = np.zeros(n)
    for i in range(n):
        for j in range(i):
            A[i, j] = (A[i, j] - A[i, :j] @ A[:j, j]) / A[j, j]
        for j in range(i, n):
            A[i, j] -= A[i, :i] @ A[:i, j]
    for i in range(n):
        y[i] = b[i] - A[i, :i] @ y[:i]
    for i in range(n - 1, -1, -1):
        x[i] = (y[i] - A[i, i + 1:] @ x[i + 1:]) / A[i, i]
    return x


@in_place((0.2 * normal(5),))
def durbin(r):
    """The right side runs over y backwards while y is written."""
    y = np.empty_like(r)
    alpha = -r[0]
    beta = 1.0
    y[0] = -r[0]
    for k in range(1, r.shape[0]):
        beta *= 1.0 - alpha * alpha
        alpha = -(r[k] + np.dot(np.flip(r[:k]), y[:k])) / beta
        y[:k] += alpha * y[k - 1::-1]
        y[k] = alpha
    return y


@in_place((normal(4, 3) + np.eye(4, 3),))
def gramschmidt(A):
    A = A.copy()
    Q = np.zeros_like(A)
    R = np.zeros((A.shape[1], A.shape[1]))
    for k in range(A.shape[1]):
        R[k, k] = np.sqrt(np.dot(A[:, k], A[:, k]))
        Q[:, k] = A[:, k] / R[k, k]
        for j in range(k + 1, A.shape[1]):
            R[k, j] = np.dot(Q[:, k], A[:, j])
            A[:, j] -= Q[:, k] * R[k, j]
    return Q, R


@in_place((DOMINANT, normal(4)))
def trisolv(L, b):
    x = b.copy()
    for i in range(len(b)):
        x[i] = (b[i] - L[i, :i] @ x[:i]) / L[i, i]
    return x


@in_place((DATA,))
def covariance(data):
    data = data.copy()
    data -= np.mean(data, axis=0)
    m = data.shape[1]
    cov = np.zeros((m, m))
    for i in range(m):
        cov[i:m, i] = cov[i, i:m] = data[:, i] @ data[:, i:m] / (data.shape[0] - 1.0)
    return cov


@in_place((DATA,))
def correlation(data):
    data = data.copy()
    n, m = data.shape
    stddev = np.std(data, axis=0)
    stddev[stddev <= 0.1] = 1.0
    data -= np.mean(data, axis=0)
    data /= np.sqrt(n) * stddev
    corr = np.eye(m)
    for i in range(m - 1):
        corr[i + 1:, i] = corr[i, i + 1:] = data[:, i] @ data[:, i + 1:]
    return corr


@in_place((normal(4, 5), 0.25))
def deriche(image, alpha):
    """All rows at once, to the right and to the left; then all columns at once, down and up."""
    e = np.exp(-alpha)
    k = (1 - e) ** 2 / (1 + 2 * alpha * e - e * e)
    a1, a2, a3, a4 = k, k * e * (alpha - 1), k * e * (alpha + 1), -k * e * e
    b1, b2 = 2 * e, -e * e
    h, w = image.shape
    first = np.zeros_like(image)
    second = np.zeros_like(image)
    first[:, 0] = a1 * image[:, 0]
    first[:, 1] = a1 * image[:, 1] + a2 * image[:, 0] + b1 * first[:, 0]
    for j in range(2, w):
        first[:, j] = (a1 * image[:, j] + a2 * image[:, j - 1]
                       + b1 * first[:, j - 1] + b2 * first[:, j - 2])
    second[:, -2] = a3 * image[:, -1]
    for j in range(w - 3, -1, -1):
        second[:, j] = (a3 * image[:, j + 1] + a4 * image[:, j + 2]
                        + b1 * second[:, j + 1] + b2 * second[:, j + 2])
    smooth = first + second
    first[0] = a1 * smooth[0]
    first[1] = a1 * smooth[1] + a2 * smooth[0] + b1 * first[0]
    for i in range(2, h):
        first[i] = a1 * smooth[i] + a2 * smooth[i - 1] + b1 * first[i - 1] + b2 * first[i - 2]
    second[-1] = 0.0
    second[-2] = a3 * smooth[-1]
    for i in range(h - 3, -1, -1):
        second[i] = (a3 * smooth[i + 1] + a4 * smooth[i + 2]
                     + b1 * second[i + 1] + b2 * second[i + 2])
    return first + second


@in_place((positive(4, 4),))
def floyd_warshall(paths):
    paths = paths.copy()
    for k in range(paths.shape[0]):
        paths[:] = np.minimum(paths[:], np.add.outer(paths[:, k], paths[k, :]))
    return paths


@in_place((positive(4, 4),))
def floyd_warshall_rows(paths):
    paths = paths.copy()
    for k in range(paths.shape[0]):
        for i in range(paths.shape[0]):
            paths[i, :] = np.minimum(paths[i, :], paths[i, k] + paths[k, :])
    return weighed(paths * paths)
