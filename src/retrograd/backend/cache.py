"""Generated modules as files in the user's cache directory, beside Numba's compiled code.

An entry is `NAME.py` (NAME holds the hash of all that decides its content), Numba's files for it
in `__pycache__`, and `NAME.sum`, the checksums of these: Numba unpickles and runs whatever it
finds, so files that are not as they were written are deleted before Numba sees them.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import importlib.util
import os
import re
import shutil
import stat
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

try:
    import fcntl
except ImportError:                       # not on Windows: processes may then compile twice
    fcntl = None  # type: ignore[assignment]

_loading = threading.Lock()
_ENTRY = re.compile(r"retrograd_\w+_[0-9a-f]{24}")


def entry_name(function: str, *parts: str) -> str:
    """The name of the module for a function whose code is decided by these texts."""
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]
    readable = "".join(c if c.isascii() and c.isalnum() else "_" for c in function)[:40]
    return f"retrograd_{readable}_{digest}"


def root() -> Path:
    """The directory that the environment asks for, or the user's cache directory."""
    asked = os.environ.get("RETROGRAD_CACHE_DIR")
    if asked:
        return Path(asked)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or _home() / "AppData/Local") / "retrograd"
    if sys.platform == "darwin":
        return _home() / "Library/Caches/retrograd"
    return Path(os.environ.get("XDG_CACHE_HOME") or _home() / ".cache") / "retrograd"


def _home() -> Path:
    """The user's home directory; a user without one gets a place that can be made by nobody."""
    try:
        return Path.home()
    except RuntimeError:
        return Path(os.devnull)


def folder_in(parent: Path, cpu: str) -> tuple[Path, bool]:
    """The folder for one kind of processor, private to the user, and whether it lasts.

    Where none can be written to, a temporary one that is removed at exit.
    """
    name = f"{cpu}-py{sys.version_info[0]}{sys.version_info[1]}"
    try:
        folder = parent / name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if is_private(folder):
            tempfile.TemporaryFile(dir=folder).close()
            return folder, True
    except OSError:
        pass
    return temporary_folder(), False


def is_private(folder: Path) -> bool:
    """Whether the folder is the user's own and nobody else may write to it."""
    if not hasattr(os, "getuid"):
        return True
    status = folder.stat()
    return status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


@functools.lru_cache(maxsize=1)
def temporary_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="retrograd-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def write(path: Path, content: bytes) -> None:
    """Write a whole file or nothing: a reader never sees a part of it."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem[-24:]}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


class NameOnly(MetaPathFinder, Loader):
    """Finds generated modules as empty ones.

    A caller that Numba has kept on disk, with a function of ours inside, names the module of that
    function when it is loaded, and needs nothing of it.
    """

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if _ENTRY.fullmatch(fullname) else None

    def exec_module(self, module: ModuleType) -> None:
        pass


def name_modules() -> None:
    """Let generated modules be imported, as empty ones where they are not loaded."""
    with _loading:
        if not any(isinstance(finder, NameOnly) for finder in sys.meta_path):
            sys.meta_path.append(NameOnly())


def module(folder: Path, name: str, source: str,
           given: Mapping[str, Any] | None = None) -> ModuleType:
    """The module of this source, from a real file, registered under its name before it runs.

    Numba's cache finds a function by its module's name, and tracebacks by its file. The names in
    `given` are there when it runs.
    """
    with _loading:
        present = sys.modules.get(name)
        if present is not None and not isinstance(present.__loader__, NameOnly):
            return present
        path = folder / f"{name}.py"
        content = source.encode()
        if not path.exists() or path.read_bytes() != content:
            write(path, content)
        made = ModuleType(name)
        made.__file__ = str(path)
        made.__dict__.update(given or {})
        made.__spec__ = importlib.util.spec_from_file_location(name, path)
        sys.modules[name] = made
        try:
            exec(compile(source, str(path), "exec"), made.__dict__)
        except BaseException:
            del sys.modules[name]
            raise
        return made


@contextlib.contextmanager
def locked(folder: Path, name: str) -> Iterator[None]:
    """Only one process at a time compiles an entry; the others wait and then load it."""
    if fcntl is None:
        yield
        return
    with (folder / f"{name}.lock").open("ab") as file:
        with contextlib.suppress(OSError):            # a file system without locks
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


class Compiled:
    """Numba's files of one entry: check them, record them, delete them."""

    def __init__(self, folder: Path, name: str, numba_folder: Path) -> None:
        self.name = name
        self.sums = folder / f"{name}.sum"
        self.folder = numba_folder

    def files(self) -> list[Path]:
        return sorted(p for p in self.folder.glob(f"{self.name}.*.nb[ci]"))

    def intact(self) -> bool:
        """Whether the files are those that were recorded."""
        try:
            return self.sums.read_text() == self._checksums()
        except (OSError, UnicodeDecodeError):
            return False

    def record(self) -> None:
        write(self.sums, self._checksums().encode())

    def delete(self) -> None:
        for path in (*self.files(), self.sums):
            path.unlink(missing_ok=True)

    def _checksums(self) -> str:
        return "".join(f"{hashlib.sha256(p.read_bytes()).hexdigest()} {p.name}\n"
                       for p in self.files())
