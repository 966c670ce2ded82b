"""PolyBench: matrix products, as loops over elements."""

from __future__ import annotations

import numpy as np

from corpus.entry import in_place, normal, weighed

A34, B45, C35 = normal(3, 4), normal(4, 5), normal(3, 5)
SQUARE, OTHER, THIRD = normal(4, 4), normal(4, 4, seed=1), normal(4, 4, seed=2)


@in_place((1.5, 0.7, A34, B45, C35))
def gemm(alpha, beta, A, B, C):
    C = C.copy()
    for i in range(C.shape[0]):
        for j in range(C.shape[1]):
            C[i, j] *= beta
        for k in range(A.shape[1]):
            for j in range(C.shape[1]):
                C[i, j] += alpha * A[i, k] * B[k, j]
    return C


@in_place((1.5, 0.7, SQUARE, *(normal(4, seed=s) for s in range(3, 9))))
def gemver(alpha, beta, A, u1, v1, u2, v2, y, z):
    n = A.shape[0]
    A = A.copy()
    x = np.zeros(n)
    w = np.zeros(n)
    for i in range(n):
        for j in range(n):
            A[i, j] = A[i, j] + u1[i] * v1[j] + u2[i] * v2[j]
    for i in range(n):
        for j in range(n):
            x[i] = x[i] + beta * A[j, i] * y[j]
    for i in range(n):
        x[i] = x[i] + z[i]
    for i in range(n):
        for j in range(n):
            w[i] = w[i] + alpha * A[i, j] * x[j]
    return weighed(w) + np.sum(A * A)


@in_place((1.5, 0.7, SQUARE, OTHER, normal(4)))
def gesummv(alpha, beta, A, B, x):
    n = len(x)
    tmp = np.empty(n)
    y = np.empty(n)
    for i in range(n):
        tmp[i] = 0.0
        y[i] = 0.0
        for j in range(n):
            tmp[i] = A[i, j] * x[j] + tmp[i]
            y[i] = B[i, j] * x[j] + y[i]
        y[i] = alpha * tmp[i] + beta * y[i]
    return y


@in_place((A34, normal(4)))
def atax(A, x):
    m, n = A.shape
    y = np.zeros(n)
    tmp = np.empty(m)
    for i in range(m):
        tmp[i] = 0.0
        for j in range(n):
            tmp[i] += A[i, j] * x[j]
        for j in range(n):
            y[j] += A[i, j] * tmp[i]
    return y


@in_place((A34, normal(4), normal(3)))
def bicg(A, p, r):
    n, m = A.shape
    s = np.zeros(m)
    q = np.zeros(n)
    for i in range(n):
        for j in range(m):
            s[j] += r[i] * A[i, j]
            q[i] += A[i, j] * p[j]
    return s, q


@in_place((SQUARE, *(normal(4, seed=s) for s in range(4))))
def mvt(A, x1, x2, y1, y2):
    n = len(A)
    for i in range(n):
        for j in range(n):
            x1[i] = x1[i] + A[i, j] * y1[j]
    for i in range(n):
        for j in range(n):
            x2[i] = x2[i] + A[j, i] * y2[j]
    return weighed(x1) + weighed(x2 * x2)


@in_place((1.5, 0.7, normal(3, 3), A34, normal(3, 4, seed=1)))
def symm(alpha, beta, A, B, C):
    C = C.copy()
    m, n = C.shape
    for i in range(m):
        for j in range(n):
            temp = 0.0
            for k in range(i):
                C[k, j] += alpha * B[i, j] * A[i, k]
                temp += B[k, j] * A[i, k]
            C[i, j] = beta * C[i, j] + alpha * B[i, j] * A[i, i] + alpha * temp
    return C


@in_place((1.5, 0.7, A34, normal(3, 3)))
def syrk(alpha, beta, A, C):
    C = C.copy()
    n, m = A.shape
    for i in range(n):
        for j in range(i + 1):
            C[i, j] *= beta
        for k in range(m):
            for j in range(i + 1):
                C[i, j] += alpha * A[i, k] * A[j, k]
    return weighed(C * C)


@in_place((1.5, 0.7, A34, normal(3, 4, seed=1), normal(3, 3)))
def syr2k(alpha, beta, A, B, C):
    C = C.copy()
    n, m = A.shape
    for i in range(n):
        for j in range(i + 1):
            C[i, j] *= beta
        for k in range(m):
            for j in range(i + 1):
                C[i, j] += A[j, k] * alpha * B[i, k] + B[j, k] * alpha * A[i, k]
    return C


@in_place((1.5, normal(3, 3), A34))
def trmm(alpha, A, B):
    B = B.copy()
    m, n = B.shape
    for i in range(m):
        for j in range(n):
            for k in range(i + 1, m):
                B[i, j] += A[k, i] * B[k, j]
            B[i, j] = alpha * B[i, j]
    return weighed(B * B)


@in_place((1.5, 0.7, normal(3, 3), A34, normal(4, 3), C35[:, :3]))
def two_mm(alpha, beta, A, B, C, D):
    D = D.copy()
    tmp = np.zeros((A.shape[0], B.shape[1]))
    for i in range(tmp.shape[0]):
        for j in range(tmp.shape[1]):
            for k in range(A.shape[1]):
                tmp[i, j] += alpha * A[i, k] * B[k, j]
    for i in range(D.shape[0]):
        for j in range(D.shape[1]):
            D[i, j] *= beta
            for k in range(C.shape[0]):
                D[i, j] += tmp[i, k] * C[k, j]
    return D


def product_into(C, A, B):
    for i in range(A.shape[0]):
        for j in range(B.shape[1]):
            C[i, j] = 0.0
            for k in range(A.shape[1]):
                C[i, j] += A[i, k] * B[k, j]


@in_place((normal(2, 3), normal(3, 3), normal(3, 2), normal(2, 3, seed=1)))
def three_mm(A, B, C, D):
    E = np.empty((2, 3))
    F = np.empty((3, 3))
    G = np.empty((2, 3))
    product_into(E, A, B)
    product_into(F, C, D)
    product_into(G, E, F)
    return weighed(G * G)


@in_place((normal(2, 3, 4), SQUARE))
def doitgen(A, C4):
    A = A.copy()
    total = np.zeros(A.shape[2])
    for r in range(A.shape[0]):
        for q in range(A.shape[1]):
            for p in range(A.shape[2]):
                total[p] = 0.0
                for s in range(A.shape[2]):
                    total[p] += A[r, q, s] * C4[s, p]
            for p in range(A.shape[2]):
                A[r, q, p] = total[p]
    return A
