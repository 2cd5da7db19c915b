"""The runner acts as GitHub does: conditions, shells, and what jobs hand on."""

import subprocess
from pathlib import Path

import psutil
import pytest

from clones import environment
from workflows.runner import Event, Forge, Run, Stop, on_main, pull_request
from workflows.values import ExpressionError


@pytest.fixture
def forge(tmp_path: Path) -> Forge:
    """A repository of one commit, which has a variable and two branches."""
    env = environment(tmp_path, tmp_path)
    remote, work = tmp_path / "remote.git", tmp_path / "first"
    for command in (
        f"git init --quiet --bare --initial-branch main {remote}",
        f"git clone --quiet {remote} {work}",
        f"git -C {work} commit --quiet --allow-empty --message first",
        f"git -C {work} push --quiet origin HEAD:main HEAD:change",
    ):
        subprocess.run(command.split(), env=env, capture_output=True, check=True)
    return Forge(tmp_path, remote, env, variables={"COLOR": "red"})


def act(forge: Forge, jobs: str, event: Event | None = None, stop: Stop | None = None) -> Run:
    """Run jobs, as YAML; where no event is given, for a push to main."""
    workflow = forge.folder / "workflow.yml"
    workflow.write_text(f"on: push\njobs:\n{jobs}", encoding="utf-8")
    return forge.run(workflow, event or on_main("push", head(forge), {}), stop)


def head(forge: Forge) -> str:
    """The commit of main."""
    said = subprocess.check_output(["git", "-C", forge.remote, "rev-parse", "main"], text=True)
    return said.strip()


def test_jobs_hand_on_outputs_and_run_in_the_order_of_their_needs(forge: Forge) -> None:
    run = act(
        forge,
        """
  last:
    needs: first
    if: needs.first.outputs.color == 'RED'
    runs-on: ${{ needs.first.outputs.machine || 'plain' }}
    steps:
      - run: echo "$COLOR of $GITHUB_EVENT_NAME"
        env: {COLOR: "${{ needs.first.outputs.color }}"}
  first:
    runs-on: any
    env: {NAME: job}
    outputs:
      color: ${{ steps.a.outputs.color }}
      machine: ${{ steps.a.outputs.machine }}
    steps:
      - id: a
        run: |
          printf 'color=red\\nlong<<END\\na\\nb\\nEND\\n' >> "$GITHUB_OUTPUT"
          printf 'NAME=set\\n' >> "$GITHUB_ENV"
          mkdir tools && printf '#!/bin/sh\\necho found' > tools/own && chmod +x tools/own
          echo "$PWD/tools" >> "$GITHUB_PATH"
      - run: own; echo "$NAME, ${LONG//$'\\n'/+}"; echo done >> "$GITHUB_STEP_SUMMARY"
        env: {LONG: "${{ steps.a.outputs.long }}"}
""",
    )
    assert list(run.jobs) == ["first", "last"]
    assert run.jobs["first"].steps[1].log == "found\nset, a+b\n"
    assert run.jobs["first"].summary == "done\n"
    assert run.jobs["last"].runs_on == "plain"
    assert run.jobs["last"].log.endswith("red of push\n")


def test_after_a_failure_only_what_asks_for_it_runs(forge: Forge) -> None:
    run = act(
        forge,
        """
  first:
    runs-on: any
    steps:
      - run: "false | true"
      - shell: bash
        run: "false | true"
      - run: echo skipped
      - {if: always(), run: echo always}
      - {if: failure(), run: echo failure}
  then: {needs: first, runs-on: any, steps: [{run: echo then}]}
  after: {needs: then, runs-on: any, steps: [{run: echo after}]}
  report:
    needs: [first, after]
    if: always() && contains(fromJSON('["failure"]'), needs.first.result)
    runs-on: any
    steps: [{run: echo report}]
""",
    )
    expected = {"first": "failure", "then": "skipped", "after": "skipped", "report": "success"}
    assert run.results == expected
    outcomes = [step.outcome for step in run.jobs["first"].steps]
    assert outcomes == ["success", "failure", "skipped", "success", "success"]


