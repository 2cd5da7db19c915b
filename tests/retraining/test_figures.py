"""The figures of a retraining beside those of the base."""

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from dvc.repo import Repo

from vitrine.retraining.figures import Figure, Figures

METRICS = ("evaluate/metrics.json", "train/metrics.json", "register/verdict.json")
STYLE = {"accuracy": 0.5, "accuracy_low": 0.4, "accuracy_high": 0.625, "macro_f1": 0.25}

Commit = Callable[[], str]


def write(stage: str, figures: Mapping[str, object]) -> None:
    (path,) = [Path("reports", name) for name in METRICS if name.startswith(stage)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(figures), encoding="utf-8")


@pytest.fixture
def commit(workplace: Path) -> Commit:
    """A repository of git and DVC; call it to commit all that lies in it."""
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.org")

    def run(*command: str) -> str:
        done = subprocess.run(command, cwd=workplace, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit_all() -> str:
        run("git", "add", "--all")
        run("git", *identity, "commit", "--quiet", "--allow-empty", "--message", "test")
        return run("git", "rev-parse", "HEAD")

    run("git", "init", "--quiet")
    Repo.init(str(workplace)).close()
    listed = "".join(f"- reports/{name}\n" for name in METRICS)
    (workplace / "dvc.yaml").write_text(f"metrics:\n{listed}", encoding="utf-8")
    return commit_all


def test_both_heads_are_compared_with_the_base(commit: Commit) -> None:
    write("evaluate", {"style": STYLE, "mean": 0.5, "seconds": 1.0})
    write("train", {"epochs": 2})
    base = commit()
    now = STYLE | {"accuracy": 0.75, "accuracy_low": 0.7, "accuracy_high": 0.8}
    write("evaluate", {"style": now, "category": {"macro_f1": 0.125}, "mean": 0.25, "seconds": 9.0})
    found = Figures.read(base)
    assert found.changed == ("evaluate",)
    assert found.headline().splitlines()[2:] == [
        "| style: accuracy | 0.500 | 0.750 | 0.700 to 0.800 | +0.250 |",
        "| style: macro F1 | 0.250 | 0.250 |  | +0.000 |",
        "| category: macro F1 |  | 0.125 |  | new |",
    ]
    assert found.rest().splitlines()[2:] == ["| evaluate | mean | 0.500 | 0.250 | -0.250 |"]
    assert found.only(("train",)).headline() == ""


def test_what_the_base_has_not_is_new(commit: Commit) -> None:
    base = commit()
    write("evaluate", {"style": STYLE})
    write("train", {"epochs": 2, "best": "`@team`"})
    found = Figures.read(base)
    assert "| style: accuracy |  | 0.500 | 0.400 to 0.625 | new |" in found.headline()
    assert "| train | epochs |  | 2 | new |" in found.rest()
    assert "\\`@\u200bteam\\`" in found.rest()


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [("a", "a", "is the same"), ("a", "b", "was another one"), (None, "b", "")],
)
def test_another_test_split_is_said(before: str | None, now: str, words: str) -> None:
    said = Figures({"register": {"test_digest": Figure(before, now)}}).ground()
    assert words in said
    assert bool(said) == bool(words)


def test_a_pipeline_that_cannot_be_read_is_a_reason(commit: Commit) -> None:
    write("evaluate", {"style": STYLE})
    base = commit()
    Path("dvc.yaml").write_text("stages: [\n", encoding="utf-8")
    found = Figures.read(base)
    assert found.stages == {}
    assert "dvc.yaml" in found.obstacle


def test_very_many_figures_are_cut() -> None:
    found = Figures({"train": {f"{n:03}": Figure(1, 2) for n in range(500)}})
    assert found.rest().endswith("… and 350 more: `dvc metrics diff`.")
