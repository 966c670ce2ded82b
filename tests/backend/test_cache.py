import os
import subprocess
import sys
from pathlib import Path

import pytest

from retrograd.backend import cache

COMPILE = """
import sys
import numpy as np
from retrograd.backend import numba_compile
from retrograd.ir.types import FLOAT, Array
from retrograd.program import Emitted
from retrograd.trees import Leaf
source = '''
def f(x, a):
    s = x
    for i in range(a.size):
        s += a[i]
    return s
'''
kernel = numba_compile.compile_emitted(
    Emitted("f", source, Leaf(0)), (FLOAT, Array("float64", (None,))),
    numba_compile.CompileOptions())
assert kernel.call(1.0, np.arange(4.0)) == 7.0
print(kernel.fresh, sys.modules[kernel.module].__file__)
"""


def environment(folder):
    return {**os.environ, "RETROGRAD_CACHE_DIR": str(folder)}


def compile_in(folder):
    done = subprocess.run([sys.executable, "-c", COMPILE], env=environment(folder),
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    fresh, file = done.stdout.split()
    return fresh == "True", Path(file)


def compiled_files(folder):
    return sorted(folder.rglob("*.nb[ci]"))


def test_a_second_process_does_not_compile(tmp_path):
    fresh, file = compile_in(tmp_path)
    assert fresh and tmp_path in file.parents
    stamps = {p: p.stat().st_mtime_ns for p in compiled_files(tmp_path)}
    assert len(stamps) == 2
    assert compile_in(tmp_path) == (False, file)
    assert stamps == {p: p.stat().st_mtime_ns for p in compiled_files(tmp_path)}
    assert file.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
@pytest.mark.parametrize("damage", [b"", b"\x80\x04garbage", None], ids=["empty", "other", "flip"])
def test_damaged_files_are_made_again(tmp_path, suffix, damage):
    compile_in(tmp_path)
    (path,) = tmp_path.rglob(f"*.{suffix}")
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1:]
                     if damage is None else damage)
    assert compile_in(tmp_path)[0]
    assert not compile_in(tmp_path)[0]


def test_damage_that_the_checksums_cover_too(tmp_path):
    _, file = compile_in(tmp_path)
    (path,) = tmp_path.rglob("*.nbc")
    path.write_bytes(b"garbage")
    cache.Compiled(file.parent, file.stem, path.parent).record()
    assert compile_in(tmp_path)[0]
    assert not compile_in(tmp_path)[0]


def test_eight_processes_at_once(tmp_path):
    running = [subprocess.Popen([sys.executable, "-c", COMPILE], env=environment(tmp_path),
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
               for _ in range(8)]
    answers = [(p.communicate(timeout=300), p.returncode) for p in running]
    assert [code for _, code in answers] == [0] * 8, answers
    assert sum(out.startswith("True") for (out, _), _ in answers) == 1
    assert not compile_in(tmp_path)[0]
    assert not list(tmp_path.rglob("*.tmp.*"))


def test_without_a_writable_folder_a_temporary_one_serves(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    fresh, file = compile_in(blocked)
    assert fresh and blocked not in file.parents
    assert not file.parent.exists()          # it was removed at exit


def test_a_folder_that_others_may_write_to_is_not_used(tmp_path):
    folder, lasting = cache.folder_in(tmp_path, "cpu")
    assert lasting
    folder.chmod(0o777)
    assert cache.folder_in(tmp_path, "cpu")[1] is False


def test_names_depend_on_every_part():
    names = {cache.entry_name("f", "a", "b"), cache.entry_name("f", "ab", ""),
             cache.entry_name("f", "a", "c"), cache.entry_name("g", "a", "b")}
    assert len(names) == 4
    assert cache.entry_name("<lambda>", "a").startswith("retrograd__lambda__")


def test_a_module_is_registered_under_its_name(tmp_path):
    made = cache.module(tmp_path, "retrograd_test_module", "x = __name__\n")
    assert sys.modules.pop("retrograd_test_module") is made
    assert made.x == "retrograd_test_module"
    assert (tmp_path / "retrograd_test_module.py").read_text() == "x = __name__\n"
    with pytest.raises(ZeroDivisionError):
        cache.module(tmp_path, "retrograd_test_broken", "1 / 0\n")
    assert "retrograd_test_broken" not in sys.modules
