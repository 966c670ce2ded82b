"""Functions that are refused, one construct each: (function, arguments, words of the reason)."""
# ruff: noqa: UP032, RUF, C4

import collections
import contextlib
import decimal
import itertools
import json
import re

import numpy as np

X = np.arange(3.0)
A = np.ones((2, 3))
REFUSED = {}


def refused(*args, word=""):
    def note(f):
        assert f.__name__ not in REFUSED
        REFUSED[f.__name__] = (f, args, word)
        return f
    return note


@refused(1.0, word="try")
def try_statement(x):
    try:
        return x * x
    except ValueError:
        return x


@refused(1.0, word="with")
def with_statement(x):
    with contextlib.suppress(ValueError):
        x = x * x
    return x


@refused(1.0, word="class")
def class_statement(x):
    class Local:
        y = 1.0
    return x * Local.y


@refused(1.0, word="yield|generator")
def yields(x):
    yield x


@refused(1.0, word="yield|generator")
def yields_from(x):
    yield from (x, x)


@refused(1.0, word="async")
async def asynchronous(x):
    return x


@refused(1.0, word="del")
def deletes(x):
    y = x * x
    del y
    return x


@refused(1.0, word="match")
def matches(x):
    match x:
        case 1.0:
            return x
        case _:
            return x * x


class Holder:
    value = 1.0


HOLDER = Holder()


@refused(1.0, word="attribute|writ")
def writes_attribute(x):
    HOLDER.value = x
    return x


@refused(1.0, word="attribute|writ")
def star_assigns_to_attribute(x):
    a, *HOLDER.value = x, x, x
    return a


@refused(X, word="outside the function")
def stores_into_a_captured_array(x):
    A[0] = x
    return np.sum(x)


@refused(X, word="outside the function")
def adds_to_a_captured_array_by_another_name(x):
    rows = A.T[1:]
    rows += x[0]
    return np.sum(rows)


@refused(X, word="outside the function")
def writes_out_into_a_captured_array(x):
    np.multiply(x, x, out=A[0])
    return np.sum(x)


@refused(X, word="may or may not be the same array")
def writes_what_may_be_another(x):
    y = x * 2.0
    z = y if x[0] > 1 else x
    z[0] = 3.0
    return np.sum(y)


@refused(1.0, word="no derivative")
def unknown_function(x):
    return x * json.loads("1.0")


@refused(1.0, word="no derivative")
def unknown_builtin(x):
    return eval("x * x")


@refused(X, word="partition|no derivative")
def partitions(x):
    return np.sum(np.partition(x, 1) * x)


@refused(X, word="np.unique|no derivative")
def unique(x):
    return np.sum(np.unique(x))


@refused(np.ones((2, 2)), word="several axes")
def median_of_axes(x):
    return np.median(x, axis=(0, 1))


@refused(X, word="linear")
def nearest_quantile(x):
    return np.quantile(x, 0.5, method="nearest")


@refused(1.0, np.random.default_rng(0), word="'shuffle'")
def shuffled(x, rng):
    y = np.arange(3)
    rng.shuffle(y)
    return x * y[0]


@refused(1.0, np.random.default_rng(0), word="float64")
def single_draw(x, rng):
    return x * rng.random(dtype=np.float32)


@refused(1.0, np.random.default_rng(0), np.random.default_rng(1), word="generator")
def one_or_the_other(x, rng, other):
    drawn = rng if x > 0 else other
    return x * drawn.random()


@refused(X, word="no derivative|fft")
def transforms(x):
    return np.sum(np.abs(np.fft.fft(x)))


@refused(1.0)
def formats(x):
    return x * len("{:f}".format(x))


@refused(1.0)
def string_of_number(x):
    return x * len(str(x))


@refused(1.0)
def parses(x):
    return x * float("1.5")[0]


@refused(1.0, word="[Ss]et")
def makes_a_set(x):
    return x * len({1, 2})


@refused(1.0)
def set_comprehension(x):
    return x * len({k for k in (1, 2)})


@refused(1.0, word="calls itself")
def recursion(x):
    return x if x < 1 else recursion(x / 2)


def ping(x):
    return x if x < 1 else pong(x / 2)


def pong(x):
    return ping(x) * 2


@refused(1.0, word="calls itself")
def mutual_recursion(x):
    return ping(x)


@refused(1.0, 1, word="known")
def dynamic_dict_key(x, k):
    return {0: x, 1: x * x}[k + (1 if x > 5 else 0)]


@refused(1.0, word="branch")
def types_disagree(x):
    if x > 0:
        y = (x, x)
    else:
        y = x
    return y[0] if x > 0 else y


@refused(X, word="branch|axes|shape")
def ranks_disagree(x):
    if x[0] > 0:
        y = x
    else:
        y = np.outer(x, x)
    return np.sum(y)


@refused(X, 3, word="rank|axes|loop|type")
def rank_changes_in_a_loop(x, n):
    y = x
    for _ in range(n):
        y = np.expand_dims(y, 0)
    return np.sum(y)


@refused(1.0, word="64 bits")
def large_constant(x):
    return x * 2**0 * 99999999999999999999


@refused(1.0, word="global")
def writes_global(x):
    global HOLDER
    HOLDER = None
    return x


@refused(1.0, word="nonlocal")
def writes_nonlocal(x):
    y = x

    def inner():
        nonlocal y
        y = y * 2
    inner()
    return y


@refused(1.0, word="random")
def random_state(x):
    return x * np.random.rand()


@refused(X, word="number|array")
def returns_an_array(x):
    return x * 2.0


@refused(1.0)
def returns_nothing(x):
    x * x


@refused(1.0)
def returns_a_tuple(x):
    return x, x


@refused(1.0)
def returns_a_string(x):
    return "x"


@refused(1.0)
def returns_a_function(x):
    return lambda: x


@refused(1.0)
def object_argument(x):
    return x * float(decimal.Decimal("1.5"))


@refused(1.0)
def regular_expression(x):
    return x * len(re.findall("a", "aa"))


@refused(1.0)
def itertools_product(x):
    s = 0.0
    for a, b in itertools.product((1, 2), (3, 4)):
        s = s + a * b * x
    return s


@refused(1.0)
def lambda_of_lambda(x):
    f = (lambda y: (lambda z: z * y)) if x > 0 else (lambda y: (lambda z: z))
    return f(x)(x)


@refused(1.0)
def function_chosen_by_value(x):
    f = np.sin if x > 0 else np.cos
    return f(x)


@refused(1.0)
def default_dict(x):
    d = collections.defaultdict(float)
    return x + d["a"]


@refused(1.0)
def counts_with_while_else(x):
    while x > 2:
        x = x / 2
    else:
        x = x * helper_of_unknown(x)
    return x


def helper_of_unknown(x):
    return json.dumps(x)


@refused(X, word="in")
def membership(x):
    return x[0] if 1.0 in x else x[1]


@refused(X)
def masked_array(x):
    return np.ma.array(x).sum()


@refused(X)
def star_of_an_array(x):
    return max(*x)


@refused(X)
def keyword_that_is_not_known(x):
    return np.sum(x, dtype=object)


@refused(1.0)
def undefined_name(x):
    return x * undefined_thing  # noqa: F821


@refused(1.0)
def unknown_attribute(x):
    return np.no_such_function(x)


@refused(1.0)
def double_star_call(x):
    options = dict(a=x) if x > 0 else dict(b=x)
    return sum(options.values())


@refused(1.0)
def decorated_inner_function(x):
    @contextlib.contextmanager
    def inner(y):
        return y * y
    return inner(x)
