"""Expressions and conditions are worth what they are worth to GitHub.

The table of values was compared with those of GitHub's own evaluator, `@actions/expressions`.
"""

import pytest

from workflows.expressions import Scope, evaluate, interpolate
from workflows.scopes import Status, holds
from workflows.values import Declared, ExpressionError, Value

SCOPE = Scope(
    {
        "env": {"EMPTY": "", "NAME": "it's"},
        "github": Declared(event={"list": [{"name": "a"}, {"name": "b"}]}, ref_name="Main"),
        "vars": {"CPU_IMAGES": "20000"},
    },
    {},
)
GOOD, BAD, ENDED = (
    Status(True, False, False),
    Status(False, True, False),
    Status(False, False, True),
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'it''s'", "it's"),
        ("-1.5e3", -1500),
        ("0xff", 255),
        ("null", None),
        ("github.event.list[1].name", "b"),
        ("github['REF_NAME']", "Main"),
        ("github.event.nothing.below", None),
        ("vars.nothing", None),
        ("vars.cpu_images || '1'", "20000"),
        ("vars.nothing || '1'", "1"),
        ("'a' && 'b'", "b"),
        ("'' && 'b'", ""),
        ("false || 0 || ''", ""),
        ("true && (false || 'c')", "c"),
        ("!'' && !0 && !null && !false", True),
        ("!'false'", False),
        ("'MAIN' == github.ref_name", True),
        ("null == ''", True),
        ("vars.nothing != ''", False),
        ("vars.nothing == 'x'", False),
        ("true == 1", True),
        ("true == 'true'", False),
        ("true == '1'", True),
        ("0 == 'zero'", False),
        ("10 > '9'", True),
        ("'10' > '9'", False),
        ("'a' < 'B'", True),
        ("1 <= 1 && 1 >= 1", True),
        ("'x' < 1", False),
        ("1 < 2 == true", True),
        ("fromJSON('[1]') == fromJSON('[1]')", False),
        ("contains('Hello', 'ELL')", True),
        ("contains(fromJSON('[\"success\", \"skipped\"]'), 'Skipped')", True),
        ("contains(fromJSON('[\"success\"]'), 'succ')", False),
        ("format('{{{0}}} of {1}', 1, true)", "{1} of true"),
        ("format('retrain/{0}', vars.nothing)", "retrain/"),
        ("startsWith('Refs/heads', 'refs/')", True),
        ("endsWith('a.DVC', '.dvc')", True),
        ("join(fromJSON('[1, 2]'), '-')", "1-2"),
        ("fromJSON('{\"a\": 1}').a", 1),
    ],
)
def test_an_expression_is_worth_what_it_is_worth_to_github(text: str, value: Value) -> None:
    found = evaluate(text, SCOPE)
    assert (found, type(found) is bool) == (value, type(value) is bool)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("secrets.TOKEN", "no 'secrets' here"),
        ("github.head_reff", "no 'head_reff', only event, ref_name"),
        ("github.ref_name = 'x'", "cannot be read at \"= 'x'\""),
        ("(true", "cannot be read at 'its end'"),
        ("true false", "cannot be read at 'false'"),
        ('"double"', "cannot be read at '\"double\"'"),
        ("toUpper('a')", "no function 'toUpper'"),
        ("success()", "no function 'success'"),
        ("format('{1}', 'a')", "'{1}' of '{1}' has no value"),
        ("fromJSON('{')", "fromJSON"),
        ("", "cannot be read at 'its end'"),
    ],
)
def test_what_github_would_refuse_or_take_for_null_is_refused(text: str, words: str) -> None:
    with pytest.raises(ExpressionError) as fault:
        evaluate(text, SCOPE)
    assert words in str(fault.value)


def test_values_are_put_into_texts() -> None:
    assert (
        interpolate("${{ env.NAME }}-${{ 1.0 }}-${{ true }}-${{ null }}-", SCOPE) == "it's-1-true--"
    )
    assert interpolate("${{ format('}}{0}', 1) }}", SCOPE) == "}1"
    assert interpolate(" ${{ fromJSON('[1]') }} ", SCOPE) == [1]
    assert interpolate("plain $NAME", SCOPE) == "plain $NAME"
    with pytest.raises(ExpressionError, match="not closed"):
        interpolate("${{ 1 ", SCOPE)


@pytest.mark.parametrize(
    ("condition", "runs"),
    [
        ("", (True, False, False)),
        ("env.EMPTY == ''", (True, False, False)),
        ("always()", (True, True, True)),
        ("${{ always() && env.EMPTY != '' }}", (False, False, False)),
        ("failure()", (False, True, False)),
        ("!cancelled()", (True, True, False)),
        ("success() || cancelled()", (True, False, True)),
    ],
)
def test_a_condition_asks_for_success_unless_it_says_otherwise(
    condition: str, runs: tuple[bool, ...]
) -> None:
    assert tuple(holds(condition, SCOPE, status) for status in (GOOD, BAD, ENDED)) == runs


def test_text_around_an_expression_is_no_condition() -> None:
    with pytest.raises(ExpressionError, match="always holds"):
        holds("${{ false }} && true", SCOPE, GOOD)
