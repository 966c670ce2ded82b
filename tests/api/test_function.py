import copy
import inspect
import linecache
import pickle
import threading
import time
import traceback
import warnings

import numpy as np
import pytest

import retrograd as rg
from api.fakes import FLOAT, Leaf, emitted, flat, product3, program, square, tree
from retrograd.errors import Unsupported
from retrograd.frontend.reading import NeedStatic
from retrograd.ir.types import INT, Array, Scalar
from retrograd.program import Capture, Failure, Guard, Known

MATRIX = "float64[:, ::1]"
both_modes = pytest.mark.parametrize("jit", [True, False], ids=["compiled", "numpy"])


def same(got, expected):
    assert type(got) is type(expected)
    assert np.asarray(got).dtype == np.asarray(expected).dtype
    np.testing.assert_array_equal(got, expected)


@both_modes
def test_gradients_have_the_types_of_their_arguments(fake, jit):
    g = rg.grad(square, jit=jit)
    same(g(3.0), 6.0)
    same(g(3), 6.0)
    same(g(True), 2.0)
    same(g(np.float32(3)), np.float32(6))
    same(g(np.float64(3)), np.float64(6))
    assert g(np.float64("inf")) == np.inf


def test_arguments_of_arrays(fake):
    g = rg.grad(square, jit=False)
    same(g(np.arange(3.0)), 2 * np.arange(3.0))
    same(g(np.float32([[1, 2]])), np.float32([[2, 4]]))
    same(g(np.array(2.0)), np.array(4.0))
    with pytest.raises(TypeError, match=r"'x'.*int64"):
        g(np.arange(3))
    with pytest.raises(TypeError, match="'x'"):
        g("text")


@both_modes
def test_argnums_and_keywords(fake, jit):
    assert rg.grad(product3, 1, jit=jit)(2.0, 3.0, z=5.0) == 10.0
    g = rg.grad(product3, argnums=(2, 0), jit=jit)
    assert g(2.0, 3.0, 5.0) == (6.0, 15.0)
    assert g(z=5.0, y=3.0, x=2.0) == (6.0, 15.0)
    v = rg.value_and_grad(product3, argnames=("x", "y", "z"), jit=jit)
    assert v(2.0, 3.0, 5.0) == (30.0, (15.0, 10.0, 6.0))
    with pytest.raises(TypeError, match=r"product3\(\) missing 1 required positional argument"):
        g(1.0, 2.0)
    with pytest.raises(TypeError, match="unexpected keyword"):
        g(1.0, 2.0, w=3.0)


def test_decorators(fake):
    @rg.grad
    def square(x):
        "The square."
        return x * x

    assert square(2.0) == 4.0 and square.__doc__ == "The square."
    assert square.__name__ == "square" and inspect.isfunction(square.primal)
    assert square.__wrapped__ is square.primal

    @rg.value_and_grad(argnums=(0, 1, 2))
    def product3(x, y, z):
        return x * y * z

    assert product3(1.0, 2.0, 3.0)[0] == 6.0
    assert str(inspect.signature(product3)) == "(x, y, z)"
    assert inspect.signature(square) == inspect.signature(square.primal)


def test_related_functions(fake):
    d = rg.differentiable(square)
    assert d(3.0) == 9.0 and d.grad(3.0) == 6.0 and d.value_and_grad(3.0) == (9.0, 6.0)
    assert rg.grad(d)(3.0) == 6.0
    value, pullback = d.vjp(3.0)
    assert value == 9.0 and pullback(1.0) == (6.0,)
    assert "return x * x" in d.source()
    assert repr(rg.grad(square)) == "<retrograd grad of square(x) wrt x>"


