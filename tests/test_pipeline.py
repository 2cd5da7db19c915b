"""dvc.yaml, params.yaml, the stages and the commands say the same thing."""

from pathlib import Path
from typing import Any

import grimp
import pytest
import typer.main
import yaml

from clones import ROOT
from vitrine.cli import app

PIPELINE: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
SHARED_SECTIONS = {"image"}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("vitrine", cache_dir=None)


def _file(module: str) -> str:
    path = Path("src", *module.split("."))
    return str(path / "__init__.py" if (ROOT / path).is_dir() else path.with_suffix(".py"))


def _covered(deps: list[str]) -> set[str]:
    found: set[str] = set()
    for dep in deps:
        path = ROOT / dep
        files = path.rglob("*.py") if path.is_dir() else [path]
        found.update(str(file.relative_to(ROOT)) for file in files)
    return found


@pytest.mark.parametrize("stage", PIPELINE)
def test_a_stage_depends_on_exactly_the_modules_it_imports(
    stage: str, graph: grimp.ImportGraph
) -> None:
    start = f"vitrine.stages.{stage}"
    imported = {_file(module) for module in {start, *graph.find_upstream_modules(start)}}
    listed = _covered([dep for dep in PIPELINE[stage]["deps"] if dep.startswith("src/")])
    without_packages = {file for file in listed if not file.endswith("__init__.py")}
    assert imported - listed == set(), "imported, but not in deps"
    assert without_packages - imported == set(), "in deps, but not imported"


def test_a_stage_has_one_name_everywhere() -> None:
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    modules = {path.stem for path in (ROOT / "src/vitrine/stages").glob("*.py")} - {"__init__"}
    assert set(PIPELINE) == set(params) - SHARED_SECTIONS == modules
    for name, stage in PIPELINE.items():
        assert stage["cmd"] == f"vitrine {name}"
        assert name in commands
        assert name in stage["params"]


@pytest.mark.parametrize("stage", PIPELINE)
def test_a_stage_writes_only_into_its_own_folders(stage: str) -> None:
    lists = ("outs", "metrics", "plots")
    entries = [entry for key in lists for entry in PIPELINE[stage].get(key, [])]
    paths = [next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries]
    for path in paths:
        assert Path(path).parts[:2] in {("artifacts", stage), ("reports", stage)}
