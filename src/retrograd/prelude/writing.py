"""Functions that write into an array that they are given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from retrograd.prelude.language import refuse


def copyto(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    if casting != "same_kind":
        refuse("np.copyto with casting= is not supported", "use the astype method")
    if where is True:
        dst[...] = src
    else:
        dst[...] = np.where(where, src, dst)


def fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    if np.ndim(a) != 2 or wrap:
        refuse("np.fill_diagonal of other than two axes, or with wrap, is not supported",
               "store with an index array: a[k, k] = value")
    k = np.arange(np.minimum(a.shape[0], a.shape[1]))
    a[k, k] = val


def putmask(a: Any, mask: Any, values: Any) -> None:
    if np.ndim(values) > 0:
        refuse("np.putmask with an array of values repeats them", "use np.where or a[mask] = ...")
    a[mask] = values


FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    np.copyto: copyto, np.fill_diagonal: fill_diagonal, np.putmask: putmask,
}
