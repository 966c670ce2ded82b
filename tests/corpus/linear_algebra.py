"""Products of all ranks, solves, decompositions."""

from __future__ import annotations

import numpy as np

from corpus.entry import normal, program

SPD = normal(3, 3) @ normal(3, 3).T + 3 * np.eye(3)
GENERAL = normal(3, 3, seed=5) + 3 * np.eye(3)


@program((normal(4), normal(4, seed=1)))
def vector_by_vector(x, y):
    return (x @ y) * np.dot(x, x) + np.inner(x, y)


@program((normal(3, 4), normal(4)))
def matrix_by_vector(A, x):
    return A @ x + np.dot(A, x) * np.matmul(A, x)


@program((normal(3), normal(3, 4)))
def vector_by_matrix(x, A):
    return x @ A


@program((normal(2, 3), normal(3, 4)), (normal(1, 3), normal(3, 1)), (normal(2, 1), normal(1, 2)))
def matrix_by_matrix(A, B):
    return A @ B


@program((normal(2, 3, 4), normal(2, 4, 2)))
def stacked_product(A, B):
    return A @ B


@program((normal(2, 3, 4), normal(4, 2)))
def stack_by_matrix(A, B):
    return A @ B


@program((normal(2, 3, 4), normal(4)))
def stack_by_vector(A, x):
    return np.matmul(A, x)


@program((normal(3), normal(4)))
def outer(x, y):
    return np.sum(np.outer(x, y) ** 2 * np.outer(np.sin(x), y))


@program((normal(3, 3), normal(3)))
def quadratic_form(A, x):
    return x @ A @ x + np.trace(A @ A)


@program((normal(2, 3), normal(3, 4)))
def einsum_product(A, B):
    return np.einsum("ij,jk->ik", A, B)


@program((normal(2, 3, 4), normal(2, 3)))
def einsum_contraction(A, B):
    return np.einsum("bij,bi->bj", A, B)


@program((normal(3, 3),))
def einsum_trace(A):
    return np.einsum("ii->", A) * np.einsum("ij,ij->", A, A)


@program((GENERAL, normal(3)))
def solve_vector(A, b):
    return np.linalg.solve(A, b)


@program((GENERAL, normal(3, 2)))
def solve_matrix(A, B):
    return np.sum(np.linalg.solve(A, B) ** 2)


@program((GENERAL,))
def inverse(A):
    return np.linalg.inv(A) * A.T


@program((GENERAL,))
def determinants(A):
    sign, logarithm = np.linalg.slogdet(A)
    return np.linalg.det(A) + logarithm * sign


@program((SPD,), jax=False)
def cholesky(A):
    S = (A + A.T) / 2
    return np.linalg.cholesky(S)


@program((SPD, normal(3)), jax=False)
def cholesky_log_likelihood(A, x):
    L = np.linalg.cholesky((A + A.T) / 2)
    z = np.linalg.solve(L, x)
    return -0.5 * np.sum(z * z) - np.sum(np.log(np.diagonal(L))) - 1.5 * np.log(2 * np.pi)


@program((normal(4), normal(3, 4)))
def norms(x, A):
    return np.linalg.norm(x) + np.linalg.norm(A) ** 2 + np.sum(np.linalg.norm(A, axis=1))


@program((np.zeros(3),), expected=[(np.zeros(3),)], jax=False)
def norm_at_zero(x):
    return np.linalg.norm(x)


@program((normal(3, 4), normal(4), normal(2, 3)))
def chain_of_products(A, x, B):
    return np.sum((B @ (A @ x)) ** 2)


@program((normal(3, 2),))
def gram_matrix(A):
    return A.T @ A


@program((normal(3, 4).T, normal(3)))
def product_of_transposed_memory(A, x):
    return A @ x


@program((normal(3, 5), normal(3)))
def product_of_slices(A, x):
    return A[:, 1:4] @ x + A[:, ::2] @ x[::-1]


@program((normal(0, 3), normal(3)))
def empty_product(A, x):
    return np.sum(A @ x) + np.sum(x)


@program((normal(5, 3), normal(5), 0.1))
def ridge_by_normal_equations(X, y, ridge):
    w = np.linalg.solve(X.T @ X + ridge * np.eye(3), X.T @ y)
    return np.sum((X @ w - y) ** 2)


@program((normal(6),))
def fourier_by_matrix(x):
    n = len(x)
    k = np.arange(n)
    angles = 2 * np.pi * np.outer(k, k) / n
    return np.sum(((np.cos(angles) @ x) ** 2 + (np.sin(angles) @ x) ** 2) ** 1.5)
