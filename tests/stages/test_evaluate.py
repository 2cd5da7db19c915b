"""The stage that measures the bundle."""

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import mlflow
import numpy as np
import PIL.Image
import pyarrow.parquet
import pytest

from vitrine import tracking
from vitrine.bundle.format import load_info
from vitrine.core.errors import BundleError, DataError, PreparedDataError, TrackingError
from vitrine.core.manifest import Catalogue, ManifestWriter, Row
from vitrine.core.params import EvaluateParams, Params, override
from vitrine.evaluation.slices import SliceScore, read_attributes
from vitrine.inputs.shards import read_batches
from vitrine.inputs.summary import Summary
from vitrine.quality.facts import write_facts
from vitrine.quality.measuring import measure_bytes
from vitrine.stages import evaluate


@pytest.fixture(scope="module")
def section(params: Params) -> EvaluateParams:
    """Few resamples, and everything tried on few images; attacks where a test asks for them."""
    few = {"bootstrap": 20, "batch_size": 5, "min_slice_images": 3}
    behaviour = override(params.evaluate.behaviour, {"images": 6})
    attack = override(params.evaluate.attack, {"images": 0, "steps": 2})
    return override(params.evaluate, {**few, "behaviour": behaviour, "attack": attack})


def _export(root: Path, bundle: Path) -> None:
    """Leave facts as `validate` and a bundle as `export` does, of a run that the store knows."""
    summary = Summary.load(root / "artifacts/prepare")
    rows = Catalogue(root / "data").rows()
    sources = ((row.image, (root / "data" / row.image).read_bytes()) for row in rows)
    facts = (measure_bytes(source, summary.image, name) for name, source in sources)
    write_facts(root / "artifacts/validate/facts.parquet", facts)
    with tracking.pipeline_run(None) as run:
        copy = Path(shutil.copytree(bundle, root / "artifacts/export"))
    info = load_info(copy)
    lineage = info.lineage.model_copy(update={"run_id": run.id})
    info.model_copy(update={"lineage": lineage}).save(copy)


@pytest.fixture
def exported(store: Path, demo_shards: Path, tiny_bundle: Path) -> Path:
    """A working directory as the stage `export` leaves it."""
    _export(demo_shards, tiny_bundle)
    return demo_shards


@dataclass(frozen=True)
class Evaluated:
    """A working directory in which the stage ran, and what it returned."""

    root: Path
    result: evaluate.EvaluateResult


