"""What jvp costs beside the function, hvp beside the gradient, a Jacobian beside the function."""

from __future__ import annotations

import math

import numpy as np

import retrograd as rg
from common import grown_heap, side_by_side, table
from lorenz import H, lorenz


def rosenbrock(x):
    s = 0.0
    for i in range(len(x) - 1):
        s += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return s


def logistic(w, X, y):
    s = 0.0
    for i in range(X.shape[0]):
        z = 0.0
        for j in range(X.shape[1]):
            z += X[i, j] * w[j]
        s += math.log1p(math.exp(-y[i] * z))
    return s


def logistic_arrays(w, X, y):
    return np.sum(np.log1p(np.exp(-y * (X @ w))))


def network(W1, W2, X):
    return np.sum(np.tanh(np.tanh(X @ W1) @ W2))


def seidel(A, T):
    A = A.copy()
    n = A.shape[0]
    for _ in range(T):
        for i in range(1, n - 1):
            for j in range(1, n - 1):
                A[i, j] = (A[i - 1, j - 1] + A[i - 1, j] + A[i - 1, j + 1] + A[i, j - 1] + A[i, j]
                           + A[i, j + 1] + A[i + 1, j - 1] + A[i + 1, j] + A[i + 1, j + 1]) / 9.0
    return np.sum(A * A)


def small(x, y):
    return x * y + math.sin(x)


def straight_line(size: int = 64):
    """A function of an array of `size` that has no loop: three layers of numbers, each made of
    some of the layer before. Its text is written here, and read by retrograd as any other."""
    import linecache

    rng = np.random.default_rng(0)
    lines = ["def straight(x):"]
    lines += [f"    t{k} = x[{k}] * x[{a}] + 0.5 * x[{b}]"
              for k, (a, b) in enumerate(rng.integers(0, size, (size, 2)))]
    lines += [f"    u{k} = math.sin(t{k}) * t{a} - t{b} * t{k}"
              for k, (a, b) in enumerate(rng.integers(0, size, (size, 2)))]
    lines += [f"    y = np.empty({size})"]
    lines += [f"    y[{k}] = u{k} * u{a}" for k, a in enumerate(rng.integers(0, size, size))]
    lines += ["    return y", ""]
    text, file = "\n".join(lines), "<straight>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    scope = {"math": math, "np": np}
    exec(compile(text, file, "exec"), scope)
    return scope["straight"]


def directions(title, f, args, tangents) -> None:
    """`tangents` has one entry an argument; second order is along the first."""
    primal, gradient, product = rg.differentiable(f), rg.grad(f), rg.hvp(f)
    given = (args[0], tangents[0], *args[1:])
    runs = {"the function": lambda: primal(*args), "jvp": lambda: rg.jvp(f, args, tangents),
            "gradient": lambda: gradient(*args), "hvp": lambda: product(*given)}
    step = 1e-5
    moved = [gradient(args[0] + s * step * tangents[0], *args[1:]) for s in (1, -1)]
    assert np.allclose(product(*given), (moved[0] - moved[1]) / (2 * step), rtol=1e-4, atol=1e-3)
    found = side_by_side(runs)
    table(f"{title}: jvp {found['jvp'] / found['the function']:.2f} of the function (target: 2), "
          f"hvp {found['hvp'] / found['gradient']:.2f} of the gradient (target: 2.5)", found)


def jacobians() -> None:
    f = straight_line()
    x = np.random.default_rng(1).standard_normal(64)
    primal = rg.differentiable(f)
    forward, reverse = (rg.jacobian(f, mode=mode) for mode in ("forward", "reverse"))
    assert np.allclose(forward(x), reverse(x))
    table("dense Jacobian, 64 x 64, of straight-line code (target: 16)", side_by_side({
        "the function": lambda: primal(x), "Jacobian, forward": lambda: forward(x),
        "Jacobian, reverse": lambda: reverse(x)}))


def main() -> None:
    grown_heap()
    rng = np.random.default_rng(0)
    x = rng.standard_normal(10_000)
    directions("Rosenbrock, loop", rosenbrock, (x,), (x[::-1].copy(),))
    w, X = 0.1 * rng.standard_normal(20), rng.standard_normal((2000, 20))
    y = np.sign(rng.standard_normal(2000))
    directions("logistic regression, loops", logistic, (w, X, y), (w[::-1].copy(), None, None))
    directions("logistic regression, arrays", logistic_arrays, (w, X, y),
               (w[::-1].copy(), None, None))
    directions("Lorenz, RK4", lorenz, (1.0, 0.5, -0.3, 200, H), (1.0, 0.0, 0.0, None, None))
    W, X = 0.1 * rng.standard_normal((64, 64)), rng.standard_normal((256, 64))
    directions("two layers", network, (W, 2 * W, X), (W[::-1].copy(), None, None))
    A = rng.standard_normal((120, 120))
    directions("Seidel, 40 sweeps", seidel, (A, 40), (A[::-1].copy(), None))
    directions("two numbers", small, (1.0, 2.0), (1.0, None))
    jacobians()


if __name__ == "__main__":
    main()