def test_a_cancelled_run_ends_its_processes_and_does_what_is_always_done(forge: Forge) -> None:
    run = act(
        forge,
        """
  work:
    runs-on: any
    steps:
      - name: Work
        run: |
          setsid sleep 60 &
          echo $! > process; echo begun; sleep 60
      - {if: always(), run: echo kept}
      - {if: failure(), run: echo failure}
      - run: echo next
  report: {needs: work, if: always() && needs.work.result == 'failure', runs-on: any, steps: [{run: x}]}
""",
        stop=Stop("Work", "begun"),
    )
    assert run.results == {"work": "cancelled", "report": "skipped"}
    outcomes = [step.outcome for step in run.jobs["work"].steps]
    assert outcomes == ["cancelled", "success", "skipped", "skipped"]
    workspace = run.jobs["work"].workspace
    assert workspace is not None
    assert not psutil.pid_exists(int((workspace / "process").read_text()))


def test_files_go_from_machine_to_machine_and_from_run_to_run(forge: Forge) -> None:
    jobs = """
  make:
    runs-on: any
    steps:
      - run: mkdir -p reports/deep && touch lock reports/.hidden reports/deep/a reports/b
      - {uses: actions/upload-artifact@v4, with: {name: one, path: reports/}}
      - uses: actions/upload-artifact@v4
        with:
          name: several
          path: |
            lock
            missing
            reports/
      - {uses: actions/cache/restore@v4, with: {path: .cache, key: "x-${{ github.run_id }}", restore-keys: x-}}
      - run: mkdir -p .cache && echo "$GITHUB_RUN_ID" >> .cache/runs && cat .cache/runs
      - {uses: actions/cache/save@v4, with: {path: .cache, key: "x-${{ github.run_id }}"}}
  take:
    needs: make
    runs-on: any
    steps:
      - {uses: actions/download-artifact@v4, with: {name: one, path: reports}}
      - {uses: actions/download-artifact@v4, with: {name: several}}
      - run: find . -type f | sort | tr '\\n' ' '
      - {uses: actions/download-artifact@v4, with: {name: none}}
"""
    run = act(forge, jobs)
    assert run.results == {"make": "success", "take": "failure"}
    assert run.jobs["take"].steps[2].log == "./lock ./reports/b ./reports/deep/a "
    assert "not found for name: none" in run.jobs["take"].steps[3].log
    kept = act(forge, jobs).jobs["make"].steps[4].log
    assert kept == "1001\n1002\n"


@pytest.mark.parametrize(("depth", "branches"), [("0", "origin/change origin/main"), ("1", "")])
def test_a_checkout_is_as_deep_as_it_is_asked_to_be(
    forge: Forge, depth: str, branches: str
) -> None:
    run = act(
        forge,
        f"""
  look:
    runs-on: any
    steps:
      - uses: actions/checkout@v5
        with: {{ref: "${{{{ github.event.pull_request.head.sha }}}}", fetch-depth: {depth}}}
      - run: echo $(git branch --remotes --format '%(refname:short)')
      - run: git status --porcelain --branch; git commit --quiet --allow-empty --message mine
""",
        pull_request(head(forge), "change"),
    )
    _, listed, committed = run.jobs["look"].steps
    assert listed.log.strip() == branches
    assert committed.outcome == "failure", "a fresh machine knows no author"
    assert "HEAD (no branch)" in committed.log


@pytest.mark.parametrize(
    ("jobs", "words"),
    [
        ("  a: {runs-on: x, steps: [{uses: own/action@v1}]}", "own/action"),
        ("  a: {runs-on: x, strategy: {matrix: {}}, steps: []}", "strategy"),
        ("  a: {runs-on: x, steps: [{run: x, continue-on-error: true}]}", "continue-on-error"),
        ("  a: {runs-on: x, if: env.A == '', steps: []}", "no 'env' here"),
        ("  a: {runs-on: x, steps: [{run: x, if: secrets.A != ''}]}", "no 'secrets' here"),
        ("  a: {runs-on: x, steps: [{run: x, if: steps.b.outputs.c}]}", "no 'b'"),
        (
            "  a: {runs-on: x, needs: b, steps: []}\n  b: {runs-on: x, needs: a, steps: []}",
            "need each other",
        ),
    ],
)
def test_what_is_not_acted_out_is_refused(forge: Forge, jobs: str, words: str) -> None:
    with pytest.raises((ValueError, ExpressionError), match=words):
        act(forge, jobs)
