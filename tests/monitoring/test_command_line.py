"""`vitrine monitor` on a log that is drawn, where no pipeline ran."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from monitored import DIGEST, World
from vitrine.cli import app
from vitrine.core.errors import ParamsError
from vitrine.monitoring.reference import Reference

REPORTS = Path("reports/monitor")


def monitor(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["monitor", *arguments], catch_exceptions=False)


def write(log: Path, entries: list[dict[str, Any]]) -> None:
    log.mkdir()
    lines = (
        json.dumps(entry | {"embedding": b64encode(entry["embedding"].tobytes()).decode()})
        for entry in entries
    )
    (log / "predictions-0-1.jsonl").write_text("".join(f"{line}\n" for line in lines))


@pytest.fixture(autouse=True)
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with a reference and a log, and nothing else."""
    monkeypatch.chdir(tmp_path)
    Reference(DIGEST, "d" * 32, World().sample(300, seed=1)).save(Path("reference.npz"))
    write(Path("log"), World().entries(300, seed=2))


def test_a_reference_is_enough_where_the_service_runs() -> None:
    result = monitor("log", "--reference", "reference.npz")
    assert result.exit_code == 0
    assert "No drift." in result.output
    assert json.loads((REPORTS / "metrics.json").read_text())["enough"] is True


def test_logged_images_need_the_params_by_which_they_are_measured() -> None:
    entries = World().entries(1, seed=2)
    write(Path("images"), [entries[0] | {"image": b64encode(b"image").decode()}])
    with pytest.raises(ParamsError, match="params.yaml"):
        monitor("images", "--reference", "reference.npz")


@pytest.mark.parametrize("as_json", [False, True])
def test_no_answer_that_is_young_enough_replaces_an_earlier_report(as_json: bool) -> None:
    monitor("log", "--reference", "reference.npz")
    assert len(list(REPORTS.iterdir())) == 3
    options = ["--json"] if as_json else []
    result = monitor("log", "--reference", "reference.npz", "--since", "1h", *options)
    assert result.exit_code == 0
    said = {"drift": False, "enough": False}
    if as_json:
        assert json.loads(result.stdout) == said
    else:
        assert "No answer is young enough: not enough to say." in result.output
    assert [path.name for path in REPORTS.iterdir()] == ["metrics.json"]
    assert json.loads((REPORTS / "metrics.json").read_text()) == said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--reference", "reference.npz"), "needs the folder of a log to compare with"),
        (("log", "--since", "99999999999d"), "99999999999d is longer than any log"),
    ],
)
def test_a_wrong_command_line_is_told(arguments: tuple[str, ...], words: str) -> None:
    result = monitor(*arguments)
    assert result.exit_code == 2
    assert words in " ".join(result.output.replace("│", " ").split())
