"""retrograd: derivatives of numeric Python functions, as readable Python source."""

from retrograd.collector import no_collection

with no_collection():
    from retrograd.api.function import Differentiable, Gradient, ValueAndGradient
    from retrograd.api.marks import checkpointed
    from retrograd.api.ravel import ravel
    from retrograd.api.records import RecompilationWarning, Signature
    from retrograd.api.rules import OpaqueWarning, rule, stop_gradient
    from retrograd.api.transforms import (
        check_grads,
        differentiable,
        grad,
        hessian,
        hvp,
        jacobian,
        jvp,
        value_and_grad,
        vjp,
        vmap,
    )
    from retrograd.containers import register_container
    from retrograd.errors import InternalError, RetrogradError, Unsupported

__version__ = "0.1.0"

__all__ = [
    "Differentiable", "Gradient", "InternalError", "OpaqueWarning", "RecompilationWarning",
    "RetrogradError", "Signature", "Unsupported", "ValueAndGradient", "__version__", "check_grads",
    "checkpointed", "differentiable", "grad", "hessian", "hvp", "jacobian", "jvp", "ravel",
    "register_container", "rule", "stop_gradient", "value_and_grad", "vjp", "vmap",
]
