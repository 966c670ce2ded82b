"""Calls with rules and `stop_gradient` are gone after deriving."""

from __future__ import annotations

from optimise.language import VECTOR, canonical, documented, program
from retrograd.ir.nodes import Function, Let
from retrograd.optimise import ruled
from retrograd.optimise.ruled import without_rules


def test_documentation() -> None:
    before, after = documented(ruled)
    text = before.replace(", call=f, index=0", "")
    assert canonical(without_rules(whole(text))) == canonical(whole(after))


def test_what_has_no_rule_stays() -> None:
    function = whole("y = exp(x)\nreturn y, copy(y)")
    assert without_rules(function) is function


def test_inside_a_loop() -> None:
    text = "for i in range(3):\n    x = {}\nreturn x"
    found = without_rules(whole(text.format("ruled(exp(x), x)")))
    assert canonical(found) == canonical(whole(text.format("exp(x)")))


def test_the_users_name_is_kept() -> None:
    (let,) = without_rules(whole("y = ruled(exp(x), x)\nreturn y")).body
    assert isinstance(let, Let) and let.op == "exp" and let.result.name == "y"


def whole(text: str) -> Function:
    return program(text, x=VECTOR)




def test_what_is_stopped_keeps_its_own_name() -> None:
    (let,) = without_rules(whole("y = exp(x)\nz = stop(y)\nreturn sin(z)")).body[:1]
    assert isinstance(let, Let) and let.result.name == "y"


def test_what_is_stopped_and_written_is_a_copy() -> None:
    text = "y = {}\ny = update(y, 0, 1.0)\nreturn y, x"
    found = without_rules(whole(text.format("stop(x)")))
    assert canonical(found) == canonical(whole(text.format("copy(x)")))
