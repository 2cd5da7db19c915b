"""Which settings of a stage changed."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from vitrine.retraining.finding import Finding

_ABSENT = object()


def judge_settings(dependency: Any) -> Finding:
    """Compare the values of a stage's keys with those of its last run.

    Args:
        dependency: DVC's object for the keys of one file of parameters.
    """
    name = str(dependency)
    if not dependency.exists:
        return Finding((f"{name}: missing",))
    label = "params" if name == dependency.DEFAULT_PARAMS_FILE else name
    before = dependency.hash_info.value or {}
    changes = list(differing(before, dependency.read_params()))
    return Finding((f"{label}: {', '.join(changes)}",) if changes else ())


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Yield what changed between two trees of settings, by the full name of each key.

    Args:
        before: Values or further trees by key.
        after: The same.
    """
    for key in dict.fromkeys([*before, *after]):
        old, new = before.get(key, _ABSENT), after.get(key, _ABSENT)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from (f"{key}.{change}" for change in differing(old, new))
        elif new is _ABSENT:
            yield f"{key} is gone"
        elif old is _ABSENT:
            yield f"{key} is new"
        elif old != new:
            yield f"{key} {_text(old)} → {_text(new)}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
