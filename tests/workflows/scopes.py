"""What an expression of a workflow may use, by the place where it stands.

https://docs.github.com/en/actions/reference/workflows-and-actions/contexts#context-availability
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from workflows.expressions import Expression, Scope, interpolate, parse
from workflows.values import ExpressionError, Value, as_text, truth

RUN = frozenset({"github", "inputs", "vars"})
JOB = RUN | {"needs"}
STEP = JOB | {"env", "job", "runner", "steps"}
AVAILABLE: Mapping[str, frozenset[str]] = {
    "concurrency": RUN,
    "env": RUN | {"secrets"},
    "job.if": JOB,
    "job.runs-on": JOB,
    "job.env": JOB | {"secrets"},
    "job.outputs": STEP | {"secrets"},
    "step.if": STEP,
    "step": STEP | {"secrets"},
}
STATUS = frozenset({"always", "cancelled", "failure", "success"})


@dataclass(frozen=True, slots=True)
class Status:
    """How all went that a condition looks back on."""

    succeeded: bool
    failed: bool
    cancelled: bool

    @property
    def functions(self) -> dict[str, Callable[..., Value]]:
        """The functions by which a condition asks for it."""
        return {
            "always": lambda: True,
            "cancelled": lambda: self.cancelled,
            "failure": lambda: self.failed and not self.cancelled,
            "success": lambda: self.succeeded and not self.cancelled,
        }


def scope(
    place: str,
    contexts: Mapping[str, Value],
    functions: Mapping[str, Callable[..., Value]] | None = None,
) -> Scope:
    """Return what an expression may use.

    Args:
        place: A key of `AVAILABLE`.
        contexts: All that there are.
        functions: Beside those that depend on nothing.
    """
    allowed = {name: value for name, value in contexts.items() if name in AVAILABLE[place]}
    return Scope(allowed, functions or {})


def texts(values: Mapping[str, str], where: Scope) -> dict[str, str]:
    """Evaluate the expressions in the values of a mapping; what comes out is text."""
    return {key: as_text(interpolate(value, where)) for key, value in values.items()}


def holds(condition: str, where: Scope, status: Status) -> bool:
    """Return whether an `if` holds, which says `success() && …` where it names no status.

    Raises:
        ExpressionError: It is text around an expression, which would always hold.
    """
    text = condition.strip()
    if text.startswith("${{") and text.endswith("}}"):
        text = text[3:-2]
    if "${{" in text:
        raise ExpressionError(f"if: {condition!r} is a text, which always holds")
    expression = parse(text or "success()")
    known = Scope(where.contexts, {**where.functions, **status.functions})
    if not _asks_for_status(expression) and not known.functions["success"]():
        return False
    return truth(expression.evaluate(known))


def _asks_for_status(expression: Expression) -> bool:
    return bool(expression.functions & STATUS)
