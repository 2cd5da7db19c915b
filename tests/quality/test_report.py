import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from checked import Tables, known, tables
from vitrine.core.manifest import Row
from vitrine.quality.checks import Check
from vitrine.quality.expectations import Outcome
from vitrine.quality.report import Report

IMAGES = 1200


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tables]:
    images = [
        (Row(f'images/{i}, "x".jpg', product=f"p{i % 2}"), known(f'images/{i}, "x".jpg', bytes=i))
        for i in range(IMAGES)
    ]
    folder = tmp_path_factory.mktemp("report")
    (folder / "data" / "images").mkdir(parents=True)
    (folder / "data" / "images" / "orphan.jpg").touch()
    with tables(folder, images) as made:
        yield made


def _outcome(
    name: str, severity: str, broken: int, *, passed: bool = False, table: str = "images"
) -> Outcome:
    """The outcome of a check that the first rows of a table break."""
    check = Check(
        name=name,
        suite="quality",
        severity=severity,  # type: ignore[arg-type]
        title=f"the title of {name}",
        table=table,
        column="product" if table == "images" else "image",
        rule="not_null",
        reason="{bytes} bytes, {half:.1f} on the half" if table == "images" else "no row",
        extra={"half": "i.bytes / 2.0"} if table == "images" else {},
        group="product" if table == "images" else None,
    )
    first = "(SELECT min(place) FROM " + table + ")"
    query = f"SELECT place FROM {table} WHERE place < {first} + {broken}"
    return Outcome(check, passed, 1234, broken, query)


def test_a_finding_says_where_what_and_beside_which_others(made: Tables) -> None:
    report = Report([outcome := _outcome("small", "error", 3)], made.connection)
    second = list(report.findings(outcome))[1]
    assert (second.line, second.image, second.group) == (3, 'images/1, "x".jpg', "p1")
    assert str(second) == 'manifest.csv line 3, images/1, "x".jpg: 1 bytes, 0.5 on the half'
    assert len(list(report.findings(outcome, 2))) == 2


def test_a_finding_that_is_no_row_of_the_manifest_has_no_line(made: Tables) -> None:
    report = Report([outcome := _outcome("orphans", "warning", 1, table="files")], made.connection)
    (finding,) = report.findings(outcome)
    assert (finding.line, finding.image, finding.group) == (None, "images/orphan.jpg", None)
    assert str(finding) == "images/orphan.jpg: no row"


@pytest.mark.parametrize(
    ("outcomes", "found"),
    [
        ([], "nothing wrong"),
        ([_outcome("a", "error", 0, passed=True)], "nothing wrong"),
        ([_outcome("a", "warning", 2, passed=True)], "nothing wrong"),
        ([_outcome("a", "error", 2)], "1 error"),
        ([_outcome("a", "warning", 2), _outcome("b", "warning", 2)], "2 warnings"),
        (
            [_outcome("a", "warning", 1), _outcome("b", "error", 1), _outcome("c", "error", 1)],
            "2 errors and 1 warning",
        ),
    ],
)
def test_the_verdict_counts_errors_and_warnings(
    made: Tables, outcomes: list[Outcome], found: str
) -> None:
    report = Report(outcomes, made.connection)
    assert report.verdict() == f"{len(outcomes)} checks of 1,200 images found {found}"


def test_metrics_name_every_check(made: Tables) -> None:
    outcomes = [
        _outcome("good", "error", 0, passed=True),
        _outcome("few", "warning", 2, passed=True),
        _outcome("bad", "error", 7),
        _outcome("poor", "warning", 9),
    ]
    assert Report(outcomes, made.connection).metrics() == {
        "images": IMAGES,
        "errors": 1,
        "warnings": 1,
        "good": 0,
        "few": 2,
        "bad": 7,
        "poor": 9,
    }


def test_the_terminal_shows_the_worst_first_and_only_some_rows(made: Tables) -> None:
    outcomes = [
        _outcome("poor", "warning", 4),
        _outcome("good", "error", 0, passed=True),
        _outcome("few", "error", 2, passed=True),
        _outcome("very_bad", "error", 1100),
        _outcome("one", "warning", 1),
    ]
    report = Report(outcomes, made.connection, ("Not compared.",))
    where = 'manifest.csv line {}, images/{}, "x".jpg: {} bytes, {} on the half'
    rows = [where.format(i + 2, i, i, i / 2) for i in range(5)]
    assert report.describe(Path("reports/x"), "Mend it.").splitlines() == [
        "5 checks of 1,200 images found 1 error and 2 warnings",
        "",
        "check     suite      severity  result     fault found in",
        "very_bad  quality    error     FAILED     1,100 of 1,234",
        "poor      quality    warning   FAILED     4 of 1,234",
        "one       quality    warning   FAILED     1 of 1,234",
        "few       quality    error     tolerated  2 of 1,234",
        "1 other found nothing",
        "Not compared.",
        "",
        "error: the title of very_bad; fault found in 1,100 of 1,234",
        *(f"  {row}" for row in rows),
        "  ... and 1,095 more",
        "",
        "warning: the title of poor; fault found in 4 of 1,234",
        *(f"  {row}" for row in rows[:3]),
        "  ... and 1 more",
        "",
        "warning: the title of one; fault found in 1 of 1,234",
        f"  {rows[0]}",
        "",
        "Look closer: reports/x/index.html (pictures), or `make docs-data`",
        "             reports/x/findings.csv (every row found)",
        "Mend it.",
    ]


def test_advice_about_errors_is_given_for_errors_only(made: Tables) -> None:
    report = Report([_outcome("poor", "warning", 1)], made.connection)
    assert "Mend it." not in report.describe(Path("x"), "Mend it.")


def test_a_good_catalogue_needs_few_words(made: Tables) -> None:
    report = Report([_outcome("good", "error", 0, passed=True)], made.connection)
    assert report.describe(Path("x"), "Mend it.").splitlines() == [
        "1 checks of 1,200 images found nothing wrong",
        "",
        "Look closer: x/index.html (pictures), or `make docs-data`",
        "             x/findings.csv (every row found)",
    ]


def test_every_row_found_is_listed(made: Tables, tmp_path: Path) -> None:
    outcomes = [
        _outcome("few", "error", 2, passed=True),
        _outcome("orphans", "warning", 1, table="files"),
        _outcome("bad", "error", IMAGES),
        _outcome("good", "error", 0, passed=True),
    ]
    path = tmp_path / "deep" / "findings.csv"
    Report(outcomes, made.connection).write_findings(path)
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["check", "severity", "line", "image", "reason"]
    reason = "1199 bytes, 599.5 on the half"
    assert rows[IMAGES - 1] == ["bad", "error", "1201", 'images/1199, "x".jpg', reason]
    assert rows[IMAGES:] == [
        ["orphans", "warning", "", "images/orphan.jpg", "no row"],
        ["few", "tolerated", "2", 'images/0, "x".jpg', "0 bytes, 0.0 on the half"],
        ["few", "tolerated", "3", 'images/1, "x".jpg', "1 bytes, 0.5 on the half"],
    ]


def test_without_findings_the_list_is_empty_but_there(made: Tables, tmp_path: Path) -> None:
    Report([], made.connection).write_findings(tmp_path / "findings.csv")
    assert (tmp_path / "findings.csv").read_text() == "check,severity,line,image,reason\n"
