"""What a pull request says of a retraining."""

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from dvc.repo import Repo
from markdown_it import MarkdownIt
from typer.testing import CliRunner

from vitrine.cli.comment import command
from vitrine.core.errors import DataError
from vitrine.retraining.comment import LIMIT, MARKER, write_comment
from vitrine.retraining.data_report import DataReport
from vitrine.retraining.figures import Figure, Figures
from vitrine.retraining.judgement import Condition, Judgement
from vitrine.retraining.reproduction import Reproduction
from vitrine.retraining.sources import Planned, Sources

RUN = Reproduction(
    ran=("train", "evaluate", "register"),
    restored=("validate",),
    unchanged=(),
    failed=None,
    begun=None,
    broken=False,
    unkept=False,
    ended=True,
    said=(),
)
NOTHING = replace(RUN, ran=(), restored=(), ended=False)
JUDGEMENT = Judgement(
    "vitrine",
    "7",
    "the gate passed: better in style than the champion, version 6",
    True,
    (Condition(True, "the macro F1 of style must be at least 0.4, and is 0.6"),),
)
FAILED = replace(
    JUDGEMENT,
    sentence="the gate failed",
    passed=False,
    conditions=(*JUDGEMENT.conditions, Condition(False, "no slice of @team | #1 may fall")),
)
SOURCES = Sources(
    base="abc1234",
    logged=True,
    run=RUN,
    planned=None,
    data=None,
    continued=(),
    stages=RUN.made,
    figures=Figures({"evaluate": {"style.accuracy": Figure(0.5, 0.75)}}),
    judgement=JUDGEMENT,
    run_id="1" * 32,
)


@pytest.fixture(autouse=True)
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not on a machine of CI's, wherever the tests run."""
    monkeypatch.delenv("CI", raising=False)


NO_RUN = replace(
    SOURCES, logged=False, run=None, stages=(), figures=Figures({}), judgement=None, run_id=None
)


