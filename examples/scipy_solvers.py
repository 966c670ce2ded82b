"""SciPy's solvers with derivatives that retrograd writes: `minimize` with a dict of parameters
through `ravel` (L-BFGS-B) and with Hessian-vector products (trust-ncg), `least_squares` and `root`
with Jacobians.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import least_squares, minimize, root, rosen

import retrograd as rg


def oscillation(params, t):
    """A damped oscillation."""
    wave = params["wave"]
    return params["scale"] * np.exp(-params["rate"] * t) * np.cos(
        wave["frequency"] * t + wave["phase"])


def misfit(params, t, measured):
    return np.sum((oscillation(params, t) - measured) ** 2)


def rosenbrock(x):
    total = 0.0
    for i in range(len(x) - 1):
        total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return total


def residuals(p, t, y):
    """Two exponentials, written into an array."""
    r = np.empty(len(t))
    for i in range(len(t)):
        r[i] = p[0] * np.exp(-p[1] * t[i]) + p[2] * np.exp(-p[3] * t[i]) - y[i]
    return r


def broyden(x):
    """Broyden's tridiagonal equations (Moré, Garbow and Hillstrom, number 30)."""
    f = (3.0 - 2.0 * x) * x + 1.0
    f[1:] -= x[:-1]
    f[:-1] -= 2.0 * x[1:]
    return f


def fit_with_a_dict(jit: bool) -> None:
    t = np.linspace(0.0, 6.0, 80)
    truth = {"scale": 1.5, "rate": 0.3, "wave": {"frequency": 2.0, "phase": 0.4}}
    measured = oscillation(truth, t)
    start = {"scale": 1.0, "rate": 0.1, "wave": {"frequency": 1.8, "phase": 0.0}}
    flat, unravel = rg.ravel(start)

    def objective(vector):
        return misfit(unravel(vector), t, measured)

    found = minimize(rg.value_and_grad(objective, jit=jit), flat, jac=True, method="L-BFGS-B",
                     options={"ftol": 1e-15, "gtol": 1e-10})
    params = unravel(found.x)
    print(f"L-BFGS-B: {found.nit} iterations, {params}")
    assert np.allclose(found.x, rg.ravel(truth)[0], atol=1e-5)


def newton_without_a_hessian(jit: bool) -> None:
    x0 = np.full(20, -1.2)
    found = minimize(rosenbrock, x0, jac=rg.grad(rosenbrock, jit=jit),
                     hessp=rg.hvp(rosenbrock, jit=jit), method="trust-ncg",
                     options={"gtol": 1e-8})
    print(f"trust-ncg: {found.nit} iterations, largest error {np.max(np.abs(found.x - 1.0)):.1e}")
    assert found.success and np.allclose(found.x, 1.0) and rosen(found.x) < 1e-12


def sum_of_exponentials(jit: bool) -> None:
    t = np.linspace(0.0, 4.0, 60)
    truth = np.array([2.0, 0.5, 1.0, 2.5])
    y = truth[0] * np.exp(-truth[1] * t) + truth[2] * np.exp(-truth[3] * t)
    found = least_squares(residuals, [1.5, 0.4, 1.5, 2.0], jac=rg.jacobian(residuals, jit=jit),
                          args=(t, y), xtol=1e-12, ftol=1e-12, gtol=1e-12)
    print(f"least_squares: {found.nfev} evaluations, {found.x}")
    assert np.allclose(found.x, truth, atol=1e-5)


def equations(jit: bool) -> None:
    found = root(broyden, -np.ones(30), jac=rg.jacobian(broyden, jit=jit), tol=1e-12)
    print(f"root: {found.nfev} evaluations, residual {np.max(np.abs(found.fun)):.1e}")
    assert found.success and np.max(np.abs(broyden(found.x))) < 1e-10


def main(jit: bool = True) -> None:
    fit_with_a_dict(jit)
    newton_without_a_hessian(jit)
    sum_of_exponentials(jit)
    equations(jit)


if __name__ == "__main__":
    main()
