"""The formula by which a multi grader combines scores: `+ - * / ^`, and a few functions.

It is read by a parser of its own: Python's would give `^` a lower rank than `+`, as would each library that builds
on it, and would read much more than a formula.
"""

from __future__ import annotations

import math
import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Function = Callable[..., float]

LONGEST = 4_096
"""Characters of a formula."""

_DEEPEST = 32
"""Levels of brackets, signs, powers: each is a call of the parser within another."""

_NUMBER = r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
_TOKEN = re.compile(rf"\s*(?:{_NUMBER}|(?P<name>[^\W\d]\w*)|(?P<sign>.))")
_SUMS: dict[str, Function] = {"+": operator.add, "-": operator.sub}
_PRODUCTS: dict[str, Function] = {"*": operator.mul, "/": operator.truediv}
# math.pow, because Python's own power gives complex numbers, and whole ones of any size.
_POWER: Function = math.pow

FUNCTIONS: dict[str, Function] = {
    "min": min,
    "max": max,
    "abs": abs,
    "floor": math.floor,
    "ceil": math.ceil,
    "exp": math.exp,
    "sqrt": math.sqrt,
    "log": math.log,
}
"""The functions that a formula may call, by their names."""

_MANY = ("min", "max")
"""The functions that take any number of arguments; all others take one."""


class FormulaError(ValueError):
    """A formula cannot be read, or has no finite value."""


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula that was read, in the order in which a stack evaluates it.

    A step is a number, the name of a score, or a function with the number of its arguments.
    """

    steps: tuple[float | str | tuple[str, Function, int], ...]

    @property
    def names(self) -> set[str]:
        """The scores that it needs."""
        return {step for step in self.steps if isinstance(step, str)}

    def value(self, scores: Mapping[str, float]) -> float:
        """Return its value, a finite number.

        Raises:
            FormulaError: A score is not there, or the value is not finite.
        """
        stack: list[float] = []
        for step in self.steps:
            if isinstance(step, tuple):
                sign, function, arity = step
                arguments = stack[-arity:]
                del stack[-arity:]
                stack.append(_applied(sign, function, arguments))
            elif isinstance(step, str):
                stack.append(_score(scores, step))
            else:
                stack.append(step)
        return stack.pop()


def read(text: str) -> Formula:
    """Read a formula.

    Raises:
        FormulaError: It is none; the message says where it ends to be one.
    """
    if len(text) > LONGEST:
        raise FormulaError(f"it has {len(text)} characters; at most {LONGEST} are allowed")
    return Formula(tuple(_Parser(text).read()))


def _applied(sign: str, function: Function, arguments: list[float]) -> float:
    try:
        result = float(function(*arguments))
    except (ArithmeticError, ValueError):
        result = math.nan
    if not math.isfinite(result):
        raise FormulaError(f"'{sign}' of {', '.join(map(repr, arguments))} is no finite number")
    return result


def _score(scores: Mapping[str, float], name: str) -> float:
    try:
        return scores[name]
    except KeyError:
        raise FormulaError(f"no grader is named '{name}'") from None


class _Parser:
    """Reads by recursive descent; signs bind closer than products, powers closer than signs, as in mathematics."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_TOKEN.finditer(text.rstrip()))
        self._next = 0
        self._depth = 0
        self._steps: list[float | str | tuple[str, Function, int]] = []

    def read(self) -> list[float | str | tuple[str, Function, int]]:
        self._sum()
        if self._next < len(self._tokens):
            self._refuse()
        return self._steps

    def _sum(self) -> None:
        self._chain(_SUMS, self._product)

    def _product(self) -> None:
        self._chain(_PRODUCTS, self._signed)

    def _chain(self, signs: dict[str, Function], operand: Callable[[], None]) -> None:
        operand()
        while (sign := self._sign()) in signs:
            self._next += 1
            operand()
            self._steps.append((sign, signs[sign], 2))

    def _signed(self) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise FormulaError(f"it is nested deeper than {_DEEPEST} levels")
        sign = self._sign()
        if sign in _SUMS:
            self._next += 1
            self._signed()
            if sign == "-":
                self._steps.append((sign, operator.neg, 1))
        else:
            self._power()
        self._depth -= 1

    def _power(self) -> None:
        self._atom()
        if self._sign() == "^":
            self._next += 1
            self._signed()
            self._steps.append(("^", _POWER, 2))

    def _atom(self) -> None:
        match = self._tokens[self._next] if self._next < len(self._tokens) else None
        if match is None:
            self._refuse()
        self._next += 1
        if match["number"] is not None:
            self._steps.append(_finite(match["number"]))
        elif match["name"] is not None and self._sign() == "(":
            self._call(match["name"])
        elif match["name"] is not None:
            self._steps.append(match["name"])
        elif match["sign"] == "(":
            self._sum()
            self._expect(")")
        else:
            self._next -= 1
            self._refuse()

    def _call(self, name: str) -> None:
        if name not in FUNCTIONS:
            raise FormulaError(f"there is no function '{name}'; there are {', '.join(FUNCTIONS)}")
        self._expect("(")
        self._sum()
        arity = 1
        while self._sign() == "," and name in _MANY:
            self._next += 1
            self._sum()
            arity += 1
        self._expect(")")
        # Of a single argument min and max would want a list.
        if arity > 1 or name not in _MANY:
            self._steps.append((name, FUNCTIONS[name], arity))

    def _sign(self) -> str:
        return self._tokens[self._next]["sign"] or "" if self._next < len(self._tokens) else ""

    def _expect(self, sign: str) -> None:
        if self._sign() != sign:
            self._refuse()
        self._next += 1

    def _refuse(self) -> NoReturn:
        if self._next == len(self._tokens):
            raise FormulaError("it ends too early")
        match = self._tokens[self._next]
        token = match[0].lstrip()
        raise FormulaError(f"'{token}' at character {match.end() - len(token) + 1} is unexpected")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise FormulaError(f"{digits} is too large a number")
    return number