@pytest.fixture(scope="module")
def evaluated(
    tmp_path_factory: pytest.TempPathFactory,
    empty_store: Path,
    lay_out: Callable[[Path], None],
    tiny_bundle: Path,
    section: EvaluateParams,
) -> Evaluated:
    root = tmp_path_factory.mktemp("evaluated")
    shutil.copyfile(empty_store, root / "mlflow.db")
    lay_out(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.chdir(root)
        _export(root, tiny_bundle)
        return Evaluated(root, evaluate.run(section))


def _csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_everything_is_written_and_agrees(evaluated: Evaluated) -> None:
    root, result = evaluated.root, evaluated.result
    reports = root / "reports/evaluate"
    metrics = json.loads((reports / "metrics.json").read_text())
    assert metrics["images"] == 12
    for head in ("style", "category"):
        rows = _csv(reports / f"plots/confusion_{head}.csv")
        right = np.mean([row["actual"] == row["predicted"] for row in rows])
        assert metrics[head]["accuracy"] == pytest.approx(right, abs=1e-6)
        assert metrics[head]["images"] == len(rows)
        assert 0 <= metrics[head]["macro_f1_low"] <= metrics[head]["macro_f1_high"] <= 1
        confident = _csv(reports / f"plots/reliability_{head}.csv")
        assert sum(int(row["images"]) for row in confident) == len(rows)
        covered = _csv(reports / f"plots/coverage_{head}.csv")
        assert float(covered[-1]["coverage"]) == 1
        assert float(covered[-1]["accuracy"]) == pytest.approx(right, abs=1e-6)
        low, high = (metrics[head][f"accuracy_{end}"] for end in ("low", "high"))
        assert f"{head}: accuracy {right:.3f} ({low:.3f} to {high:.3f})" in result.describe()
    assert "no answer is sure" in result.describe()
    per_class = _csv(reports / "per_class.csv")
    assert {row["head"] for row in per_class} == {"style", "category"}
    for row in per_class:
        assert 0 <= float(row["f1_low"]) <= float(row["f1_high"]) <= 1
    assert set(metrics["kept"]) >= {"flip", "shift", "crop", "jpeg", "darker", "watermark"}


def test_slices_are_written_for_all_and_scored_where_they_are_large_enough(
    evaluated: Evaluated,
) -> None:
    root = evaluated.root
    [batch] = read_batches(root / "artifacts/prepare", "test", 100)
    attributes = read_attributes(root / "artifacts/evaluate/slices.parquet", batch.names)
    rows = {row.image: row for row in Catalogue(root / "data").rows()}
    for name, labels, title in zip(
        batch.names, attributes["labels"], attributes["title"], strict=True
    ):
        row = rows[name]
        both = f"{row.style} × {row.category}" if row.style and row.category else None
        assert labels == both
        assert title == ("present" if row.title else "missing")
    assert set(attributes["format"]) == {"JPEG"}
    assert set(attributes["size"]) == {"under 100 px"}
    scored = _csv(root / "reports/evaluate/slices.csv")
    assert {row["attribute"] for row in scored} <= set(attributes) - {"format", "size"}
    assert all(int(row["images"]) >= 3 for row in scored)
    for row in scored:
        assert float(row["low"]) <= float(row["accuracy"]) <= float(row["high"])


def test_every_answer_is_kept(evaluated: Evaluated) -> None:
    root = evaluated.root
    table = pyarrow.parquet.read_table(root / "artifacts/evaluate/predictions.parquet")
    [batch] = read_batches(root / "artifacts/prepare", "test", 100)
    assert table["image"].to_pylist() == batch.names
    unknown = [label == -1 for label in batch.labels["style"]]
    assert [truth is None for truth in table["style"].to_pylist()] == unknown
    for row in table.to_pylist():
        assert row["category_probability"] == pytest.approx(max(row["category_probabilities"]))
        assert sum(row["style_probabilities"]) == pytest.approx(1, abs=1e-5)


def test_the_pictures_can_be_seen(evaluated: Evaluated) -> None:
    root = evaluated.root
    pictures = {path.name for path in (root / "reports/evaluate/plots").glob("*.png")}
    assert pictures >= {
        "behaviour.png",
        "confusion_style.png",
        "coverage.png",
        "mistakes_category.png",
        "per_class_category.png",
        "reliability.png",
    }
    assert "robustness.png" not in pictures
    for name in pictures:
        with PIL.Image.open(root / "reports/evaluate/plots" / name) as picture:
            assert min(picture.size) > 150
            assert len(picture.convert("RGB").getcolors(2**24)) > 10


def test_the_card_tells_of_the_bundle_and_its_weaknesses(evaluated: Evaluated) -> None:
    root = evaluated.root
    card = (root / "reports/evaluate/card.md").read_text()
    info = load_info(root / "artifacts/export")
    assert info.digest in card
    assert info.lineage.data_digest in card
    assert "12 test images" in card
    assert "fewer than 20 test images, so the figures are uncertain" in card
    assert all(f"| {name} |" in card for name in info.taxonomy.names("category"))
    page = (root / "reports/evaluate/card.html").read_text()
    assert "<h1" in page
    assert info.digest in page


def test_the_run_of_the_training_holds_the_results(evaluated: Evaluated) -> None:
    root, result = evaluated.root, evaluated.result
    client = mlflow.MlflowClient(f"sqlite:///{root / 'mlflow.db'}")
    run_id = load_info(root / "artifacts/export").lineage.run_id
    logged = client.get_run(run_id).data.metrics
    accuracy = result.report.heads["category"].measures["accuracy"]
    assert logged["test/category_accuracy"] == pytest.approx(accuracy, abs=1e-6)
    assert logged["test/mean_macro_f1"] == pytest.approx(result.report.mean_macro_f1, abs=1e-6)
    kept = {file.path for file in client.list_artifacts(run_id, "evaluate")}
    assert kept >= {
        "evaluate/card.html",
        "evaluate/card.md",
        "evaluate/metrics.json",
        "evaluate/plots",
        "evaluate/slices.csv",
    }


def test_a_second_evaluation_leaves_nothing_of_the_first(
    exported: Path, section: EvaluateParams
) -> None:
    evaluate.run(section)
    old = exported / "reports/evaluate/plots/confusion_old.csv"
    old.write_text("actual,predicted\n")
    evaluate.run(section)
    assert not old.exists()


def test_without_changed_images_no_behaviour_is_reported(
    exported: Path, section: EvaluateParams
) -> None:
    behaviour = override(section.behaviour, {"images": 0})
    result = evaluate.run(override(section, {"behaviour": behaviour, "bootstrap": 0}))
    assert result.report.behaviour == []
    assert "kept" not in json.loads((exported / "reports/evaluate/metrics.json").read_text())
    assert not (exported / "reports/evaluate/plots/behaviour.png").exists()
    accuracy = result.report.heads["style"].measures["accuracy"]
    assert f"style: accuracy {accuracy:.3f}, macro F1" in result.describe()


def test_some_test_images_are_attacked(exported: Path, section: EvaluateParams) -> None:
    attack = override(section.attack, {"images": 5})
    result = evaluate.run(override(section, {"attack": attack, "bootstrap": 0}))
    metrics = json.loads((exported / "reports/evaluate/metrics.json").read_text())
    assert set(metrics["attacked"]) == {"FGSM", "PGD"}
    assert all(one.images == 5 for one in result.report.robustness)
    assert (exported / "reports/evaluate/plots/robustness.png").exists()


@pytest.mark.parametrize(
    ("weak", "how"), [(True, "below the others beyond chance"), (False, "which may be chance")]
)
def test_the_worst_slice_and_what_is_sure_are_told(
    evaluated: Evaluated, weak: bool, how: str
) -> None:
    report = evaluated.result.report
    worst = SliceScore("brightness", "dark", "style", 1200, 0.25, 0.2, 0.3, -0.5, weak)
    head = report.heads["style"]
    sure = replace(head.abstention, images=3, coverage=0.25, accuracy=2 / 3)
    told = replace(
        report,
        heads={"style": replace(head, abstention=sure)},
        worst_slices={"style": worst},
    )
    lines = replace(evaluated.result, report=told).describe().splitlines()
    assert lines[1] == "  sure of 25.0% of the images, 66.7% of these right"
    assert lines[2] == f"  worst slice, brightness: dark: accuracy 0.250 on 1,200 images, {how}"


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("artifacts/validate/facts.parquet", r"facts\.parquet is missing: .*vitrine validate"),
        ("data/manifest.csv", r"manifest\.csv is missing"),
    ],
)
def test_what_the_slices_need_is_named(
    exported: Path, section: EvaluateParams, missing: str, words: str
) -> None:
    (exported / missing).unlink()
    with pytest.raises(DataError, match=words):
        evaluate.run(section)


