import subprocess
import sys

HEAVY = ("numba", "scipy", "astor", "pygments", "llvmlite", "cloudpickle")


def run(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_import_is_light():
    assert run(f"import sys, retrograd; print(*(m for m in {HEAVY} if m in sys.modules))") == []


def test_import_is_quick():
    code = ("import time, numpy; began = time.perf_counter(); import retrograd; "
            "print(time.perf_counter() - began)")
    assert min(float(run(code)[0]) for _ in range(3)) < 0.15
