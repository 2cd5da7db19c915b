"""The values of GitHub's expressions: how they compare, convert and go through functions.

https://docs.github.com/en/actions/reference/workflows-and-actions/expressions
"""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Value = Any
"""null, a boolean, a number, a string, an array or an object, as Python has them."""

NUMBER = r"-?(?:0x[0-9a-fA-F]+|0o[0-7]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"


class ExpressionError(Exception):
    """An expression that GitHub would refuse, or that means nothing in its place."""


class Declared(dict[str, Value]):
    """An object whose keys are all known: another one is a misspelling, not null."""


def as_text(value: Value) -> str:
    """Return a value as it stands in a text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:.15g}"
    if isinstance(value, str):
        return value
    return "Array" if isinstance(value, Sequence) else "Object"


def truth(value: Value) -> bool:
    """Return whether a condition with this value holds."""
    if isinstance(value, int | float):
        return value != 0 and not math.isnan(value)
    return value is not None and value != ""


def equal(left: Value, right: Value) -> bool:
    """Compare loosely: strings without regard to case, other pairs of unlike types as numbers."""
    if isinstance(left, str) and isinstance(right, str):
        return left.upper() == right.upper()
    if _is_tree(left) or _is_tree(right):
        return left is right
    return number(left) == number(right)


def item(value: Value, key: Value) -> Value:
    """Return the property or the element of a value that `key` names; null where there is none.

    Raises:
        ExpressionError: A `Declared` object does not have it.
    """
    if isinstance(value, list):
        index = number(key)
        return value[int(index)] if 0 <= index < len(value) else None
    if not isinstance(value, Mapping):
        return None
    found = next((name for name in value if equal(name, as_text(key))), None)
    if found is None and isinstance(value, Declared):
        raise ExpressionError(f"there is no {as_text(key)!r}, only {', '.join(value)}")
    return None if found is None else value[found]


def _is_tree(value: Value) -> bool:
    return isinstance(value, list | Mapping)


def number(value: Value) -> float:
    """Return a value as a number: not a number where it is none."""
    if value is None:
        return 0
    if isinstance(value, int | float):
        return value
    if not isinstance(value, str):
        return math.nan
    text = value.strip()
    if text[:2] in ("0x", "0o") and re.fullmatch(NUMBER, text):
        return int(text, 0)
    return float(text or 0) if re.fullmatch(f"(?:{NUMBER})?", text) else math.nan


def _before(left: Value, right: Value) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return left.upper() < right.upper()
    return not (_is_tree(left) or _is_tree(right)) and number(left) < number(right)


def _contains(search: Value, item: Value) -> bool:
    if isinstance(search, list):
        return any(equal(entry, item) for entry in search)
    return as_text(item).upper() in as_text(search).upper()


def _format(pattern: Value, *values: Value) -> str:
    def put(found: re.Match[str]) -> str:
        if found[0] in ("{{", "}}"):
            return found[0][0]
        if not found[1] or int(found[1]) >= len(values):
            raise ExpressionError(f"format: {found[0]!r} of {pattern!r} has no value")
        return as_text(values[int(found[1])])

    return re.sub(r"\{\{|\}\}|\{(\d*)\}|[{}]", put, as_text(pattern))


def _join(values: Value, separator: Value = ",") -> str:
    if not isinstance(values, list):
        return as_text(values)
    return as_text(separator).join(as_text(value) for value in values)


def _from_json(text: Value) -> Value:
    try:
        return json.loads(as_text(text))
    except ValueError as fault:
        raise ExpressionError(f"fromJSON: {text!r}: {fault}") from fault


COMPARISONS: Mapping[str, Callable[[Value, Value], Value]] = {
    "==": equal,
    "!=": lambda left, right: not equal(left, right),
    "<": _before,
    ">": lambda left, right: _before(right, left),
    "<=": lambda left, right: _before(left, right) or equal(left, right),
    ">=": lambda left, right: _before(right, left) or equal(left, right),
}
PURE: Mapping[str, Callable[..., Value]] = {
    "contains": _contains,
    "endswith": lambda text, end: as_text(text).upper().endswith(as_text(end).upper()),
    "format": _format,
    "fromjson": _from_json,
    "join": _join,
    "startswith": lambda text, start: as_text(text).upper().startswith(as_text(start).upper()),
    "tojson": lambda value: json.dumps(value, indent=2),
}
