"""`vitrine monitor` on the log of the real service."""

import json
import shutil
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import PIL.Image
import pytest
from click.testing import Result
from typer.testing import CliRunner

from clones import ROOT, Clone, environment
from served import pin, post, served, store
from vitrine.cli import app
from vitrine.core.errors import DataError
from vitrine.core.manifest import Catalogue
from vitrine.monitoring.reference import Reference
from vitrine.serving.prediction_log import read_log

pytestmark = [pytest.mark.integration, pytest.mark.slow]

FEW = ("--min-images", "20")


def monitor(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["monitor", *arguments], catch_exceptions=False)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path, catalogue: Catalogue) -> Path:
    """The log of `bentoml serve`: all images of the catalogue, then the same ones darker."""
    folder = tmp_path_factory.mktemp("service")
    shutil.copyfile(ROOT / "bentofile.yaml", folder / "bentofile.yaml")
    (folder / "src").symlink_to(ROOT / "src")
    service = Clone(folder, environment(folder, ROOT))
    store(service, "vitrine:v7-first", tiny_bundle, "7")
    pin(folder, "vitrine:v7-first")
    log = folder / "log"
    settings = {"LOG": str(log), "LOG_IMAGES": "true", "LOG_EMBEDDINGS": "true", "WORKERS": "2"}
    env = service.env | {f"VITRINE_SERVING_{name}": value for name, value in settings.items()}
    images = [catalogue.path(row).read_bytes() for row in catalogue.rows()]
    with served(folder=folder, env=env) as (client, _):
        for number, data in enumerate([*images, *map(darker, images)], 1):
            assert post(client, data).status_code == 200
            if number in {len(images), 2 * len(images)}:
                # What comes after is newer, for `--last`.
                wait_for(log, number)
    return log


def read_lines(log: Path) -> Iterator[str]:
    for path in log.glob("*.jsonl"):
        yield from path.read_text(encoding="utf-8").splitlines(keepends=True)


def wait_for(log: Path, entries: int) -> None:
    deadline = time.monotonic() + 20
    while len(list(read_lines(log))) < entries:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def darker(data: bytes) -> bytes:
    picture = PIL.Image.open(BytesIO(data)).convert("RGB").point(lambda level: level // 4)
    buffer = BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def test_the_images_of_the_training_data_have_not_drifted(
    place: Path, log: Path, catalogue: Catalogue
) -> None:
    images = len(list(catalogue.rows()))
    early = place / "early"
    early.mkdir()
    oldest = sorted(read_lines(log), key=lambda line: json.loads(line)["time"])[:images]
    (early / "predictions-1-1.jsonl").write_text("".join(oldest), encoding="utf-8")
    result = monitor(str(early), *FEW)
    assert result.exit_code == 0, result.output
    assert "36 answers of version 7" in result.output
    assert "No drift." in result.output
    metrics = json.loads((place / "reports/monitor/metrics.json").read_text())
    # The same images are the same numbers on both sides: whatever the log says of an image is
    # what the reference says of it.
    effects = {name: one["effect"] for name, one in metrics["features"].items()}
    assert set(effects) == {
        "style", "style_sure", "style_confidence", "category", "category_sure",
        "category_confidence", "bytes", "width", "height", "brightness", "contrast", "sharpness",
        "colourfulness", "background", "embedding",
    }  # fmt: skip
    del effects["embedding"]
    # A figure may be rounded to the other side after another batch: one image of 36.
    assert max(effects.values()) <= 1 / 36 + 1e-6
    assert effects["bytes"] == effects["style"] == 0


def test_darker_images_are_drift_here_and_with_a_reference_elsewhere(
    place: Path,
    log: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = monitor()
    assert made.exit_code == 0
    assert "Made reports/monitor/reference.npz: 36 images" in made.output
    here = monitor(str(log), "--last", "36", *FEW, "--json")
    assert here.exit_code == 3
    drifted = {name for name, one in json.loads(here.output)["features"].items() if one["drifted"]}
    assert "brightness" in drifted
    assert "width" not in drifted

    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.chdir(elsewhere)
    (elsewhere / "params.yaml").write_bytes((place / "params.yaml").read_bytes())
    kept = place / "reports/monitor/reference.npz"
    there = monitor(str(log), "--last", "36", *FEW, "--json", "--reference", str(kept))
    assert there.exit_code == 3
    assert there.output == here.output
    assert {path.name for path in (elsewhere / "reports/monitor").iterdir()} == {
        "index.html", "monitor.md", "metrics.json",
    }  # fmt: skip


def test_what_a_log_and_a_command_line_can_have_wrong(place: Path, log: Path) -> None:
    digest = next(iter(read_log(log)))["bundle_digest"]
    assert "Not enough to say." in monitor(str(log)).output
    assert (
        "No answer is young enough: not enough to say." in monitor(str(log), "--since", "0m").output
    )
    assert "must be a number with d, h or m" in monitor(str(log), "--since", "soon").output
    with pytest.raises(DataError, match="name the folder of VITRINE_SERVING_LOG"):
        monitor(str(place / "nothing"))
    other = Reference.load(Path("reports/monitor/reference.npz"))
    Reference("b" * 64, other.data_digest, other.sample).save(Path("other.npz"))
    with pytest.raises(DataError, match=f"bundle {digest[:12]}.*reference is of bundle bbbb"):
        monitor(str(log), "--reference", "other.npz")
