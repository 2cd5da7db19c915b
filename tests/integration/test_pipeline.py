"""The commands of the README, one after the other, in a clone."""

import csv
import json
from pathlib import Path

import pytest

from browser import chromium_page
from clones import Clone, make_clone

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def test_the_demo_data_comes_out_of_the_repository(tmp_path: Path) -> None:
    clone = make_clone(tmp_path)
    clone.run("dvc", "pull", "--quiet", "data.dvc")
    text = (clone.path / "data/manifest.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) > 500
    assert all((clone.path / "data" / row["image"]).is_file() for row in rows)
    assert "data.dvc" not in clone.run("dvc", "status")
    assert clone.run("git", "status", "--porcelain") == ""


def test_nothing_is_left_to_do_after_a_run(trained: Clone) -> None:
    assert "Data and pipelines are up to date." in trained.run("dvc", "status")
    assert "Data and pipelines are up to date." in trained.run("dvc", "repro")
    assert "Everything is up to date." in trained.run("dvc", "pull")


def test_metrics_and_plots_are_there_for_dvc(trained: Clone) -> None:
    metrics = json.loads(trained.run("dvc", "metrics", "show", "--json"))[""]["data"]
    evaluate = metrics["reports/evaluate/metrics.json"]["data"]
    for head in ("style", "category"):
        assert 0 <= evaluate[head]["accuracy"] <= 1
        assert 0 <= evaluate[head]["macro_f1"] <= 1
    assert "reports/evaluate/metrics.json" in trained.run("dvc", "metrics", "diff")
    page = trained.run("dvc", "plots", "show").strip().removeprefix("file://")
    assert "confusion" in Path(page).read_text(encoding="utf-8")


def test_promote_package_and_one_request(trained: Clone) -> None:
    trained.run("vitrine", "promote", "challenger")
    trained.run("vitrine", "package")
    said = trained.run("vitrine", "smoke")
    answer = json.loads(said[said.index("{") :])
    assert answer["style"]["label"] in {"minimalist", "vintage", "fashion"}
    assert answer["category"]["label"] in {"clothing", "electronics", "home"}
    assert answer["model"]["version"]


def test_an_experiment_changes_one_value(trained: Clone) -> None:
    trained.run("git", "add", "-A")
    trained.run("git", "commit", "--quiet", "-m", "data: a tiny catalogue")
    quick = ("tune.trials=0", "train.backbone=simple_cnn", "evaluate.attack.images=0")
    changes = [part for value in ("train.learning_rate=0.001", *quick) for part in ("-S", value)]
    said = trained.run("dvc", "exp", "run", "--temp", *changes)
    assert "Ran experiment" in said
    table = json.loads(trained.run("dvc", "exp", "show", "--json"))
    assert "0.001" in json.dumps(table)


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ("category", "category 'clothes' is not in taxonomy.yaml; add it there or correct the row"),
        ("image", "images/nowhere.jpg"),
    ],
)
def test_a_bad_row_stops_the_pipeline_at_validate(tmp_path: Path, broken: str, words: str) -> None:
    clone = make_clone(tmp_path)
    clone.run("vitrine", "demo", "--images", "90", "--size", "32", "--replace")
    manifest = clone.path / "data/manifest.csv"
    lines = manifest.read_text(encoding="utf-8").splitlines()
    values = next(csv.reader([lines[1]]))
    values[{"image": 0, "category": 2}[broken]] = {
        "image": "images/nowhere.jpg",
        "category": "clothes",
    }[broken]
    lines[1] = ",".join(values)
    manifest.write_text("\n".join(lines) + "\n", encoding="utf-8")
    clone.run("dvc", "add", "--quiet", "data")
    said = clone.run("dvc", "repro", status=255)
    assert words in said
    assert "Traceback" not in said
    assert not (clone.path / "artifacts/prepare").exists()


def test_a_misspelt_key_stops_every_stage(tmp_path: Path) -> None:
    clone = make_clone(tmp_path)
    params = clone.path / "params.yaml"
    params.write_text(params.read_text().replace("learning_rate: 0", "learning_rte: 0", 1))
    said = clone.run("vitrine", "train", status=1)
    assert (
        said
        == "error: params.yaml: pretrain.learning_rte is not a known key; did you mean pretrain.learning_rate?\n"
    )


def test_validation_compares_with_what_was_committed_and_goes_on_after_quarantine(
    tmp_path: Path,
) -> None:
    clone = make_clone(tmp_path)
    clone.run("vitrine", "demo", "--images", "90", "--size", "48", "--replace")
    clone.run("dvc", "add", "--quiet", "data")
    clone.run("git", "add", "-A")
    clone.run("git", "commit", "--quiet", "-m", "data: a small catalogue")
    broken, replaced, other = sorted((clone.path / "data/images").iterdir())[:3]
    broken.write_bytes(broken.read_bytes()[:400])
    replaced.write_bytes(other.read_bytes())
    said = clone.run("dvc", "repro", "validate", status=255)
    assert "Compared with commit" in said
    assert "2 replaced" in said
    assert f"images/{broken.name}: the image is damaged or truncated" in said
    assert f"images/{replaced.name}: the file is another one than in the earlier version" in said
    said = clone.run("vitrine", "quarantine", "--check", "unreadable")
    assert "1 row set aside in data/quarantine.csv.\n  1 unreadable\n" in said
    assert "Go on with `dvc add data && dvc repro`." in said
    clone.run("dvc", "add", "--quiet", "data")
    assert "1 removed, 1 replaced" in clone.run("dvc", "repro", "validate")
    assert broken.is_file()
    assert "metrics.json" in clone.run("dvc", "metrics", "diff")
    page = clone.run("make", "--no-print-directory", "docs-data")
    assert f"file://{clone.path}/reports/validate/data_docs/index.html" in page
    with chromium_page() as visit:
        visit.page.goto(page.splitlines()[0])
        visit.page.get_by_text("Data Docs").click()
        visit.page.wait_for_url("**/data_docs/index.html")
        visit.page.get_by_role("link", name="quality", exact=True).wait_for()
        assert (visit.refused, visit.faults) == ([], [])
