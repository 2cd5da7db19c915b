"""retrain.yml, executed: what its own steps do on the changes of data that people make.

The git remote, the DVC remote and MLflow are real. GitHub cannot be had here: its machines are
acted out by `workflows.runner`, and its program `gh` is a stand-in that keeps what it is asked for.
"""

import json
from collections.abc import Iterator

import pytest
import yaml

from clones import Clone
from workflows.runner import Run, Stop, on_main, pull_request
from workflows.team import Call, Team, team

pytestmark = [pytest.mark.integration, pytest.mark.slow]
ALL = "Ran: validate, prepare, pretrain, tune, train, export, evaluate, register."
COMMENTED = ("team/catalogue", "pr", "comment", "7", "--body-file")
DONE = {"plan": "success", "train": "success", "record": "success"}
UNTRAINED = {**DONE, "train": "skipped"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """A team whose first model is the champion."""
    with team(tmp_path_factory.mktemp("team")) as made:
        yield made


def comment(run: Run, calls: list[Call]) -> str:
    """The one thing that was said on the pull request, which the page of the run says as well."""
    asked, call = calls
    assert asked.arguments[1:4] == ("api", "--paginate", "repos/team/catalogue/issues/7/comments")
    assert call.arguments[:5] == COMMENTED
    assert call.body in (run.jobs["train"].summary, run.jobs["plan"].summary)
    assert len(call.body) <= 65_536
    return call.body


def first_line(body: str) -> str:
    """What stands above all else in a comment."""
    marker, headline = body.splitlines()[:2]
    assert marker == "<!-- vitrine retrain -->"
    return headline


def test_new_images_are_trained_on_and_the_results_come_back_to_the_branch(shop: Team) -> None:
    shop.begin("new-images")
    shop.add(18)
    event = shop.push("new-images")
    run, calls = shop.retrain(event)
    assert run.results == DONE, run.log
    assert (run.group, run.jobs["train"].runs_on) == ("retrain-refs/pull/7/merge", "ubuntu-latest")

    number = shop.challenger()
    said = comment(run, calls)
    assert first_line(said).startswith(f"## Retrained as version {number}; the gate passed")
    for words in (
        f"{shop.address}/#/models/vitrine/versions/{number}",
        f"`vitrine promote {number}`",
        "The data changed: 18 added.",
        ALL,
        "| style: macro F1 | ",
        "the accuracy of category must not be below that of the champion, version 1",
        f"actions/runs/{1000 + shop.forge.runs}",
    ):
        assert words in said

    name = "--format=%an: %s"
    assert shop.git("log", "-1", name, "new-images").startswith(
        "github-actions[bot]: chore(retrain)"
    )
    changed = set(shop.git("diff", "--name-only", event.sha, "new-images").splitlines())
    assert {"dvc.lock", "reports/evaluate/metrics.json", "reports/register/verdict.md"} <= changed
    assert all(path == "dvc.lock" or path.startswith("reports/") for path in changed)
    assert not any(path.endswith(".html") for path in changed), "what DVC keeps is not in git"
    assert (run.artifacts / "results/reports/diff/added.jpg").exists()

    # What the bot pushes starts the workflow again, and there it ends.
    again, calls = shop.retrain(pull_request(shop.git("rev-parse", "new-images"), "new-images"))
    assert again.results == UNTRAINED, again.log
    upheld = first_line(comment(again, calls))
    assert upheld.startswith(f"## Up to date: version {number}; the gate passed")
    assert shop.challenger() == number

    stranger = Clone(shop.clone.path.parent / "stranger", shop.clone.env)
    shop.clone.run(
        *("git", "clone", "--quiet", "--branch", "new-images"),
        *(str(shop.forge.remote), str(stranger.path)),
    )
    stranger.run("dvc", "pull", "--quiet")
    assert "Data and pipelines are up to date." in stranger.run("dvc", "status")
    assert stranger.run("git", "status", "--porcelain") == ""
    assert (stranger.path / "artifacts/export/model.xml").exists()


def test_a_cancelled_run_goes_on_where_it_was_when_it_is_started_again(shop: Team) -> None:
    shop.begin("toys")
    vintage = [row["image"] for row in shop.rows() if row["style"] == "vintage"]
    moved = set(vintage[::2])
    shop.change(lambda row: row.update(style="minimalist") if row["image"] in moved else None)
    shop.add(12)
    is_new = {row["image"] for row in shop.rows() if row["image"].startswith("images/new")}
    shop.change(lambda row: row.update(category="toys") if row["image"] in is_new else None)
    taxonomy = shop.clone.path / "data/taxonomy.yaml"
    tree = yaml.safe_load(taxonomy.read_text(encoding="utf-8"))
    tree["categories"].append({"name": "toys", "display": {"en": "Toys", "zh": "玩具"}})
    taxonomy.write_text(yaml.safe_dump(tree, allow_unicode=True, sort_keys=False), "utf-8")
    event = shop.push("toys")
    before = shop.versions()

    run, calls = shop.retrain(event, Stop("Run what has to run", "epoch 1/2"))
    assert run.results == {"plan": "success", "train": "cancelled", "record": "skipped"}, run.log
    assert run.jobs["train"].step("Keep what was made").outcome == "success"
    assert (shop.versions(), calls) == (before, [])

    run, calls = shop.retrain(event)
    assert run.results == DONE, run.log
    log = run.jobs["train"].step("Run what has to run").log
    assert [line for line in log.splitlines() if line.startswith("> ")] == [
        f"> vitrine {stage}" for stage in ("train", "export", "evaluate", "register")
    ]
    assert "epoch 1/2" not in log
    assert "1 epochs were taken over from an interrupted run." in log
    assert shop.versions() == before | {shop.challenger()}
    assert len(shop.versions()) == len(before) + 1

    said = comment(run, calls)
    assert first_line(said).startswith(f"## Retrained as version {shop.challenger()}; the gate ")
    assert f"| style | vintage | minimalist | {len(moved)} |" in said
    assert "category added: 'toys'." in said
    assert "| category | toys | 0 | 12 | +12 |" in said


def test_bad_data_stops_at_validate_and_the_comment_says_which_row(shop: Team) -> None:
    shop.begin("bad")
    rows = shop.rows()
    rows[4]["category"] = "clothes"
    shop.write(rows)
    event = shop.push("bad")
    before = shop.versions()
    run, calls = shop.retrain(event)
    assert run.results == {**DONE, "train": "failure"}, run.log
    said = comment(run, calls)
    assert first_line(said) == "## Stopped at validate"
    found = f"manifest.csv line 6, {rows[4]['image']}: category 'clothes' is not in taxonomy.yaml"
    assert found in said
    assert "`vitrine quarantine`" in said
    assert "Promote" not in said
    assert shop.git("rev-parse", "bad") == event.sha
    assert shop.versions() == before


def test_duplicates_and_comments_train_nothing(shop: Team) -> None:
    shop.begin("again")
    shop.repeat(3)
    for name in ("params.yaml", "src/vitrine/stages/train.py"):
        file = shop.clone.path / name
        file.write_text(f"# More words.\n{file.read_text(encoding='utf-8')}", encoding="utf-8")
    event = shop.push("again")
    run, calls = shop.retrain(event)
    assert run.results == UNTRAINED, run.log
    said = comment(run, calls)
    assert first_line(said).startswith("## Nothing was trained: only duplicates were added")
    assert "src/vitrine/stages/train.py: only comments, docstrings or layout" in said
    assert "Only duplicates were added: nothing to learn from." in said
    assert shop.git("rev-parse", "again") == event.sha


def test_a_fork_gets_a_run_that_only_reads(shop: Team) -> None:
    shop.begin("main")
    shop.clone.set_params({"register": {"margin": 0.8}})
    event = shop.push("theirs", of="stranger/catalogue")
    before = shop.versions()
    refs = shop.git("for-each-ref")
    run, calls = shop.retrain(event)
    assert run.results == {**DONE, "record": "skipped"}, run.log
    assert run.jobs["train"].step("Keep what was made").outcome == "skipped"
    log = run.jobs["train"].step("Run what has to run").log
    assert [line for line in log.splitlines() if line.startswith("> ")] == ["> vitrine register"]
    assert "Ran: register." in run.jobs["train"].summary
    workspace = run.jobs["train"].workspace
    assert workspace is not None
    assert (workspace / "mlflow.db").exists()
    assert (shop.versions(), shop.git("for-each-ref"), calls) == (before, refs, [])


def test_settings_are_tried_by_hand_and_come_as_a_pull_request(shop: Team) -> None:
    shop.begin("main")
    main = shop.git("rev-parse", "main")
    settings = {"set": "train.epochs=1 evaluate.bootstrap=12"}
    run, calls = shop.retrain(on_main("workflow_dispatch", main, {"inputs": settings}))
    assert run.results == DONE, run.log
    branch = f"retrain/{1000 + shop.forge.runs}"
    assert run.group == f"retrain-{1000 + shop.forge.runs}"
    asked, call = calls
    assert asked.arguments[1:4] == ("pr", "edit", branch)
    assert call.arguments[1:7] == ("pr", "create", "--base", "main", "--head", branch)
    assert first_line(call.body).startswith(f"## Retrained as version {shop.challenger()}; ")
    tried = yaml.safe_load(shop.git("show", f"{branch}:params.yaml"))
    assert (tried["train"]["epochs"], tried["evaluate"]["bootstrap"]) == (1, 12)
    verdict = json.loads(shop.git("show", f"{branch}:reports/register/verdict.json"))
    assert str(verdict["version"]) == shop.challenger()
    assert shop.git("rev-parse", f"{branch}~1", "main").split() == [main, main]


def test_drift_without_new_data_becomes_an_issue(shop: Team) -> None:
    shop.begin("main")
    main = shop.git("rev-parse", "main")
    payload = {"report": "category: distance 0.2"}
    event = on_main("repository_dispatch", main, {"action": "drift", "client_payload": payload})
    run, calls = shop.retrain(event)
    assert run.results == UNTRAINED, run.log
    asked, call = calls
    assert asked.arguments[1:3] == ("issue", "list")
    assert call.arguments[:3] == ("team/catalogue", "issue", "create")
    assert first_line(call.body) == "## Nothing was trained: dvc.lock is up to date"
    assert call.body.endswith("\ncategory: distance 0.2\n")


def test_on_a_schedule_nothing_is_said_where_nothing_has_to_run(shop: Team) -> None:
    run, calls = shop.retrain(on_main("schedule", shop.git("rev-parse", "main"), {}))
    assert run.results == UNTRAINED, run.log
    assert calls == []
    assert (
        "Nothing changed in the data." in run.jobs["plan"].step("Show what changed in the data").log
    )


def test_data_that_was_not_pushed_is_told_on_the_pull_request(shop: Team) -> None:
    shop.begin("unpushed")
    shop.add(9)
    event = shop.push("unpushed", data=False)
    run, calls = shop.retrain(event)
    assert run.results == {"plan": "failure", "train": "skipped", "record": "success"}, run.log
    said = comment(run, calls)
    assert first_line(said) == "## Stopped before the pipeline began"
    assert "dvc push" in said
