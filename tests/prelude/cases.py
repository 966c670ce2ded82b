"""Calls of every function of the prelude, as users write them."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from typing import Any

import numpy as np

rng = np.random.default_rng(7)
V, W = rng.normal(size=4), rng.normal(size=4)
M, N = rng.normal(size=(3, 4)), rng.normal(size=(4, 3))
T = rng.normal(size=(2, 3, 4))
S = rng.normal(size=(4, 4)) + 4 * np.eye(4)
F = rng.normal(size=(3, 4)).astype("float32")
I = rng.integers(-3, 4, size=(3, 4))  # noqa: E741
B = I > 0
Z = M + 1j * N.T

Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]


def case(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Call:
    return function, args, kwargs


def reductions() -> list[Call]:
    cases = []
    for f in (np.sum, np.prod, np.max, np.min, np.amax, np.amin, np.any, np.all, np.mean, np.std,
              np.var, np.ptp, np.count_nonzero, np.argmax, np.argmin):
        cases += [case(f, x) for x in (V, M, T, F, I, [1.0, 2.0], [[1, 2], [3, 5]])]
        cases += [case(f, M, axis=0), case(f, M, axis=-1), case(f, F, axis=1), case(f, V, axis=0)]
        cases += [case(f, x, keepdims=True) for x in (V, M)]
        cases += [case(f, T, axis=1, keepdims=True), case(f, I, axis=1)]
        if f not in (np.argmax, np.argmin):
            cases += [case(f, T, axis=(0, -1)), case(f, T, axis=(2, 0), keepdims=True),
                      case(f, T, axis=(0, 1, 2)), case(f, M, axis=()), case(f, 3.5),
                      case(f, np.float32(2))]
    for f in (np.sum, np.prod, np.mean, np.any, np.all, np.count_nonzero):
        cases += [case(f, B), case(f, B, axis=0)]
    cases += [case(f, Z, axis=0) for f in (np.sum, np.prod, np.mean, np.var, np.std)]
    cases += [case(f, M, dtype="float32") for f in (np.sum, np.prod, np.mean)]
    cases += [case(np.sum, I, dtype=float), case(np.sum, V, initial=2.0),
              case(np.prod, V, initial=2.0), case(np.mean, 4), case(np.argmax, T, axis=1),
              case(np.max, np.max(V))]
    for f in (np.var, np.std):
        cases += [case(f, M, ddof=1), case(f, F, ddof=1, axis=0), case(f, V, ddof=5),
                  case(f, M, axis=0, correction=1), case(f, V, ddof=0.5)]
    for f in (np.cumsum, np.cumprod):
        cases += [case(f, x) for x in (V, M, F, I, B, 2.0)]
        cases += [case(f, M, axis=0), case(f, T, axis=-2), case(f, I, dtype="float64")]
    cases += [case(np.average, M), case(np.average, M, axis=0), case(np.average, V, weights=W**2),
              case(np.average, M, weights=M**2), case(np.average, M, axis=1, weights=W**2),
              case(np.average, M, axis=0, weights=[1.0, 2, 3], keepdims=True)]
    return cases


def shapes() -> list[Call]:
    return [
        case(np.reshape, M, (4, 3)), case(np.reshape, M, (-1,)), case(np.reshape, M, -1),
        case(np.reshape, M, (2, -1)), case(np.reshape, M, [2, 3, -1]), case(np.reshape, 2.0, (1,)),
        case(np.reshape, [1, 2, 3, 4], (2, 2)), case(np.reshape, V[:1], ()),
        case(np.ravel, M), case(np.ravel, V), case(np.ravel, 1.5), case(np.ravel, [[1, 2]]),
        case(np.transpose, M), case(np.transpose, V), case(np.transpose, T),
        case(np.transpose, T, (1, 0, 2)), case(np.transpose, T, (-1, 0, 1)),
        case(np.permute_dims, T, (1, 0, 2)), case(np.matrix_transpose, T),
        case(np.swapaxes, T, 0, -1), case(np.moveaxis, T, 0, -1),
        case(np.moveaxis, T, (0, 1), (-1, -2)), case(np.expand_dims, V, 0),
        case(np.expand_dims, M, -1), case(np.expand_dims, M, (0, 2)), case(np.expand_dims, 1.0, 0),
        case(np.squeeze, M[:, None]), case(np.squeeze, M[None], axis=0),
        case(np.squeeze, M[:1, :1]), case(np.broadcast_to, V, (3, 4)),
        case(np.broadcast_to, 2.0, (3,)), case(np.broadcast_to, V, 4),
        case(np.atleast_1d, 2.0), case(np.atleast_1d, V, 3.0), case(np.atleast_2d, V),
        case(np.atleast_2d, 2.0), case(np.atleast_2d, T, V), case(np.flip, V), case(np.flip, M),
        case(np.flip, T, (0, -1)), case(np.flip, M, 1), case(np.flipud, M), case(np.fliplr, M),
        *[case(np.roll, V, n) for n in (-9, -4, -1, 0, 1, 2, 7)],
        *[case(np.roll, M, n, 1) for n in (-2, -1, 1, 2)], case(np.roll, M, 2),
        case(np.roll, T, (1, 2), (0, -1)), case(np.roll, T, 1, (0, 1)),
        case(np.roll, V[:1], 1), case(np.roll, V[:0], 1), case(np.roll, V[:0], 2),
        case(np.repeat, V, 3), case(np.repeat, M, 2, axis=0), case(np.repeat, M, 2, axis=1),
        case(np.repeat, M, 2), case(np.tile, V, 2), case(np.tile, M, 2), case(np.tile, V, (3, 2)),
        case(np.tile, M, (2, 3)), case(np.tile, M, (2, 1, 3)), case(np.tile, 2.0, 3),
        case(np.take, V, [0, 2]), case(np.take, M, [1, 5]), case(np.take, M, [0, 2], axis=0),
        case(np.take, T, [[0, 1], [2, 3]], axis=2), case(np.take, T, 1, axis=1),
        case(np.take, T, [0, 2], axis=-2),
    ]


def creation() -> list[Call]:
    return [
        *[case(f, shape) for f in (np.zeros, np.ones) for shape in (3, (2, 3), [2, 1])],
        case(np.zeros, 3, dtype=np.float32), case(np.ones, (2,), "int64"),
        case(np.full, 3, 2.5), case(np.full, (2, 3), 1), case(np.full, (2,), 1, dtype=float),
        case(np.full, (3, 4), V), case(np.full, 2, np.float32(3)),
        *[case(f, x) for f in (np.zeros_like, np.ones_like) for x in (M, F, I, B)],
        case(np.zeros_like, M, dtype="float32"), case(np.zeros_like, M, shape=(2,)),
        case(np.full_like, F, 2), case(np.full_like, I, 2.7), case(np.full_like, M, 2, dtype=int),
        case(np.eye, 3), case(np.eye, 3, 4, 1), case(np.eye, 2, dtype="float32"),
        case(np.identity, 3), case(np.arange, 5), case(np.arange, 2, 7), case(np.arange, 7, 2, -2),
        case(np.arange, 0.5, 3.0), case(np.arange, 0, 1, 0.25), case(np.arange, 3, dtype=float),
        case(np.linspace, 0, 1), case(np.linspace, -1.0, 2.0, 7), case(np.linspace, 0, 1, 1),
        case(np.linspace, 0, 1, 4, endpoint=False), case(np.linspace, 3, 1, 5, retstep=True),
        case(np.linspace, 0, 1, 3, dtype="float32"),
        *[case(f, x) for f in (np.array, np.asarray) for x in (
            [1.0, 2.0], (1, 2), [[1, 2], [3, 4.5]], [[[1]]], M, [V, W], [[V, W], [W, V]], [],
              [True])],
        case(np.array, [1, 2], dtype=float), case(np.array, V, ndmin=2),
        case(np.array, M, "float32"),
        case(np.array, [M[0, 0], 2.0]), case(np.asarray, M, dtype="float32"),
        case(np.copy, M), case(np.copy, [1, 2]), case(np.astype, M, "float32"),
        case(np.astype, M, np.int64), case(np.diagonal, S), case(np.diagonal, M, 1),
        case(np.diagonal, M, -1), case(np.diagonal, M, 2, 1, 0), case(np.diag, V),
        case(np.diag, V, 2), case(np.diag, V, -1), case(np.diag, M), case(np.diag, M, -2),
        case(np.diag, I[0]), case(np.trace, S), case(np.trace, M, offset=1), case(np.trace, I),
        case(np.tril, M), case(np.triu, M), case(np.tril, M, -1), case(np.triu, T, 1),
        case(np.tril, F), case(np.meshgrid, V, M[0, :3]), case(np.meshgrid, V, W[:2],
        indexing="ij"),
        case(np.meshgrid, V, W[:2], W[:3]), case(np.meshgrid, V, W[:2], sparse=True),
    ]


def joining() -> list[Call]:
    return [
        case(np.concatenate, (V, W)), case(np.concatenate, [M, M], axis=1),
        case(np.concatenate, (T, T), -1), case(np.concatenate, (M, V), axis=None),
        case(np.concatenate, (V, F[0])), case(np.concatenate, (V, [1.0])),
        case(np.concatenate, (V, W), dtype="float32"), case(np.stack, (V, W)),
        case(np.stack, (M, M), axis=-1), case(np.stack, (M, M), 1), case(np.stack, (1.0, 2.0)),
        case(np.hstack, (V, 1.0)), case(np.hstack, (M, M)), case(np.vstack, (V, W)),
        case(np.vstack, (M, V)), case(np.column_stack, (V, W)), case(np.column_stack, (N, V)),
        case(np.diff, V), case(np.diff, M), case(np.diff, M, 2), case(np.diff, M, axis=0),
        case(np.diff, V, n=0), case(np.diff, I), case(np.trapezoid, V),
        case(np.trapezoid, V, dx=0.5),
        case(np.trapezoid, V, np.sort(W)), case(np.trapezoid, M, W, axis=1),
        case(np.trapezoid, M, axis=0), case(np.trapezoid, M, M),
        *[case(np.convolve, a, v, mode) for mode in ("full", "same", "valid")
          for a, v in ((V, W), (T.ravel(), V), (V, T.ravel()), (V, W[:1]), (V, W[:3]), (F[0],
          F[1]))],
        case(np.convolve, V, W), case(np.convolve, I[0], I[1]),
        case(np.gradient, V), case(np.gradient, V, 0.5), case(np.gradient, M, axis=1),
        case(np.gradient, M, 0.5, 2.0), case(np.gradient, M), case(np.gradient, T, axis=(0, 2)),
    ]


def products() -> list[Call]:
    return [
        *[case(np.matmul, x, y) for x, y in ((V, W), (M, N), (M, V), (V, N), (T, N), (T, V),
          (T, N[None]))],
        *[case(np.dot, x, y) for x, y in ((V, W), (M, N), (M, V), (V, N), (T, N), (T, V), (2.0, V),
                                          (M, 3.0), (T, rng.normal(size=(2, 4, 3))),
                                            (V, T.swapaxes(1, 2)))],
        case(np.dot, [1, 2], [3, 4]), case(np.dot, F, F.T), case(np.dot, I, I.T),
        case(np.vdot, V, W), case(np.vdot, M, M), case(np.vdot, Z, Z), case(np.inner, V, W),
        case(np.inner, M, M), case(np.inner, M, V), case(np.inner, V, M), case(np.inner, T, M),
        case(np.inner, T, T), case(np.inner, 2.0, V), case(np.outer, V, W), case(np.outer, M, V),
        case(np.outer, 2.0, V), case(np.outer, F[0], F[1]),
        *[case(np.tensordot, x, y, axes) for x, y, axes in (
            (M, N, 1), (T, T, 3), (T, N, 1), (M, M, 2), (V, W, 0), (T, T, ([0, 1], [0, 1])),
            (T, M, ((1, 2), (0, 1))), (T, M, (-1, 1)), (M, V, 1))],
        case(np.tensordot, M, M),
        *[case(np.einsum, spec, *xs) for spec, xs in (
            ("ij,jk->ik", (M, N)), ("ij,jk", (M, N)), ("i,i", (V, W)), ("ij -> ji", (M,)),
            ("ba", (M,)), ("ii", (S,)), ("ii->i", (S,)), ("ii,i->i", (S, V)),
            ("ijk,kl->il", (T, N)),
            ("ij,ij->", (M, M)), ("ij->", (M,)), ("i,j,i->j", (V, W, V)), (",i", (2.0, V)))],
        case(np.kron, M, S), case(np.kron, V, W), case(np.kron, V, M), case(np.kron, M, V),
    ]


def linalg() -> list[Call]:
    P = S @ S.T
    return [
        case(np.linalg.solve, S, V), case(np.linalg.solve, S, N), case(np.linalg.inv, S),
        case(np.linalg.det, S), case(np.linalg.slogdet, -S), case(np.linalg.cholesky, P),
        case(np.linalg.cholesky, P, upper=True),
        case(np.linalg.solve, I[:, :3] * 1 + 9 * np.eye(3), [1, 2, 3]),
        *[case(np.linalg.matrix_power, S, n) for n in (-2, -1, 0, 1, 2, 5)],
        *[case(np.linalg.norm, x) for x in (V, M, T, F, 0 * V, Z, I)],
        *[case(np.linalg.norm, V, p) for p in (1, 2, 3, 0.5, np.inf, -np.inf, -1)],
        *[case(np.linalg.norm, M, p) for p in ("fro", 1, -1, np.inf, -np.inf)],
        case(np.linalg.norm, M, axis=0), case(np.linalg.norm, M, axis=-1, keepdims=True),
        case(np.linalg.norm, M, keepdims=True), case(np.linalg.norm, V, keepdims=True),
        case(np.linalg.norm, T, axis=(0, 2)), case(np.linalg.norm, T, 1, (2, 0)),
        case(np.linalg.norm, T, np.inf, (0, 1), True), case(np.linalg.norm, M, 1, 1),
        case(np.linalg.norm, 0 * V, 3), case(np.linalg.norm, F, axis=1),
    ]


def elementwise() -> list[Call]:
    return [
        case(np.where, M > 0, M, 0.0), case(np.where, B, 1, F), case(np.square, M),
        case(np.square, 2), case(np.reciprocal, M), case(np.positive, M), case(np.clip, M, -1, 1),
        case(np.clip, M, None, 0.5), case(np.clip, F, -1, 1),
        case(np.clip, M, min=0), case(np.clip, M, V, 2.0), case(np.real, M), case(np.imag, M),
        case(np.angle, Z), case(np.angle, Z, deg=True), case(np.angle, M),
        case(np.iscomplex, Z), case(np.isreal, Z), case(np.isreal, M),
        case(np.iscomplexobj, Z), case(np.isrealobj, Z), case(np.isrealobj, M),
        case(cmath.phase, 1 - 2j), case(cmath.log, 1 - 2j), case(cmath.log, 1 - 2j, 10.0),
        case(cmath.polar, 1 - 2j), case(cmath.rect, 2.0, 0.3),
        case(np.real, Z), case(np.imag, Z), case(np.conjugate, Z), case(np.conjugate, M),
        case(np.deg2rad, M), case(np.rad2deg, F), case(np.radians, 3.0), case(np.degrees, M),
        case(np.fabs, M), case(np.fabs, I), case(np.logical_xor, M > 0, B),
        case(np.logical_xor, M, I), case(np.round, M), case(np.round, M, 2), case(np.round, I),
        case(np.around, M * 100, -1), case(np.round, F, 1), case(np.divmod, M, 0.3),
        case(np.isclose, M, M + 1e-9), case(np.isclose, V, np.array([V[0], np.inf, np.nan, 2])),
        case(np.isclose, V * np.nan, V * np.nan, equal_nan=True), case(np.allclose, M, M + 1e-9),
    ]


def numbers() -> list[Call]:
    x, y = 0.7, -1.3
    return [
        case(max, x, y), case(max, [x, y, 2.0]), case(max, 1, 1.0), case(max, 1.0, 1),
        case(max, V), case(min, x, y), case(min, (x, y)), case(min, V), case(sum, [x, y, 1]),
        case(sum, []), case(sum, [x], 2.0), case(sum, (V, W)), case(sum, M),
        case(sum, [True, True]),
        case(sum, M, V), case(pow, x, 3), case(pow, 2, 3), case(float, 2), case(float, x),
        case(int, x), case(int, y), case(int, True), case(int, 3), case(bool, x), case(bool, 0),
        case(bool, True), case(divmod, 7, 3), case(divmod, x, y), case(math.log, x),
        case(math.log, x, 2), case(math.pow, 2, 3), case(math.pow, x, y), case(math.fmod, 7, -3),
        case(math.fmod, x, y), case(math.floor, y), case(math.floor, 3), case(math.ceil, y),
        case(math.trunc, y), case(math.fabs, y), case(math.fabs, -2), case(math.hypot, x, y),
        case(math.hypot, x, y, 2.0), case(math.hypot, y), case(math.degrees, x),
        case(math.radians, x), case(math.prod, [x, y, 2]), case(math.prod, [2, 3], start=4),
    ]


def sorting() -> list[Call]:
    ties = np.array([2.0, -0.0, 2.0, 0.0, np.nan, -1.0, np.inf])
    cases = [case(f, x, axis=a) for f in (np.sort, np.argsort) for x, a in
             ((V, -1), (M, 0), (M, 1), (M, None), (T, 1), (F, -1), (I, 0), (B, 1), (V[:0], 0))]
    cases += [case(np.argsort, ties, kind="stable"), case(np.sort, ties), case(np.argsort, 2.0),
              case(np.sort, [3, 1, 2], kind="heapsort")]
    for x in (V, V[:3], V[:1], M, F, I, B, ties, [3, 1], 2.5):
        cases.append(case(np.median, x))
    cases += [case(np.median, M, axis=0), case(np.median, M, -1, keepdims=True),
              case(np.median, T, axis=1), case(np.median, M, keepdims=True),
              case(np.median, I, axis=1)]
    for q in (0.0, 0.3, 0.5, 0.77, 1.0, np.float64(0.4), [0.1, 0.9], np.array([[0.2], [1.0]])):
        cases += [case(np.quantile, V, q), case(np.quantile, M, q, axis=0),
                  case(np.quantile, T, q, axis=1, keepdims=True), case(np.quantile, F, q),
                  case(np.quantile, I, q), case(np.quantile, ties[:4], q, keepdims=True)]
    cases += [case(np.quantile, ties, 0.5), case(np.percentile, V, 50),
              case(np.percentile, M, 30.0), case(np.percentile, M, [10, 95], axis=1),
              case(np.percentile, F, 25)]
    cases += [case(np.take_along_axis, M, np.argsort(M, axis=k), k) for k in (0, 1)]
    cases += [case(np.take_along_axis, M, np.array([[1], [-1], [0]]), axis=1),
              case(np.take_along_axis, M, np.array([5, 0]), axis=None)]
    known = np.array([-1.0, 0.0, 0.0, 2.0])
    cases += [case(np.searchsorted, known, v, side=side) for side in ("left", "right")
              for v in (0.0, -2.0, 5.0, V, M, [0.0, 1.0], np.array([1, 2]))]
    return cases


CASES = [*reductions(), *shapes(), *creation(), *joining(), *products(), *linalg(),
         *elementwise(), *numbers(), *sorting()]
