"""Functions with assertions, in a module whose assertions pytest does not rewrite."""


def asserts(x, limit):
    assert limit > 0, "no limit"
    assert limit < 10
    return x * 2.0


def dead_while(x, n):
    while n > 0:
        n = n - 1
        assert n != 3, f"three of {n}"
    return x
