"""GitHub's expression language, as workflows write it between `${{` and `}}`.

https://docs.github.com/en/actions/reference/workflows-and-actions/expressions
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from workflows.values import (
    COMPARISONS,
    NUMBER,
    PURE,
    ExpressionError,
    Value,
    as_text,
    item,
    number,
    truth,
)

TOKEN = re.compile(
    rf"(?P<number>{NUMBER})"
    r"|(?P<string>'(?:[^']|'')*')"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_-]*)"
    r"|(?P<mark>&&|\|\||==|!=|<=|>=|[<>!().,\[\]])"
)
EMBEDDED = re.compile(r"\$\{\{((?:[^'}]|'(?:[^']|'')*'|\}(?!\}))*)\}\}")
LITERALS: Mapping[str, Value] = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression may use where it stands."""

    contexts: Mapping[str, Value]
    functions: Mapping[str, Callable[..., Value]]


Node = Callable[[Scope], Value]


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression, and the names of the functions that it calls."""

    evaluate: Node
    functions: frozenset[str]


def evaluate(text: str, scope: Scope) -> Value:
    """Return what an expression, without its braces, is worth.

    Raises:
        ExpressionError: It cannot be read, or names what is not there.
    """
    return parse(text).evaluate(scope)


def interpolate(text: str, scope: Scope) -> Value:
    """Put values in the place of all `${{ … }}`; one that stands alone keeps its type.

    Raises:
        ExpressionError: As of `evaluate`.
    """
    alone = EMBEDDED.fullmatch(text.strip())
    if alone:
        return evaluate(alone[1], scope)
    if "${{" in EMBEDDED.sub("", text):
        raise ExpressionError(f"{text!r} has a ${{{{ that is not closed")
    return EMBEDDED.sub(lambda found: as_text(evaluate(found[1], scope)), text)


def parse(text: str) -> Expression:
    """Read an expression.

    Raises:
        ExpressionError: It is none.
    """
    parser = _Parser(text)
    node = parser.either()
    parser.end()
    return Expression(node, frozenset(parser.called))


class _Parser:
    """Reads an expression from left to right, the loosest operator first."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.called: set[str] = set()

    def end(self) -> None:
        if self.tokens:
            raise self.unexpected()

    def either(self) -> Node:
        node = self.both()
        while self.take("||"):
            node = _or(node, self.both())
        return node

    def both(self) -> Node:
        node = self.same()
        while self.take("&&"):
            node = _and(node, self.same())
        return node

    def same(self) -> Node:
        node = self.order()
        while mark := self.take("==", "!="):
            node = _binary(COMPARISONS[mark], node, self.order())
        return node

    def order(self) -> Node:
        node = self.negated()
        while mark := self.take("<=", ">=", "<", ">"):
            node = _binary(COMPARISONS[mark], node, self.negated())
        return node

    def negated(self) -> Node:
        if not self.take("!"):
            return self.reached()
        inner = self.negated()
        return lambda scope: not truth(inner(scope))

    def reached(self) -> Node:
        node = self.simple()
        while mark := self.take(".", "["):
            if mark == ".":
                key = _constant(self.next("name"))
            else:
                key = self.either()
                self.expect("]")
            node = _binary(item, node, key)
        return node

    def simple(self) -> Node:
        if self.take("("):
            node = self.either()
            self.expect(")")
            return node
        kind, token = self.tokens.pop(0) if self.tokens else ("end", "")
        if kind == "number":
            return _constant(number(token))
        if kind == "string":
            return _constant(token[1:-1].replace("''", "'"))
        if kind != "name":
            raise self.unexpected(token)
        if self.take("("):
            return self.call(token)
        return _constant(LITERALS[token]) if token in LITERALS else _context(token)

    def call(self, name: str) -> Node:
        self.called.add(name.lower())
        arguments: list[Node] = []
        while not self.take(")"):
            if arguments:
                self.expect(",")
            arguments.append(self.either())
        return _called(name, arguments)

    def take(self, *marks: str) -> str:
        if self.tokens and self.tokens[0][0] == "mark" and self.tokens[0][1] in marks:
            return self.tokens.pop(0)[1]
        return ""

    def expect(self, mark: str) -> None:
        if not self.take(mark):
            raise self.unexpected()

    def next(self, kind: str) -> str:
        if not self.tokens or self.tokens[0][0] != kind:
            raise self.unexpected()
        return self.tokens.pop(0)[1]

    def unexpected(self, token: str = "") -> ExpressionError:
        found = token or (self.tokens[0][1] if self.tokens else "its end")
        return ExpressionError(f"{self.text.strip()!r} cannot be read at {found!r}")


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens = []
    position = 0
    while rest := text[position:].lstrip():
        position = len(text) - len(rest)
        found = TOKEN.match(text, position)
        if not found:
            raise ExpressionError(f"{text.strip()!r} cannot be read at {rest[:12]!r}")
        tokens.append((str(found.lastgroup), found[0]))
        position = found.end()
    return tokens


def _constant(value: Value) -> Node:
    return lambda scope: value


def _or(left: Node, right: Node) -> Node:
    def chosen(scope: Scope) -> Value:
        value = left(scope)
        return value if truth(value) else right(scope)

    return chosen


def _and(left: Node, right: Node) -> Node:
    def chosen(scope: Scope) -> Value:
        value = left(scope)
        return right(scope) if truth(value) else value

    return chosen


def _binary(operation: Callable[[Value, Value], Value], left: Node, right: Node) -> Node:
    return lambda scope: operation(left(scope), right(scope))


def _context(name: str) -> Node:
    def read(scope: Scope) -> Value:
        if name.lower() not in scope.contexts:
            raise ExpressionError(f"there is no {name!r} here, only {', '.join(scope.contexts)}")
        return scope.contexts[name.lower()]

    return read


def _called(name: str, arguments: Sequence[Node]) -> Node:
    def call(scope: Scope) -> Value:
        function = PURE.get(name.lower()) or scope.functions.get(name.lower())
        if function is None:
            raise ExpressionError(f"there is no function {name!r} here")
        return function(*(argument(scope) for argument in arguments))

    return call
