"""The stage register: judged, then registered once."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient

from vitrine import imaging, tracking
from vitrine.bundle.format import load_info
from vitrine.core.errors import BundleError, TrackingError
from vitrine.core.manifest import Catalogue
from vitrine.core.params import ImageParams, Params, RegisterParams, override
from vitrine.core.taxonomy import HEADS
from vitrine.demo import draw_catalogue
from vitrine.inputs.records import Record
from vitrine.inputs.shards import write_split
from vitrine.inputs.summary import Summary
from vitrine.stages import register


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, small: ImageParams) -> Path:
    """Shards of a tiny catalogue, all of it in the test split."""
    root = tmp_path_factory.mktemp("register")
    draw_catalogue(root / "data", images=36, size=32, seed=3)
    catalogue = Catalogue(root / "data")
    taxonomy = catalogue.taxonomy()
    records = [
        Record(
            row.image,
            imaging.load(catalogue.path(row), small),
            {head: taxonomy.index(head, getattr(row, head)) for head in HEADS},
        )
        for row in catalogue.rows()
    ]
    test = write_split(root / "prepare/test", records, taxonomy, images=len(records), shards=1)
    Summary(image=small, taxonomy=taxonomy, splits={"test": test}).save(root / "prepare")
    return root / "prepare"


@pytest.fixture
def pipeline(store: Path, prepared: Path, tiny_bundle: Path) -> Path:
    """A working directory after the stages before, with an empty registry."""
    shutil.copytree(prepared, store / "artifacts/prepare")
    shutil.copytree(tiny_bundle, store / "artifacts/export")
    (store / "reports/evaluate").mkdir(parents=True)
    (store / "reports/evaluate/card.md").write_text(
        "# The card\nGood.\n![](plots/a.png)\n## Data\n"
    )
    for number, stage in enumerate(("validate", "prepare")):
        docs = store / "reports" / stage / "data_docs"
        docs.mkdir(parents=True)
        (docs / "index.html").write_text(f"the docs of {stage}")
        metrics = {"errors": 0, "warnings": number}
        (docs.parent / "metrics.json").write_text(json.dumps(metrics))
    return store


@pytest.fixture
def section(params: Params) -> RegisterParams:
    """A gate that anything passes, unless there is a champion that is better."""
    floors = {"floors": {}, "margin": 0.0001}
    return override(params.register_, floors)


def _use(bundle: Path) -> None:
    shutil.rmtree("artifacts/export")
    shutil.copytree(bundle, "artifacts/export")


def test_a_bundle_is_judged_and_registered(pipeline: Path, section: RegisterParams) -> None:
    result = register.run(section)
    version = tracking.version_of_alias(section.name, "challenger")
    assert version is not None
    info = load_info(pipeline / "artifacts/export")
    assert {key: version.tags[key] for key in ("gate", "data_digest", "git_commit")} == {
        "gate": "passed",
        "data_digest": info.lineage.data_digest,
        "git_commit": info.lineage.git_commit,
    }
    assert version.bundle_digest == info.digest
    assert "there is no champion yet" in version.tags["gate_reasons"]
    page = MlflowClient(f"sqlite:///{pipeline / 'mlflow.db'}").get_model_version(section.name, "1")
    assert page.description == "Good.\n## Data\n"
    said = result.describe()
    assert said.startswith("vitrine version 1: the gate passed\n  ✓ the macro F1 of style must be")
    assert "  http://127.0.0.1:5000/#/models/vitrine/versions/1\n" in said
    assert said.endswith("or run `vitrine promote 1`.")
    verdict = json.loads((pipeline / "reports/register/verdict.json").read_text())
    assert (verdict["gate"], verdict["version"]) == ("passed", 1)
    assert 0 <= verdict["style_macro_f1"] <= 1
    assert "✓" in (pipeline / "reports/register/verdict.md").read_text()


def test_the_data_checks_belong_to_the_run(pipeline: Path, section: RegisterParams) -> None:
    register.run(section)
    version = tracking.version_of_alias(section.name, "challenger")
    assert version is not None
    client = MlflowClient(f"sqlite:///{pipeline / 'mlflow.db'}")
    run = client.get_run(client.get_model_version(section.name, "1").run_id)
    assert run.data.metrics["validate/warnings"] == 0
    assert run.data.metrics["prepare/warnings"] == 1
    page = client.download_artifacts(run.info.run_id, "validate/data_docs/index.html")
    assert Path(page).read_text() == "the docs of validate"


def test_the_same_bytes_are_registered_once(pipeline: Path, section: RegisterParams) -> None:
    register.run(section)
    strict = override(section, {"floors": {"style": {"macro_f1": 0.99}}})
    result = register.run(strict)
    assert (result.number, result.new) == ("1", False)
    assert "version 1, registered before: the gate failed" in result.describe()
    version = tracking.find_version(section.name, "1")
    assert version is not None
    assert not version.gate_passed
    assert tracking.find_version(section.name, "2") is None


def test_a_bundle_below_the_floor_is_registered_as_failed(
    pipeline: Path, section: RegisterParams
) -> None:
    result = register.run(override(section, {"floors": {"category": {"macro_f1": 0.99}}}))
    version = tracking.version_of_alias(section.name, "challenger")
    assert version is not None
    assert version.tags["gate"] == "failed"
    assert version.tags["gate_reasons"].startswith(
        "the macro F1 of category must be at least 0.990"
    )
    assert "style" not in version.tags["gate_reasons"]
    assert "promote" not in result.describe()


def test_the_champion_is_the_measure(
    pipeline: Path, section: RegisterParams, make_bundle: Callable[[Path, int], Path]
) -> None:
    scores = {}
    for bundle in (pipeline / "artifacts/export", make_bundle(pipeline / "other", 2)):
        kept = shutil.copytree(bundle, pipeline / f"kept-{bundle.name}")
        _use(kept)
        figures = register.run(section).verdict.figures
        scores[kept] = np.mean([figures["style_macro_f1"], figures["category_macro_f1"]])
    worse, better = sorted(scores, key=lambda bundle: scores[bundle])
    assert scores[worse] < scores[better]

    _use(better)
    tracking.set_alias(section.name, "champion", register.run(section).number)
    assert "it is the champion itself" in register.run(section).verdict.reasons
    _use(worse)
    verdict = register.run(section).verdict
    assert not verdict.passed
    assert verdict.figures["champion_mean_macro_f1"] == pytest.approx(scores[better], abs=1e-5)
    assert register.run(override(section, {"margin": 1.0})).verdict.passed


def test_a_champion_that_does_not_load_is_a_reason_to_look(
    pipeline: Path, section: RegisterParams
) -> None:
    (pipeline / "model").mkdir()
    client = MlflowClient(f"sqlite:///{pipeline / 'mlflow.db'}")
    client.create_registered_model(section.name)
    client.create_model_version(section.name, (pipeline / "model").as_uri())
    tracking.set_alias(section.name, "champion", "1")
    verdict = register.run(section).verdict
    assert not verdict.passed
    assert verdict.reasons.startswith("the champion, version 1, does not load: ")


def test_a_damaged_bundle_is_not_registered(pipeline: Path, section: RegisterParams) -> None:
    (pipeline / "artifacts/export/model.bin").write_bytes(b"damaged")
    with pytest.raises(BundleError, match=r"model\.bin is damaged"):
        register.run(section)
    assert tracking.find_version(section.name, "1") is None
    assert not (pipeline / "reports/register").exists()


def test_no_registry_answers(
    pipeline: Path, section: RegisterParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.raises(TrackingError, match="connection refused"):
        register.run(section)
