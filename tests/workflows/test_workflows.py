"""What holds of every workflow: its form, its pins, and that no value is written into a script."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from clones import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
PINNED = re.compile(r"[\w.-]+(/[\w.-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def each(workflow: Path) -> Iterator[dict[str, Any]]:
    """The steps of all jobs."""
    tree = yaml.safe_load(workflow.read_text(encoding="utf-8"))
    for job in tree["jobs"].values():
        yield from job["steps"]


def test_they_have_the_form_that_github_publishes() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema"]
    done = subprocess.run(
        [*command, "vendor.github-workflows", *map(str, WORKFLOWS)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert {"ci.yml", "retrain.yml"} <= {path.name for path in WORKFLOWS}


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_pinned_by_a_commit_and_says_its_version(workflow: Path) -> None:
    text = workflow.read_text(encoding="utf-8")
    used = re.findall(r"^\s*(?:- )?uses:\s*(.+)$", text, re.MULTILINE)
    assert len(used) == sum("uses" in step for step in each(workflow))
    assert [action for action in used if not PINNED.fullmatch(action)] == []


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_values_reach_scripts_through_the_environment_alone(workflow: Path) -> None:
    assert [step["run"] for step in each(workflow) if "${{" in step.get("run", "")] == []


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_a_script_with_a_pipe_fails_when_a_part_of_the_pipe_does(workflow: Path) -> None:
    tree = yaml.safe_load(workflow.read_text(encoding="utf-8"))
    shell = tree.get("defaults", {}).get("run", {}).get("shell")
    piped = [step for step in each(workflow) if re.search(r"[^|]\|[^|]", step.get("run", ""))]
    assert all(step.get("shell", shell) == "bash" for step in piped)