def test_source(fake, tmp_path):
    g = rg.grad(square)
    assert g.source() == "import numpy as np\n\n\ndef square_grad(x):\n    return 2 * x\n"
    assert fake.requests[-1].params == (FLOAT,)
    g.source(np.zeros((1, 3)))
    assert fake.requests[-1].params == (Array("float64", (1, None)),)
    compiled = g.source("compiled", 1.0)
    assert "@numba.njit(error_model='numpy', fastmath={'contract'})\ndef square_grad" in compiled
    scope = {}
    exec(compiled, scope)
    assert scope["square_grad"](3.0) == 6.0
    g.write(tmp_path / "out.py")
    assert (tmp_path / "out.py").read_text() == g.source()
    assert g.signatures == []
    assert "<div" in g._repr_html_() and g._repr_mimebundle_()["text/plain"] == repr(g)


def test_source_takes_annotations_and_defaults(fake):
    @fake.knows("annotated", "grad")
    def _(request):
        return program(request, (FLOAT,), emitted("a", "(*a):\n    return 1.0", Leaf(0)))

    def annotated(x, A: MATRIX, n: int, axis=None):
        return x

    rg.grad(annotated).source()
    assert fake.requests[-1].params == (FLOAT, Array("float64", (None, None)), INT, Known(None))


def test_signatures_tell_why(fake):
    g = rg.grad(square)
    g(1.0)
    g(np.float32(1))
    g(2.0)
    assert [(s.types, s.reason) for s in g.signatures] == [
        (("float",), "first call"), (("float32",), "x: float became float32")]
    assert all(s.seconds > 0 for s in g.signatures)


def test_compile_ahead(fake):
    g = rg.grad(product3)
    g.compile(("float64", "float64", 2.0))
    assert len(g.signatures) == 1 and g.signatures[0].reason == "compile()"
    g(1.0, 2.0, 3.0)
    assert len(g.signatures) == 1
    with pytest.raises(TypeError, match="3 parameters, but 1 types"):
        g.compile("float64")


def test_declared_layout_a_serves_all_layouts(fake):
    g = rg.grad(square, jit=False)
    g.compile("float64[:, :]")
    for x in (np.ones((2, 3)), np.ones((2, 3)).T, np.ones((4, 6))[::2, ::2]):
        same(g(x), 2 * x)
    assert len(g.signatures) == 1
    g(np.ones((1, 3)))
    assert len(g.signatures) == 2


def test_out(fake):
    g = rg.grad(square, jit=False)
    x, out = np.arange(3.0), np.empty(3)
    assert g(x, out=out) is out
    same(out, 2 * x)
    value, gradient = rg.value_and_grad(square, jit=False)(x, out=out)
    assert gradient is out
    same(value, x * x)
    for wrong, error in ((np.empty(2), ValueError), (np.empty(3, np.float32), TypeError),
                         ([0.0] * 3, TypeError)):
        with pytest.raises(error, match="out"):
            g(x, out=wrong)
    assert g(x, out=x) is x
    with pytest.raises(TypeError, match="no gradient"):
        rg.differentiable(square)(1.0, out=out)


def test_a_parameter_called_out(fake):
    @fake.knows("f", "grad")
    def _(request):
        return program(request, (FLOAT,), emitted("f_grad", "(out):\n    return 2.0", Leaf(0)))

    def f(out):
        return 2.0 * out

    assert rg.grad(f)(out=1.0) == 2.0


def test_names_of_users_do_not_collide(fake):
    @fake.knows("f", "grad")
    def _(request):
        return program(request, (FLOAT,), emitted(
            "f_grad", "(type, len, _rg_call, float):\n    return 2.0", Leaf(0)))

    def f(type, len, _rg_call, float):
        return 2.0 * type

    g = rg.grad(f)
    assert g(1.0, 2.0, 3.0, 4.0) == 2.0 == g(1.0, 2.0, 3.0, 4.0)


