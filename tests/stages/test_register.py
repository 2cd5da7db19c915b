"""The stage register: judged, then registered once."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient

from shards import records_of
from vitrine import tracking
from vitrine.bundle.format import load_info
from vitrine.bundle.golden import read_golden, write_golden
from vitrine.core.digests import file_digest
from vitrine.core.errors import BundleError, PreparedDataError, TrackingError
from vitrine.core.manifest import Catalogue
from vitrine.core.params import ImageParams, Params, RegisterParams, override
from vitrine.core.taxonomy import HEADS
from vitrine.demo import draw_catalogue
from vitrine.evaluation.slices import write_attributes
from vitrine.inputs.shards import read_names, write_split
from vitrine.inputs.summary import Summary
from vitrine.stages import register


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, small: ImageParams) -> Path:
    """A tiny catalogue and its shards, all of it in the test split."""
    root = tmp_path_factory.mktemp("register")
    draw_catalogue(root / "data", images=36, size=32, seed=3)
    catalogue = Catalogue(root / "data")
    taxonomy = catalogue.taxonomy()
    records = records_of(catalogue, small)
    test = write_split(root / "prepare/test", records, taxonomy, images=len(records), shards=1)
    Summary(image=small, taxonomy=taxonomy, splits={"test": test}).save(root / "prepare")
    return root


@pytest.fixture
def pipeline(store: Path, prepared: Path, tiny_bundle: Path) -> Path:
    """A working directory after the stages before, with an empty registry."""
    shutil.copytree(prepared / "data", store / "data")
    shutil.copytree(prepared / "prepare", store / "artifacts/prepare")
    shutil.copytree(tiny_bundle, store / "artifacts/export")
    names = list(read_names(prepared / "prepare", "test"))
    shades = ["dark" if place % 2 else "bright" for place in range(len(names))]
    write_attributes(store / "artifacts/evaluate/slices.parquet", names, {"brightness": shades})
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
    limits = {
        "floors": {},
        "margin": 0.0001,
        "max_slice_drop": 1.0,
        "min_slice_images": 10,
        "max_calibration_error": 1.0,
        "max_latency_ms": 10_000,
        "max_latency_ratio": 100,
    }
    return override(params.register_, limits)


def _use(bundle: Path) -> None:
    shutil.rmtree("artifacts/export")
    shutil.copytree(bundle, "artifacts/export")


def _version(section: RegisterParams, number: str = "1") -> tracking.Version:
    version = tracking.find_version(section.name, number)
    assert version is not None
    return version


def _description(pipeline: Path, section: RegisterParams) -> str:
    client = MlflowClient(f"sqlite:///{pipeline / 'mlflow.db'}")
    return str(client.get_model_version(section.name, "1").description)


def test_a_bundle_is_judged_and_registered(pipeline: Path, section: RegisterParams) -> None:
    result = register.run(section)
    version = tracking.version_of_alias(section.name, "challenger")
    assert version is not None
    info = load_info(pipeline / "artifacts/export")
    wanted = {
        "gate": "passed",
        "better": "false",
        "judged_against": "none",
        "data_digest": info.lineage.data_digest,
        "git_commit": info.lineage.git_commit,
    }
    assert {key: version.tags[key] for key in wanted} == wanted
    assert version.bundle_digest == info.digest
    assert len(version.tags["test_digest"]) == 64
    assert 0 <= float(version.tags["style_macro_f1"]) <= 1
    assert "there is no champion yet" in version.tags["gate_reasons"]
    description = _description(pipeline, section)
    assert description.startswith("**The gate passed.**\n\n|  | check | found |\n")
    assert description.endswith("|\n\nGood.\n## Data\n")
    said = result.describe()
    assert said.startswith("vitrine version 1: the gate passed\n  ✓ the data checks of validate")
    assert "✓ one image on one CPU thread must take at most 10000 ms (median), and takes" in said
    assert "  http://127.0.0.1:5000/#/models/vitrine/versions/1\n" in said
    assert said.endswith("or run `vitrine promote 1`.")


def test_the_verdict_is_written_and_kept_with_the_run(
    pipeline: Path, section: RegisterParams
) -> None:
    register.run(override(section, {"floors": {"style": {"macro_f1": 0.99}}}))
    path = pipeline / "reports/register/verdict.json"
    verdict = json.loads(path.read_text())
    assert (verdict["gate"], verdict["better"], verdict["version"]) == ("failed", False, 1)
    floor = verdict["checks"]["style macro_f1 floor"]
    assert (floor["passed"], floor["floor"]) == (False, 0.99)
    assert floor["macro_f1"] == pytest.approx(
        float(_version(section).tags["style_macro_f1"]), abs=1e-4
    )
    page = (pipeline / "reports/register/verdict.md").read_text()
    assert page.startswith("# vitrine version 1: the gate failed\n")
    assert "| ✗ | the macro F1 of style must be at least 0.990" in page
    folder = tracking.verdict_folder(verdict["bundle_digest"])
    kept = tracking.run_file(_version(section).run_id, f"{folder}/verdict.json")
    assert kept == path.read_bytes()


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
    assert not _version(section).gate_passed
    assert _description(pipeline, section).startswith("**The gate failed.**")
    assert tracking.find_version(section.name, "2") is None


def test_what_a_killed_process_has_begun_is_finished(
    pipeline: Path, section: RegisterParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(*given: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(tracking, "set_alias", kill)
        register.run(section)
    assert tracking.version_of_alias(section.name, "challenger") is None
    result = register.run(section)
    assert (result.number, result.new) == ("1", False)
    version = tracking.version_of_alias(section.name, "challenger")
    assert version is not None
    assert version.number == "1"
    assert (pipeline / "reports/register/verdict.json").exists()


def test_a_second_version_of_the_same_bytes_is_the_one_that_counts(
    pipeline: Path, section: RegisterParams
) -> None:
    register.run(section)
    # What another process that registered at the same moment has left.
    client = MlflowClient(f"sqlite:///{pipeline / 'mlflow.db'}")
    first = client.get_model_version(section.name, "1")
    tags = {"bundle_digest": first.tags["bundle_digest"]}
    client.create_model_version(section.name, first.source, first.run_id, tags)
    assert register.run(section).number == "2"
    assert _version(section, "2").gate_passed
    assert tracking.find_version(section.name, "3") is None


def test_long_texts_are_cut_to_what_mlflow_takes(
    pipeline: Path, section: RegisterParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    (pipeline / "reports/evaluate/card.md").write_text("# The card\n" + 100 * f"{'x' * 99}\n")
    (pipeline / "reports/validate/metrics.json").write_text('{"errors": 0, "warnings": 0}')
    monkeypatch.setattr(register, "LONGEST_TAG", 120)
    register.run(section)
    reasons = _version(section).tags["gate_reasons"]
    assert len(reasons) == 120
    assert reasons.endswith("…")
    description = _description(pipeline, section)
    assert 4700 < len(description) <= 5000
    assert description.endswith("`evaluate/card.md` among the run's artifacts.\n")


@pytest.mark.parametrize("stage", ["validate", "prepare"])
def test_data_that_did_not_pass_its_checks_is_refused(
    pipeline: Path, section: RegisterParams, stage: str
) -> None:
    (pipeline / "reports" / stage / "metrics.json").write_text('{"errors": 3, "warnings": 0}')
    result = register.run(section)
    assert not result.verdict.passed
    assert f"✗ the data checks of {stage} must find no error, and found 3" in result.describe()


def test_golden_answers_that_differ_fail_the_gate(pipeline: Path, section: RegisterParams) -> None:
    bundle = pipeline / "artifacts/export"
    info, (sources, expected) = load_info(bundle), read_golden(bundle)
    write_golden(bundle, sources, {head: of[:, ::-1] for head, of in expected.items()})
    files = info.files | {"golden.npz": file_digest(bundle / "golden.npz")}
    info.model_copy(update={"files": files}).save(bundle)
    result = register.run(section)
    assert result.number == "1"
    assert "does not answer its golden images as it did" in result.verdict.reasons


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
        tags = _version(section, register.run(section).number).tags
        scores[kept] = np.mean([float(tags[f"{head}_accuracy"]) for head in HEADS])
    worse, better = sorted(scores, key=lambda bundle: scores[bundle])
    assert scores[worse] < scores[better]

    _use(better)
    champion = register.run(section).number
    tracking.set_alias(section.name, "champion", champion)
    assert "it is the champion itself" in register.run(section).verdict.reasons
    _use(worse)
    verdict = register.run(section).verdict
    assert not verdict.passed
    checks = {check.name: check for check in verdict.checks}
    figures = [checks[f"{head} accuracy vs champion"].figures for head in HEADS]
    theirs = np.mean([of["champion_accuracy"] for of in figures])
    assert theirs == pytest.approx(scores[better], abs=1e-4)
    # Two heads, two shades, 18 images of each.
    assert checks["slices vs champion"].figures["slices"] == 4
    assert "registered with the same test split" in checks["test split vs champion"].text
    assert checks["latency vs champion"].figures["ratio"] > 0

    tracking.set_version_tags(section.name, champion, {"test_digest": "another"})
    result = register.run(override(section, {"margin": 1.0}))
    assert result.verdict.passed
    assert result.verdict.sentence.endswith(f"not worse than the champion, version {champion}")
    assert "the test split has changed since the champion" in result.describe()


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("artifacts/evaluate/slices.parquet", "`dvc repro evaluate`"),
        ("reports/validate/metrics.json", "`dvc repro validate`"),
    ],
)
def test_what_a_stage_before_has_to_leave_is_missing(
    pipeline: Path,
    section: RegisterParams,
    make_bundle: Callable[[Path, int], Path],
    missing: str,
    words: str,
) -> None:
    tracking.set_alias(section.name, "champion", register.run(section).number)
    shutil.rmtree("artifacts/export")
    make_bundle(pipeline / "artifacts/export", 2)
    (pipeline / missing).unlink()
    with pytest.raises(PreparedDataError, match=f"{missing} is missing.*{words}"):
        register.run(section)
    assert tracking.find_version(section.name, "2") is None


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
    assert verdict.reasons.startswith("the champion, version 1, does not load (")
    assert verdict.reasons.endswith('`vitrine promote N --force --reason "…"`')


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
