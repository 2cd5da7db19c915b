"""Two registered versions on the same test images."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import typer
from mlflow import MlflowClient
from typer.testing import CliRunner

from clones import ROOT
from shards import records_of
from vitrine import tracking
from vitrine.bundle.format import load_info
from vitrine.cli import compare as cli
from vitrine.core.errors import PreparedDataError, ReleaseError, TrackingError
from vitrine.core.manifest import Catalogue
from vitrine.core.params import ImageParams, Params, RegisterParams, override
from vitrine.core.taxonomy import Label, Taxonomy
from vitrine.evaluation.comparison import Pair
from vitrine.evaluation.contest import Contest, compare_head
from vitrine.evaluation.slices import write_attributes
from vitrine.inputs.shards import write_split
from vitrine.inputs.summary import Summary
from vitrine.release.compare import Compared, compare_versions
from vitrine.tracking import Version


@pytest.fixture
def section(params: Params) -> RegisterParams:
    """Slices from 10 images on."""
    return override(params.register_, {"min_slice_images": 10})


@pytest.fixture(scope="module")
def bundles(
    tiny_bundle: Path,
    make_bundle: Callable[[Path, int], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> list[Path]:
    """Three bundles; the third takes other pixels and knows one category less and one more."""
    folder = tmp_path_factory.mktemp("bundles")
    found = [tiny_bundle, make_bundle(folder / "second", 2), make_bundle(folder / "third", 3)]
    info = load_info(found[2])
    categories = (*info.taxonomy.categories[1:], Label(name="boat"))
    other = Taxonomy(styles=info.taxonomy.styles, categories=categories)
    image = override(info.image, {"fit": "stretch"})
    info.model_copy(update={"taxonomy": other, "image": image}).save(found[2])
    return found


@pytest.fixture
def registry(store: Path, catalogue: Catalogue, small: ImageParams, bundles: list[Path]) -> Path:
    """A test split of 36 images and three versions, of which the first is the champion."""
    shutil.copytree(catalogue.root, store / "data")
    taxonomy, folder = catalogue.taxonomy(), store / "artifacts/prepare"
    records = records_of(catalogue, small)
    test = write_split(folder / "test", records, taxonomy, images=len(records), shards=1)
    Summary(image=small, taxonomy=taxonomy, splits={"test": test}).save(folder)
    names = [record.image for record in records]
    shades = ["dark" if place < 14 else "bright" for place in range(len(names))]
    write_attributes(store / "artifacts/evaluate/slices.parquet", names, {"brightness": shades})
    with tracking.pipeline_run(None) as run:
        for bundle in bundles:
            tags = {"bundle_digest": load_info(bundle).digest}
            tracking.register_bundle(bundle, "vitrine", run.id, tags, "")
    tracking.set_alias("vitrine", "champion", "1")
    return store


def test_two_versions_by_number_and_alias(registry: Path, section: RegisterParams) -> None:
    found = compare_versions(section, "2", "champion")
    assert (found.first.number, found.second.number, found.images) == ("2", "1", 36)
    assert [one.head for one in found.contest.heads] == ["style", "category"]
    said = found.describe()
    assert said.startswith("vitrine: version 2 against version 1 on the same 36 test images\n")
    assert "style accuracy" in said
    assert "category, brightness: bright (2" in said
    assert "One image on one CPU thread: " in said
    back = compare_versions(section, "1", "2")
    for one, other in zip(found.contest.heads, back.contest.heads, strict=True):
        assert one.accuracy == other.accuracy[::-1]
        assert one.counts.difference == -other.counts.difference
        assert one.macro_f1.difference == pytest.approx(-other.macro_f1.difference)
        assert one.counts.chance() == other.counts.chance()


def test_another_version_of_the_labels_and_images(registry: Path, section: RegisterParams) -> None:
    found = compare_versions(section, "3", "1")
    style, category = found.contest.heads
    catalogue = Catalogue(registry / "data")
    names = catalogue.taxonomy().names("category")
    rows = list(catalogue.rows())
    known = [row for row in rows if row.category in names[1:]]
    assert 0 < len(known) < sum(bool(row.category) for row in rows)
    assert style.counts.images == sum(bool(row.style) for row in rows)
    assert category.counts.images == len(known)
    assert category.classes == len(names) - 1


def test_the_command_prints_json(registry: Path) -> None:
    app = typer.Typer()
    app.command()(cli.command)
    shutil.copyfile(ROOT / "params.yaml", "params.yaml")
    result = CliRunner().invoke(app, ["2", "champion", "--json"], catch_exceptions=False)
    found = json.loads(result.output)
    assert [one["version"] for one in found["versions"]] == [2, 1]
    assert all(one["milliseconds"] > 0 for one in found["versions"])
    style = found["heads"]["style"]
    difference = style["accuracy"]["difference"]
    assert difference == pytest.approx(style["accuracy"]["first"] - style["accuracy"]["second"])
    assert style["accuracy"]["low"] <= difference <= style["accuracy"]["high"]
    assert found["verdict"].startswith("version 2 is ")


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ("1", "1 and 1 are both version 1 of 'vitrine': name two versions"),
        ("champion", "1 and champion are both version 1"),
        ("9", "no version 9 in MLflow"),
        ("canary", "no version with the alias 'canary'"),
    ],
)
def test_two_versions_are_needed(
    store: Path, section: RegisterParams, second: str, words: str
) -> None:
    client = MlflowClient(f"sqlite:///{store / 'mlflow.db'}")
    client.create_registered_model("vitrine")
    client.create_model_version("vitrine", store.as_uri())
    client.set_registered_model_alias("vitrine", "champion", "1")
    with pytest.raises(ReleaseError, match=words):
        compare_versions(section, "1", second)


def test_slices_of_other_images(registry: Path, section: RegisterParams) -> None:
    write_attributes(registry / "artifacts/evaluate/slices.parquet", ["a.jpg"], {})
    with pytest.raises(PreparedDataError, match="is of other images than the test split"):
        compare_versions(section, "1", "2")


def test_no_registry_answers(
    workplace: Path, section: RegisterParams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.raises(TrackingError, match="connection refused"):
        compare_versions(section, "1", "2")


def _contest(style: tuple[int, int], category: tuple[int, int]) -> Contest:
    heads = []
    for head, (wins, losses) in (("style", style), ("category", category)):
        labels, place = np.zeros(50, int), np.arange(50)
        first = (place >= wins) & (place < wins + losses)
        pair = Pair(("a", "b"), place, labels, first.astype(int), (place < wins).astype(int))
        heads.append(compare_head(head, pair, place))  # type: ignore[arg-type]
    return Contest(heads, (), [], (1.0, 2.0))


@pytest.mark.parametrize(
    ("style", "category", "verdict"),
    [
        ((9, 0), (12, 0), "version 4 is better than version 3 in style and category"),
        (
            (0, 9),
            (2, 2),
            "version 4 is worse than version 3 in style, and not shown to differ from version 3 "
            "in category",
        ),
    ],
)
def test_the_verdict_in_words(
    style: tuple[int, int], category: tuple[int, int], verdict: str
) -> None:
    versions = (Version("vitrine", number, "", {}, ()) for number in ("4", "3"))
    assert Compared(*versions, 50, _contest(style, category)).verdict == verdict