@pytest.fixture(autouse=True)
def place(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return workplace


def headline(text: str) -> str:
    first, second, *_ = text.splitlines()
    assert first == MARKER
    return second.removeprefix("## ")


@pytest.mark.parametrize(
    ("changes", "outcome", "step"),
    [
        ({}, "Retrained as version 7; the gate passed: better in style", "`vitrine promote 7`"),
        (
            {"judgement": FAILED},
            "Retrained as version 7; the gate failed",
            "`vitrine promote 7 --f",
        ),
        (
            {"run": replace(RUN, ran=("register",), restored=("train",))},
            "Nothing new was trained; judged anew: version 7; the gate passed",
            "`vitrine promote 7`",
        ),
        (
            {
                "run": replace(RUN, ran=("register",), restored=(), unchanged=("tune", "train")),
                "continued": ("train",),
            },
            "Retrained as version 7; the gate passed",
            "`vitrine promote 7`",
        ),
        (
            {"run": replace(RUN, ran=(), restored=RUN.made)},
            "As in an earlier run with the same inputs: version 7; the gate passed",
            "`vitrine promote 7`",
        ),
        (
            {"run": replace(NOTHING, unchanged=("train",), ended=True), "judgement": None},
            "Nothing had to run: dvc.lock is up to date",
            "",
        ),
        (
            {"run": replace(RUN, ran=("validate",), restored=()), "judgement": None},
            "Ran validate: the rest had nothing to do after it",
            "",
        ),
        (
            {"run": replace(NOTHING, failed="validate"), "judgement": None},
            "Stopped at validate",
            "`vitrine quarantine`",
        ),
        ({"run": replace(NOTHING, failed="train"), "judgement": None}, "Stopped at train", "Mend"),
        (
            {"run": replace(NOTHING, begun="train"), "judgement": None},
            "Cut short in train: cancelled, or out of time",
            "Start the workflow again",
        ),
        (
            {"run": replace(NOTHING, unchanged=("validate",), broken=True), "judgement": None},
            "`dvc repro` failed",
            "Mend",
        ),
        (
            {"run": replace(NOTHING, broken=True), "judgement": None},
            "Stopped before the pipeline began",
            "Mend",
        ),
        (
            {"run": replace(RUN, broken=True, unkept=True)},
            "Trained, but what was made could not be pushed",
            "no version to promote",
        ),
        (
            {"run": None, "judgement": None},
            "The retraining broke off before the pipeline began",
            "start it again",
        ),
    ],
)
def test_the_headline_says_the_outcome_and_then_what_to_do(
    changes: dict[str, object], outcome: str, step: str
) -> None:
    text = write_comment(replace(SOURCES, **changes), None)
    assert headline(text).startswith(outcome)
    (*said,) = [line for line in text.splitlines() if line.startswith("**Next:**")]
    assert bool(said) == bool(step)
    assert step in "".join(said)


@pytest.mark.parametrize(
    ("planned", "outcome"),
    [
        (
            Planned({}, ("data: only duplicates were added",), ()),
            "Nothing was trained: only duplicates were added (data)",
        ),
        (
            Planned(
                {}, ("a.py: only comments", "b.py: only comments", "data: only duplicates"), ()
            ),
            "Nothing was trained: only comments (2 files) and only duplicates (data)",
        ),
        (Planned({}, (), ()), "Nothing was trained: dvc.lock is up to date"),
        (Planned({"train": ("epochs 1 → 2",)}, (), ()), "Has to run: train"),
        (None, "Nothing is known of a run"),
    ],
)
def test_without_a_run_it_says_why(planned: Planned | None, outcome: str) -> None:
    text = write_comment(replace(NO_RUN, planned=planned), None)
    assert headline(text) == outcome


def test_the_candidate_of_before_is_not_forgotten_where_nothing_is_trained() -> None:
    earlier = replace(NO_RUN, planned=Planned({}, (), ()), judgement=JUDGEMENT)
    assert "run `vitrine promote 7`" in write_comment(earlier, None)


def test_what_was_registered_on_cis_machine_alone_is_not_to_be_promoted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    text = write_comment(SOURCES, None)
    assert "**Next:** This run had MLflow in a file of its own" in text
    assert "vitrine promote" not in text
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://mlflow.example.org")
    assert "`vitrine promote 7`" in write_comment(SOURCES, None)


def test_the_lines_of_a_failed_stage_are_shown_as_they_are() -> None:
    said = ("Running stage 'validate':", "```", "</details>@team <b>", "ERROR: failed")
    run = replace(NOTHING, failed="validate", said=said)
    text = write_comment(replace(SOURCES, run=run, judgement=None), None)
    fences = [token for token in MarkdownIt().parse(text) if token.type == "fence"]
    assert [fence.content for fence in fences] == ["\n".join(said) + "\n"]


def test_what_the_gate_asks_for_is_told_and_mentions_nobody() -> None:
    text = write_comment(replace(SOURCES, judgement=FAILED), None)
    assert "\n- no slice of @\u200bteam | #\u200b1 may fall\n" in text
    assert "| ✗ | no slice of @\u200bteam \\| #\u200b1 may fall |" in text
    assert "| ✓ | the macro F1 of style" in text


def test_links_lead_to_the_teams_mlflow_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain = write_comment(SOURCES, None)
    assert "](<" not in plain
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://me:word@mlflow.example.org/base/")
    text = write_comment(SOURCES, "https://ci.example.org/runs/1")
    root = "https://mlflow.example.org/base/#"
    assert f"[version 7](<{root}/models/vitrine/versions/7>)" in text
    assert f"(<{root}/runs/{'1' * 32}>)" in text
    assert "[the workflow run](<https://ci.example.org/runs/1>)" in text
    assert "me:word" not in text


def test_secrets_that_a_log_shows_are_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI")
    said = ("key wJalrXUtnFEMI", "https://me:word@mlflow.example.org failed")
    run = replace(NOTHING, failed="register", said=said)
    text = write_comment(replace(SOURCES, run=run, judgement=None), None)
    assert "key ***\nhttps://***@mlflow.example.org failed" in text


def test_a_secret_with_marks_of_markdown_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAM_TOKEN", "to_k*en_1")
    planned = Planned({"train": ("needs to_k*en_1",)}, (), ())
    assert "| train | needs *** |" in write_comment(replace(SOURCES, planned=planned), None)


def test_it_says_what_had_to_run_and_what_did_not_count() -> None:
    planned = Planned(
        {"train": tuple(f"reason {n}" for n in range(12))}, ("a.py: only comments",), ("look",)
    )
    text = write_comment(replace(SOURCES, planned=planned), None)
    assert "| train | reason 9 |\n| train | … and 2 more |" in text
    assert "\n- a.py: only comments\n\n- look\n" in text


def test_files_of_this_run_are_named(place: Path) -> None:
    for name in ("evaluate/card.html", "diff/added.jpg", "prepare/index.html"):
        path = place / "reports" / name
        path.parent.mkdir(parents=True)
        path.touch()
    text = write_comment(SOURCES, None)
    assert "In the artifact: `reports/diff/*.jpg`, `reports/evaluate/card.html`." in text


def test_it_fits_whatever_there_is_to_say() -> None:
    long = "<&@`*" * 1000
    lines = "".join(f"| {long[:400]} |\n" for _ in range(300))
    data = DataReport(Path("reports/diff/diff.md"), "The data changed.", f"| a |\n| --- |\n{lines}")
    judgement = replace(FAILED, conditions=(Condition(False, long),) * 60)
    run = replace(RUN, ended=False, failed="register", said=("`" * 300,) * 61)
    figures = Figures({"evaluate": {f"{n}{long}": Figure(long, n) for n in range(500)}})
    planned = Planned({f"{n}": (long,) * 20 for n in range(20)}, (long,) * 20, ())
    for changes in ({}, {"run": run}):
        full = replace(
            SOURCES, judgement=judgement, figures=figures, planned=planned, data=data, **changes
        )
        text = write_comment(full, "https://ci.example.org/runs/1")
        assert LIMIT / 2 < len(text) <= LIMIT
        assert text.count("<details>") == text.count("</details>") >= 1
        assert "Parts that GitHub has no room for are left out" in text
        assert "cut here; all of it is in the artifact: reports/diff/diff.md" in text


def test_it_fits_however_little_room_is_left_for_the_data() -> None:
    body = "| a |\n" * 20_000
    data = DataReport(Path("reports/diff/diff.md"), "The data changed.", body)
    lengths = []
    for reasons in range(0, 900, 7):
        planned = Planned({f"{n}": ("x" * 990,) for n in range(60)}, ("y" * reasons,) * 6, ())
        text = write_comment(replace(SOURCES, planned=planned, data=data), None)
        assert text.count("<details>") == text.count("</details>")
        lengths.append(len(text))
    assert LIMIT - 200 < max(lengths) <= LIMIT


@pytest.fixture
def committed(place: Path) -> str:
    """A repository with one commit and a pipeline without stages."""
    (place / "dvc.yaml").write_text("metrics:\n- reports/register/verdict.json\n", encoding="utf-8")
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    for line in (("init", "--quiet"), ("add", "--all")):
        subprocess.run(["git", *line], check=True)
    Repo.init(str(place)).close()
    subprocess.run(["git", *identity, "commit", "--quiet", "--message", "test"], check=True)
    return "HEAD"


@pytest.fixture
def judged(place: Path) -> Callable[[], None]:
    """Write what the stage register writes."""

    def write() -> None:
        folder = place / "reports/register"
        folder.mkdir(parents=True)
        verdict = {"version": 3, "gate": "failed", "test_digest": "a"}
        (folder / "verdict.json").write_text(json.dumps(verdict), encoding="utf-8")
        rows = "| ✓ | one |\n| ✗ | a \\| &lt;b |\n"
        title = "# vitrine version 3: the gate failed"
        (folder / "verdict.md").write_text(
            f"{title}\n\n| | condition |\n| --- | --- |\n{rows}\nBundle `c`.\n", encoding="utf-8"
        )

    return write


def test_the_command_gathers_what_the_tools_left(
    place: Path, committed: str, judged: Callable[[], None]
) -> None:
    judged()
    log = place / "repro.log"
    log.write_text(
        "Running stage 'register':\nUpdating lock file 'dvc.lock'\n\n"
        "Use `dvc push` to send your updates to remote storage.\n",
        encoding="utf-8",
    )
    app = typer.Typer()
    app.command()(command)
    done = CliRunner().invoke(app, ["--base", committed, "--log", str(log)])
    assert done.exit_code == 0
    assert done.stdout == (place / "reports/retrain/comment.md").read_text(encoding="utf-8")
    assert "judged anew: version 3; the gate failed" in headline(done.stdout)
    assert "\n- a | &lt;b\n" in done.stdout


def test_a_verdict_from_before_the_run_is_not_told_as_its_own(
    place: Path, committed: str, judged: Callable[[], None]
) -> None:
    judged()
    log = place / "repro.log"
    log.write_text(
        "Running stage 'validate':\nERROR: failed to reproduce 'validate': failed to run\n"
    )
    text = write_comment(Sources.gather(committed, log), None)
    assert headline(text) == "Stopped at validate"
    assert "version 3" not in text
    affected = place / "reports/affected/affected.json"
    affected.parent.mkdir()
    document = {"stages": {"train": ["x"]}, "ignored": [], "notes": []}
    affected.write_text(json.dumps(document), encoding="utf-8")
    assert "version 3" not in write_comment(Sources.gather(committed, None), None)
    affected.write_text(json.dumps(document | {"stages": {}}), encoding="utf-8")
    assert "`vitrine promote 3 --force" in write_comment(Sources.gather(committed, None), None)


@pytest.mark.parametrize("damaged", ["[]", "{", "null", '{"stages": 3}', '{"version": 1}'])
def test_what_is_missing_or_damaged_stops_nothing(
    place: Path, committed: str, damaged: str
) -> None:
    for name in ("affected/affected.json", "register/verdict.json", "diff/diff.md"):
        path = place / "reports" / name
        path.parent.mkdir(parents=True)
        path.write_text(damaged, encoding="utf-8")
    text = write_comment(Sources.gather(committed, None), None)
    assert headline(text) == "Nothing is known of a run"


def test_a_revision_that_does_not_exist_is_an_error(place: Path, committed: str) -> None:
    with pytest.raises(DataError, match="git knows no revision 'nowhere' here"):
        Sources.gather("nowhere", None)
    with pytest.raises(DataError, match=re.escape("git cannot look up 'HEAD'")):
        (place / ".git/HEAD").unlink()
        Sources.gather(committed, None)
