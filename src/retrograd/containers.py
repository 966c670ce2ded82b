"""Containers of numbers and arrays: how they are taken apart, and put together again.

    kind          parts                             keys
    "tuple"       its items                         ()
    "list"        its items                         ()
    "dict"        its values                        its keys, in their order
    a class       a NamedTuple's or a dataclass's   their names
                  fields
                  of a registered class what its    (the rest,)
                  `flatten` says

Only objects of exactly these types are containers. A dataclass is put together without running
its `__init__`: its fields are set, and nothing else.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

Kind = str | type
Flatten = Callable[[Any], tuple[Iterable[Any], Any]]
Unflatten = Callable[[Any, Sequence[Any]], Any]

_PLAIN: dict[type, str] = {tuple: "tuple", list: "list", dict: "dict"}


@dataclass(frozen=True, slots=True)
class Registered:
    """How objects of a user's class are taken apart and put together."""

    flatten: Flatten
    unflatten: Unflatten


REGISTERED: dict[type, Registered] = {}


def register_container(cls: type, flatten: Flatten, unflatten: Unflatten) -> type:
    """Let objects of a class be arguments, results and gradients.

    Parameters
    ----------
    cls : type
        The class; objects of exactly this class are meant.
    flatten : callable
        `flatten(obj)` gives `(parts, rest)`: a tuple of numbers, arrays and containers, and
        whatever else makes the object what it is (hashable; code is made for each `rest`).
    unflatten : callable
        `unflatten(rest, parts)` gives the object. For a gradient the parts are gradients, and
        None where a part is not a float: it should not check them.

    Both are Python functions: inside a differentiated function they are differentiated, too.

    Returns
    -------
    type
        `cls`.

    Raises
    ------
    TypeError
        If `cls` is not a class, or the others cannot be called.
    ValueError
        If the class is a container already.
    """
    if not isinstance(cls, type):
        raise TypeError(f"a class is registered, not {cls!r}")
    if not (callable(flatten) and callable(unflatten)):
        raise TypeError("flatten and unflatten must be functions")
    if cls in REGISTERED or cls in _PLAIN or is_named_tuple(cls):
        raise ValueError(f"{cls.__name__} is a container already")
    REGISTERED[cls] = Registered(flatten, unflatten)
    return cls


def kind_of(value: object) -> Kind | None:
    """What kind of container an object is; None if it is none."""
    cls = type(value)
    plain = _PLAIN.get(cls)
    return plain if plain is not None else cls if is_container_class(cls) else None


def is_container_class(cls: type) -> bool:
    return cls in REGISTERED or is_named_tuple(cls) or is_dataclass(cls)


def is_named_tuple(kind: Kind) -> bool:
    return isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields")


def is_dataclass(kind: Kind) -> bool:
    """Whether a kind is a dataclass that is taken apart by its fields."""
    return isinstance(kind, type) and kind not in REGISTERED and dataclasses.is_dataclass(kind)


def is_changeable(kind: Kind) -> bool:
    """Whether what an object of a kind holds can be changed."""
    if isinstance(kind, str):
        return kind in ("list", "dict")
    return not (is_named_tuple(kind) or _is_frozen(kind))


def _is_frozen(cls: type) -> bool:
    params = getattr(cls, "__dataclass_params__", None)
    return bool(params is not None and params.frozen)


@functools.lru_cache(maxsize=1024)
def fields_of(cls: type) -> tuple[str, ...]:
    """The names of the fields of a named tuple or a dataclass."""
    if is_named_tuple(cls):
        return tuple(cls._fields)  # type: ignore[attr-defined]
    return tuple(f.name for f in dataclasses.fields(cls))


def taken_apart(value: Any, kind: Kind) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The parts of a container, and its keys."""
    if kind == "dict":
        return tuple(value.values()), tuple(value)
    if isinstance(kind, str):
        return tuple(value), ()
    if kind in REGISTERED:
        parts, rest = REGISTERED[kind].flatten(value)
        return tuple(parts), (rest,)
    names = fields_of(kind)
    if is_named_tuple(kind):
        return tuple(value), names
    return tuple(getattr(value, name) for name in names), names


def put_together(kind: Kind, keys: Sequence[Any], parts: Iterable[Any]) -> Any:
    """The container of these parts: the opposite of `taken_apart`."""
    if isinstance(kind, str):
        if kind == "dict":
            return dict(zip(keys, parts, strict=True))
        return tuple(parts) if kind == "tuple" else list(parts)
    if kind in REGISTERED:
        return REGISTERED[kind].unflatten(keys[0], tuple(parts))
    return maker(kind, tuple(keys))(parts)


def maker(kind: Kind, keys: tuple[Any, ...]) -> Callable[[Iterable[Any]], Any]:
    """What makes containers of a kind of their parts, as fast as Python can."""
    if isinstance(kind, str) or kind in REGISTERED:
        return functools.partial(put_together, kind, keys)
    if is_named_tuple(kind):
        return functools.partial(tuple.__new__, kind)
    new = functools.partial(object.__new__, kind)
    if any(inspect.isdatadescriptor(inspect.getattr_static(kind, key, None)) for key in keys):
        return functools.partial(_with_attributes, new, keys)      # slots, properties

    def make(parts: Iterable[Any]) -> Any:
        made: Any = new()
        made.__dict__.update(zip(keys, parts, strict=True))
        return made

    return make


def _with_attributes(new: Callable[[], Any], keys: tuple[str, ...], parts: Iterable[Any]) -> Any:
    made = new()
    for key, part in zip(keys, parts, strict=True):
        object.__setattr__(made, key, part)
    return made


# --- what people read ----------------------------------------------------------------------------


def described(kind: Kind) -> str:
    """A kind of container, with its article."""
    name = kind if isinstance(kind, str) else kind.__name__
    return f"{'an' if name[:1].lower() in 'aeiou' and name[:1] else 'a'} {name}"


def steps(kind: Kind, keys: Sequence[Any], count: int) -> list[str]:
    """How each part is reached from the container, as source: `['W']`, `[0]`, `.x`."""
    if kind == "dict":
        return [f"[{key!r}]" for key in keys]
    if is_dataclass(kind) or is_named_tuple(kind):
        return [f".{key}" for key in keys]
    return [f"[{k}]" for k in range(count)]


def identifier(name: str, step: str) -> str:
    """The name of a part in generated source: `params_W` for `params['W']`."""
    return f"{name}_{re.sub(r'[^0-9A-Za-z_]+', '_', step).strip('_')}"