def test_a_test_image_that_went_from_the_manifest_is_named(
    exported: Path, section: EvaluateParams
) -> None:
    with ManifestWriter(exported / "data/manifest.csv") as writer:
        writer.write(Row("images/another.jpg"))
    with pytest.raises(PreparedDataError, match=r"does not know images/.*dvc repro"):
        evaluate.run(section)


def test_without_a_bundle_nothing_is_measured(exported: Path, section: EvaluateParams) -> None:
    shutil.rmtree(exported / "artifacts/export")
    with pytest.raises(BundleError, match=r"is no bundle.*dvc repro export"):
        evaluate.run(section)


def test_a_bundle_for_other_images_is_refused(exported: Path, section: EvaluateParams) -> None:
    folder = exported / "artifacts/prepare"
    summary = Summary.load(folder)
    image = summary.image.model_copy(update={"fit": "crop"})
    summary.model_copy(update={"image": image}).save(folder)
    with pytest.raises(PreparedDataError, match=r"other image settings than the prepared shards"):
        evaluate.run(section)


def test_an_unreachable_tracking_server_is_told_first(
    exported: Path, section: EvaluateParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.raises(TrackingError, match=r"127\.0\.0\.1:9"):
        evaluate.run(section)
    assert not (exported / "reports").exists()


@pytest.mark.slow
def test_no_training_library_is_loaded(exported: Path) -> None:
    code = (
        "import sys; from pathlib import Path; "
        "from vitrine.core.params import Params, override; "
        "from vitrine.stages import evaluate; "
        "section = Params.load(Path(sys.argv[1])).evaluate; "
        "attack = override(section.attack, {'images': 0}); "
        "evaluate.run(override(section, {'attack': attack})); "
        "print(*sorted({'tensorflow', 'keras', 'optuna', 'dvc'} & set(sys.modules)))"
    )
    path = Path(__file__).parents[2] / "params.yaml"
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""
