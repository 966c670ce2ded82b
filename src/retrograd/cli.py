"""The command line: `python -m retrograd show FILE:FUNCTION` prints a function's adjoint."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from retrograd.api.annotations import parse_type, split_types
from retrograd.api.function import Compiled
from retrograd.api.transforms import grad, value_and_grad
from retrograd.errors import RetrogradError


class _Wrong(Exception):
    """The command cannot be carried out; the message says why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0 if it succeeded, 2 if it was wrong or the function is refused."""
    options = _parser().parse_args(arguments)
    try:
        text = _show(options)
    except (_Wrong, RetrogradError, TypeError, ValueError) as error:
        print(f"retrograd: {error}", file=sys.stderr)
        return 2
    if sys.stdout.isatty():
        from retrograd.report.highlight import terminal

        text = terminal(text)
    print(text, end="")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="retrograd", description="Derivatives of numeric Python functions, as source.")
    commands = parser.add_subparsers(dest="command", required=True)
    show = commands.add_parser("show", help="print the generated adjoint of a function")
    show.add_argument("place", metavar="FILE:FUNCTION", help="for instance model.py:loss")
    show.add_argument("--wrt", metavar="NAMES", default="",
                      help="parameters to differentiate with respect to: x,y (default: the first)")
    show.add_argument("--types", metavar="TYPES",
                      help="one type a parameter: 'float64[:, ::1], float64' "
                           "(default: annotations, else floats)")
    show.add_argument("--value", action="store_true", help="return the value as well")
    show.add_argument("--compiled", action="store_true", help="print what Numba compiles")
    return parser


def _show(options: argparse.Namespace) -> str:
    function = _function(options.place)
    names = tuple(n.strip() for n in options.wrt.split(",") if n.strip())
    if isinstance(function, Compiled) and not names and not options.value:
        made = function
    else:
        primal = function.primal if isinstance(function, Compiled) else function
        argnames = (names[0] if len(names) == 1 else names) or None
        made = (value_and_grad if options.value else grad)(primal, argnames=argnames)
    types = None if options.types is None else tuple(map(parse_type, split_types(options.types)))
    return made.source_for(types, options.compiled)


def _function(place: str) -> Callable[..., Any]:
    file, colon, name = place.rpartition(":")
    if not colon or not file or not name:
        raise _Wrong(f"{place!r} is not FILE:FUNCTION")
    path = Path(file)
    if not path.is_file():
        raise _Wrong(f"there is no file {file}")
    found: Any = _module(path)
    for part in name.split("."):
        if not hasattr(found, part):
            raise _Wrong(f"{file} has no function {name!r}")
        found = getattr(found, part)
    if not callable(found):
        raise _Wrong(f"{name!r} in {file} is {type(found).__name__}, not a function")
    function: Callable[..., Any] = found
    return function


def _module(path: Path) -> Any:
    """The user's file, run as a module; what it raises is shown as Python shows it."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise _Wrong(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    sys.path.insert(0, str(path.resolve().parent))
    spec.loader.exec_module(module)
    return module