@both_modes
def test_static_arguments(fake, jit):
    @fake.knows("power", "grad")
    def _(request):
        n = request.params[1]
        if not isinstance(n, Known):
            raise NeedStatic(("n",))
        return program(request, (FLOAT,), emitted(
            "power_grad", f"(x):\n    return {n.value} * x ** {n.value - 1}", Leaf(0)))

    def power(x, n, how="plain"):
        return x ** n

    g = rg.grad(power, jit=jit)
    assert g(2.0, 3) == 12.0 and g(2.0, 3) == 12.0 and g(2.0, 4) == 32.0
    assert g(2.0, np.int64(3)) == 12.0
    assert [s.types for s in g.signatures] == [
        ("float", "=3", "='plain'"), ("float", "=4", "='plain'")]
    assert g.signatures[1].reason == "n: =3 became =4"
    with pytest.warns(rg.RecompilationWarning, match="n: =10 became =11"):
        for n in range(5, 12):
            g(2.0, n)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        g(2.0, 30)
    with pytest.raises(Unsupported, match="'n' must be known"):
        rg.grad(power).source_for((FLOAT, INT, Known("plain")), False)


def test_star_args(fake):
    @fake.knows("poly", "grad")
    def _(request):
        names = [f"c{k}" for k in range(len(flat(request.params)) - 1)]
        body = " + ".join(["0.0", *names])
        return program(request, (FLOAT,), emitted(
            "poly_grad", f"({', '.join(['x', *names])}):\n    return {body}", Leaf(0)))

    def poly(x, *coefficients):
        return x

    g = rg.grad(poly)
    assert g(1.0, 2.0, 3.0) == 5.0 and g(1.0, 2.0, 3.0) == 5.0 and g(1.0) == 0.0
    assert [s.types for s in g.signatures] == [("float", "(float, float)"), ("float", "()")]


@both_modes
def test_captures_are_read_at_every_call(fake, jit):
    outside = {"a": 2.0}

    @fake.knows("f", "grad")
    def _(request):
        kind = Scalar("float64", True) if type(outside["a"]) is float else Array("float64", (None,))
        text = "x * a" if kind == FLOAT else "x * a[0]"
        return program(request, (FLOAT,), emitted("f_grad", f"(x, a):\n    return {text}", Leaf(0)),
                       captures=[Capture("a", lambda: outside["a"], kind)])

    def f(x):
        return x * x

    g = rg.grad(f, jit=jit)
    assert g(3.0) == 6.0
    outside["a"] = 5.0
    assert g(3.0) == 15.0 and len(g.signatures) == 1
    outside["a"] = np.array([7.0, 1.0])
    assert g(3.0) == 21.0 and len(g.signatures) == 2
    outside["a"][0] = 1.0
    assert g(3.0) == 3.0
    outside["a"] = 4.0
    assert g(3.0) == 12.0 and len(g.signatures) == 2


def test_guards_are_tested_at_every_call(fake):
    outside = {"h": np.sin, "keys": ("a", "b")}

    @fake.knows("f", "grad")
    def _(request):
        text = {"sin": 1.0, "cos": 2.0}[outside["h"].__name__]
        guards = [Guard(n, lambda n=n: outside[n], outside[n]) for n in outside]
        return program(request, (FLOAT,), emitted("f_grad", f"(x):\n    return {text}", Leaf(0)),
                       guards=guards)

    def f(x):
        return x

    g = rg.grad(f)
    assert g(3.0) == 1.0
    outside["h"] = np.cos
    assert g(3.0) == 2.0
    outside["h"] = np.sin
    outside["keys"] = tuple(["a", "b"])
    assert g(3.0) == 1.0 and len(g.signatures) == 2
    assert g.signatures[1].reason == "a captured value changed its type or identity"


def test_failures_become_exceptions(fake):
    failures = (Failure(ValueError, ("bad ", ("i", 1), " of ", ("f", 0))), Failure(KeyError, ()))

    @fake.knows("f", "grad")
    def _(request):
        body = ("(x):\n    if x > 1.0:\n        return 1, 0, 7, x, 0.0\n"
                "    if x < 0.0:\n        return 2, 0, 0, 0.0, 0.0\n    return 0, 0, 0, 0.0, 4.0")
        return program(request, (FLOAT,), emitted("f_grad", body, Leaf(0), failures=failures,
                                                  integers=2, floats=1))

    def f(x):
        return x

    g = rg.grad(f)
    assert g(0.5) == 4.0
    with pytest.raises(ValueError, match=r"^bad 7 of 1\.5$"):
        g(1.5)
    with pytest.raises(KeyError):
        g(-1.0)
    assert g(0.5) == 4.0


