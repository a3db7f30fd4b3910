"""Conditions in one line, as the program prints them, turned into the lists and mappings that they stand for.

    close > dc.upper[1] and (rsi crosses above 30 or not hour in [1, 2])

Known are comparisons, also in a row (`20 <= rsi <= 40`), `x within 1 % of y`, arithmetic with `+ - * / %`, brackets, and, or, not.
Windows, setups and ranges are written as lists and mappings.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

from coinswarm.play.reading.nodes import Node, Scalar
from coinswarm.play.reading.parsing import scalar

LONGEST = 2_000
_DEEPEST = 30
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d[\d_]*)?\.?\d+(?:[eE][-+]?\d+)?)|(?P<word>[A-Za-z_]\w*(?:-\w+)*(?:\.\w+)*(?:\[\d+\])?)"
    r"|(?P<sign><=|>=|==|!=|[<>=+\-*/%(),\[\]]))"
)
_SIGNS = ("<=", ">=", "==", "!=", "<", ">", "=")
_WORDS = ("cross_above", "crosses_above", "cross_below", "crosses_below", "in", "gt", "lt", "gte", "ge", "lte", "le", "eq", "ne", "neq")
_END = "the end"
_JOINING = ("and", "or", "not")


class NotInfix(Exception):  # noqa: N818 - control flow between this module and the reader of conditions, never seen outside
    """The text is no condition in one line; says where it stops making sense."""


def reads_like(text: str) -> bool:
    """Whether a text has the parts of a condition: at least three words, numbers or signs."""
    return len(text) <= LONGEST and len(text.split()) > 0 and sum(1 for _ in _TOKEN.finditer(text)) >= 3


def condition(text: str, line: int) -> Node:
    """The condition that a text stands for, as a file would have it in lists and mappings.

    Raises:
        NotInfix: it is none.
    """
    return _Line(_tokens(text), line).whole()


def _tokens(text: str) -> list[str]:
    if len(text) > LONGEST:
        raise NotInfix(f"more than {LONGEST} characters")
    found, place = [], 0
    while place < len(text.rstrip()):
        match = _TOKEN.match(text, place)
        if match is None:
            raise NotInfix(f"{text[place:].strip()[:20]!r} is not understood")
        found.append(match.group().strip())
        place = match.end()
    return found


class _Line:
    """Reads tokens from left to right; what may be a condition or arithmetic in brackets is tried as arithmetic first."""

    def __init__(self, tokens: list[str], line: int) -> None:
        self.tokens = tokens
        self.line = line
        self.place = 0
        self.depth = 0

    def whole(self) -> Node:
        found = self.either()
        if self.place < len(self.tokens):
            raise NotInfix(f"{self.tokens[self.place]!r} stands where and, or or the end is expected")
        return found

    # --- conditions -----------------------------------------------------------------------------------------------------

    def either(self) -> Node:
        return self.joined("or", "any", lambda: self.joined("and", "all", self.single))

    def joined(self, word: str, key: str, inner: Callable[[], Node]) -> Node:
        parts = [inner()]
        while self.takes(word):
            parts.append(inner())
        return parts[0] if len(parts) == 1 else self.mapping(key, self.node(tuple(parts)))

    def single(self) -> Node:
        if self.takes("not"):
            return self.mapping("not", self.deeper(self.single))
        before = self.place
        try:
            return self.comparison()
        except NotInfix:
            self.place = before
            if not self.takes("("):
                raise
        found = self.deeper(self.either)
        self.expect(")")
        return found

    def comparison(self) -> Node:
        sides, operators = [self.operand()], []
        while (operator := self.operator()) is not None:
            operators.append(operator)
            sides.append(self.listed() if operator == "in" else self.operand())
        if self.takes("within"):
            return self.near(sides[0])
        if not operators:
            raise NotInfix(f"{self.ahead()!r} stands where a comparison such as > is expected")
        if operators == ["<=", "<="]:
            return self.node((sides[1], self.node("between"), self.node((sides[0], sides[2]))))
        pairs = [self.node((left, self.node(operator), right)) for operator, (left, right) in zip(operators, pairwise(sides), strict=True)]
        return pairs[0] if len(pairs) == 1 else self.mapping("all", self.node(tuple(pairs)))

    def near(self, left: Node) -> Node:
        tolerance = self.number()
        operator = "near_pct" if self.takes("%") else "near_abs"
        self.expect("of")
        return self.node((left, self.node(operator), self.operand(), tolerance))

    def operator(self) -> str | None:
        if self.place >= len(self.tokens):
            return None
        token = self.tokens[self.place].lower()
        if token in ("cross", "crosses") and self.place + 1 < len(self.tokens):
            token = f"{token}_{self.tokens[self.place + 1].lower()}"
            self.place += token in _WORDS
        if token not in (*_SIGNS, *_WORDS):
            return None
        self.place += 1
        return token

    # --- operands -------------------------------------------------------------------------------------------------------

    def operand(self) -> Node:
        return self.chained(("+", "-"), lambda: self.chained(("*", "/", "%"), self.factor))

    def chained(self, signs: tuple[str, ...], inner: Callable[[], Node]) -> Node:
        found = inner()
        while self.place < len(self.tokens) and (sign := self.tokens[self.place]) in signs:
            self.place += 1
            if sign == "%" and self.ahead() in (_END, ")", "and", "or"):
                raise NotInfix("% takes a remainder: 0.01 % is written 0.0001")
            found = self.node((found, self.node(sign), inner()))
        return found

    def factor(self) -> Node:
        if self.takes("("):
            found = self.deeper(self.operand)
            self.expect(")")
            return found
        if self.ahead()[:1].isdigit() or self.ahead()[:1] in ("-", "."):
            return self.number()
        return self.node(self.word())

    def number(self) -> Node:
        sign = "-" if self.takes("-") else ""
        value = scalar(sign + self.next())
        if not isinstance(value, (int, float)):
            raise NotInfix(f"{self.tokens[self.place - 1]!r} stands where a number is expected")
        return self.node(value)

    def word(self) -> str:
        text = self.next()
        if not (text[:1].isalpha() or text[:1] == "_") or text.lower() in (*_JOINING, *_WORDS):
            raise NotInfix(f"{text!r} stands where a feature, a column or a number is expected")
        return text

    def listed(self) -> Node:
        self.expect("[")
        items = [self.factor()]
        while self.takes(","):
            items.append(self.factor())
        self.expect("]")
        return self.node(tuple(items))

    # --- tokens ---------------------------------------------------------------------------------------------------------

    def ahead(self) -> str:
        return self.tokens[self.place] if self.place < len(self.tokens) else _END

    def next(self) -> str:
        if self.place >= len(self.tokens):
            raise NotInfix("the text ends where a feature, a column or a number is expected")
        self.place += 1
        return self.tokens[self.place - 1]

    def takes(self, token: str) -> bool:
        if self.place < len(self.tokens) and self.tokens[self.place].lower() == token:
            self.place += 1
            return True
        return False

    def expect(self, token: str) -> None:
        if not self.takes(token):
            raise NotInfix(f"{self.ahead()!r} stands where {token!r} is expected")

    def deeper(self, inner: Callable[[], Node]) -> Node:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise NotInfix(f"more than {_DEEPEST} brackets in each other")
        try:
            return inner()
        finally:
            self.depth -= 1

    def node(self, value: Scalar | tuple[Node, ...]) -> Node:
        return Node(value, self.line)

    def mapping(self, key: str, inner: Node) -> Node:
        return Node({key: inner}, self.line, {key: self.line})