def test_numpy_mode_divides_like_numpy(fake):
    @fake.knows("f", "grad")
    def _(request):
        return program(request, (FLOAT,), emitted("f_grad", "(x):\n    return 1 / x", Leaf(0)))

    def f(x):
        return x

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for jit in (True, False):
            assert rg.grad(f, jit=jit)(0.0) == np.inf


def test_tracebacks_show_generated_source(fake):
    @fake.knows("f", "grad")
    def _(request):
        return program(request, (FLOAT,), emitted(
            "f_grad", "(x):\n    return missing_name(x)", Leaf(0)))

    def f(x):
        return x

    with pytest.raises(NameError) as caught:
        rg.grad(f, jit=False)(1.0)
    linecache.checkcache()
    assert "return missing_name(x)" in "".join(traceback.format_exception(caught.value))


def test_options(fake):
    with pytest.raises(TypeError, match="parallel"):
        rg.grad(square, parallel="yes")
    with pytest.raises(TypeError, match="has_aux"):
        rg.grad(square, has_aux=1)
    with pytest.raises(TypeError, match="unexpected"):
        rg.grad(square, fast_math=True)
    for fastmath in (True, {"nnan"}):
        g = rg.grad(square, fastmath=fastmath, cache=False)
        assert g(2.0) == 4.0
    assert "fastmath={'contract', 'nnan'}" in g.source("compiled")


def test_has_aux(fake):
    @fake.knows("f", "value_and_grad")
    def _(request):
        structure = type(tree(0))("tuple", (tree(0, 1), Leaf(2)))
        assert request.has_aux
        return program(request, (Scalar("float64"), INT, Scalar("float64")), emitted(
            "f_vg", "(x):\n    return (x * x, 7), 2 * x", structure), emitted(
            "f_vg", "(x):\n    return x * x, 7, 2 * x", structure))

    def f(x):
        return x * x, 7

    for jit in (True, False):
        value, gradient = rg.value_and_grad(f, has_aux=True, jit=jit)(3.0)
        assert value == (9.0, 7) and type(value[0]) is np.float64 and type(value[1]) is int
        assert gradient == 6.0 and type(gradient) is float


def test_copies_are_the_object_itself(fake):
    g = rg.grad(square)
    assert copy.copy(g) is g and copy.deepcopy([g])[0] is g


def test_pickling_by_reference(fake):
    again = pickle.loads(pickle.dumps(rg.grad(product3, (0, 2), jit=False)))
    assert again.primal is product3 and again(2.0, 3.0, 5.0) == (15.0, 6.0)
    assert type(again) is rg.Gradient


def test_pickling_by_source(fake):
    pytest.importorskip("cloudpickle")

    def square(x):
        return x * x

    again = pickle.loads(pickle.dumps(rg.value_and_grad(square)))
    assert again(3.0) == (9.0, 6.0) and again.primal is not square


def test_pickling_without_cloudpickle(fake, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(pickle.PicklingError, match=r"<lambda>.*cloudpickle"):
        pickle.dumps(rg.grad(lambda x: x))


def test_methods_are_refused(fake):
    class Model:
        @rg.grad
        def loss(self, x):
            return x

    assert isinstance(Model.loss, rg.Gradient)
    with pytest.raises(Unsupported, match=r"rg\.grad\(instance\.method\)"):
        Model().loss(1.0)


def test_one_compilation_for_many_threads(fake):
    inner = fake.programs["square", "grad"]

    @fake.knows("square", "grad")
    def _(request):
        time.sleep(0.05)
        return inner(request)

    g = rg.grad(square)
    results = []
    threads = [threading.Thread(target=lambda: results.append(g(3.0))) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert results == [6.0] * 8 and len(g.signatures) == 1 and len(fake.requests) == 1
