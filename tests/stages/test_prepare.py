import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from vitrine import imaging
from vitrine.core.errors import DataError, ImageError, PreparedDataError, ValidationFailed
from vitrine.core.manifest import Catalogue, ManifestWriter, Row
from vitrine.core.params import Params, override
from vitrine.demo import draw_catalogue
from vitrine.inputs.shards import read_batches
from vitrine.inputs.summary import UNLABELLED, Summary
from vitrine.quality.duplicates import NEAR_FILE, near_duplicates, write_edges
from vitrine.quality.facts import write_facts
from vitrine.quality.measuring import measure_files
from vitrine.quality.store import FactStore
from vitrine.stages import prepare

DATA = Path("data")
FACTS = Path("artifacts/validate/facts.parquet")
OUT = Path("artifacts/prepare")


@pytest.fixture(scope="session")
def small(params: Params) -> Params:
    """Images of 20 x 16 pixels."""
    image = params.image.model_copy(update={"height": 20, "width": 16})
    return params.model_copy(update={"image": image})


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drawn catalogue of 90 images, to be copied."""
    root = tmp_path_factory.mktemp("drawn") / "data"
    draw_catalogue(root, images=90, size=32, seed=3)
    return root


@pytest.fixture
def catalogue(workplace: Path, drawn: Path, small: Params) -> Catalogue:
    """A catalogue of 90 images with its facts, in the working directory."""
    shutil.copytree(drawn, DATA)
    find_facts(small)
    return Catalogue(DATA)


def find_facts(params: Params) -> None:
    names = [row.image for row in Catalogue(DATA).rows()]
    with FactStore(Path("store.db"), params.image) as store:
        write_facts(FACTS, measure_files(DATA, names, params.image, store, workers=1))
    write_edges(FACTS.with_name(NEAR_FILE), near_duplicates(FACTS, params.validate_.integrity))


def rewrite(catalogue: Catalogue, change: Callable[[list[Row]], list[Row]]) -> None:
    rows = change(list(catalogue.rows()))
    with ManifestWriter(catalogue.manifest_path) as writer:
        for row in rows:
            writer.write(row)


def test_shards_hold_every_labelled_image_once(catalogue: Catalogue, small: Params) -> None:
    rows = {row.image: row for row in catalogue.rows()}
    result = prepare.run(small.prepare, small.image, unlabelled=False)
    taxonomy = catalogue.taxonomy()
    found: dict[str, str] = {}
    for split in ("train", "val", "test"):
        for batch in read_batches(OUT, split, 16):
            for i, name in enumerate(batch.names):
                assert found.setdefault(name, split) == split
                pixels = imaging.load(DATA / name, small.image)
                np.testing.assert_array_equal(batch.images[i], pixels)
                assert batch.labels["style"][i] == taxonomy.index("style", rows[name].style)
                assert batch.labels["category"][i] == taxonomy.index(
                    "category", rows[name].category
                )
    assert set(found) == {row.image for row in rows.values() if row.style or row.category}
    assert result.left_out == len(rows) - len(found)
    products = {(rows[name].product, split) for name, split in found.items()}
    assert len(products) == len({product for product, _ in products})


def test_the_summary_counts_and_covers_every_label(catalogue: Catalogue, small: Params) -> None:
    result = prepare.run(small.prepare, small.image, unlabelled=False)
    summary = Summary.load(OUT)
    assert summary == result.summary
    assert (summary.image, summary.taxonomy) == (small.image, catalogue.taxonomy())
    assert len(summary.splits["train"].shards) == small.prepare.min_shards
    for name in ("train", "val", "test"):
        assert min(summary.splits[name].counts["style"].values()) > 0
        assert min(summary.splits[name].counts["category"].values()) > 0
    assert f"Prepared train {summary.splits['train'].images}, val " in result.describe()


def test_the_same_data_gives_the_same_bytes(catalogue: Catalogue, small: Params) -> None:
    first = prepare.run(small.prepare, small.image, unlabelled=False).summary
    more = small.prepare.model_copy(update={"workers": 3})
    assert prepare.run(more, small.image, unlabelled=False).summary.digest == first.digest
    other = small.prepare.model_copy(update={"seed": 1})
    assert prepare.run(other, small.image, unlabelled=False).summary.digest != first.digest


def test_a_manifest_sorted_by_label_is_mixed(catalogue: Catalogue, small: Params) -> None:
    rewrite(catalogue, lambda rows: sorted(rows, key=lambda row: row.category))
    find_facts(small)
    prepare.run(small.prepare, small.image, unlabelled=False)
    labels = np.concatenate([b.labels["category"] for b in read_batches(OUT, "train", 8)])
    assert np.count_nonzero(np.diff(labels)) > len(labels) / 3


def add_bare(catalogue: Catalogue, params: Params, rows: list[Row]) -> None:
    """Put rows of new files, unlike all others, into the manifest."""
    random = np.random.default_rng(5)
    for row in rows:
        noise = random.integers(0, 256, (32, 32, 3), np.uint8)
        PIL.Image.fromarray(noise).save(catalogue.path(row))
    rewrite(catalogue, lambda before: [*before, *rows])
    find_facts(params)


def written(split: str) -> set[str]:
    return {name for batch in read_batches(OUT, split, 9) for name in batch.names}


def test_without_pretraining_an_image_without_any_label_changes_nothing(
    catalogue: Catalogue, small: Params
) -> None:
    before = prepare.run(small.prepare, small.image, unlabelled=False)
    add_bare(catalogue, small, [Row("images/bare.png")])
    after = prepare.run(small.prepare, small.image, unlabelled=False)
    assert after.summary.digest == before.summary.digest
    assert after.left_out == before.left_out + 1
    told = f"{after.left_out} images without any label were left out: only pretraining learns"
    assert told in after.describe()


def test_images_without_any_label_are_kept_by_themselves_unless_val_or_test_has_their_like(
    catalogue: Catalogue, small: Params
) -> None:
    before = prepare.run(small.prepare, small.image, unlabelled=True)
    rows = [row for row in catalogue.rows() if row.product]
    product = {
        split: next(row.product for row in rows if row.image in written(split))
        for split in ("train", "test")
    }
    # So many that the hash sends some of them to each split.
    kept = [Row(f"images/bare-{i}.png", product=f"bare-{i // 2}") for i in range(24)]
    kept += [
        Row("images/of-train.png", product=product["train"]),
        Row("images/to-train.png", split="train"),
    ]
    left = [
        Row("images/of-test.png", product=product["test"]),
        Row("images/to-val.png", split="val"),
        Row("images/to-test.png", product="given", split="test"),
        Row("images/beside-to-test.png", product="given"),
    ]
    earlier = written(UNLABELLED) if UNLABELLED in before.summary.splits else set()
    add_bare(catalogue, small, kept + left)
    result = prepare.run(small.prepare, small.image, unlabelled=True)
    assert written(UNLABELLED) == earlier | {row.image for row in kept}
    for split in ("train", "val", "test"):
        assert result.summary.splits[split] == before.summary.splits[split]
    assert result.left_out == before.left_out + len(left)
    told = f"{result.left_out} images without any label were left out: they belong to val or test"
    assert told in result.describe()


def test_a_bare_image_of_train_may_not_repeat_one_of_test(
    catalogue: Catalogue, small: Params
) -> None:
    first, second, *_ = (row for row in catalogue.rows() if row.style and row.category)
    twins = {
        first: Row(first.image, product="p", split="train"),
        second: replace(second, product="p", split="test"),
    }
    rewrite(catalogue, lambda rows: [twins.get(row, row) for row in rows])
    with pytest.raises(ValidationFailed):
        prepare.run(small.prepare, small.image, unlabelled=True)


@pytest.fixture
def torn(catalogue: Catalogue) -> tuple[Row, Row]:
    """Two views of one product that the manifest gives to train and to test."""
    views = [row for row in catalogue.rows() if row.product and row.category]
    twins = next((a, b) for a, b in pairwise(views) if a.product == b.product)
    given = {twins[0].image: "train", twins[1].image: "test"}

    def tear(rows: list[Row]) -> list[Row]:
        return [
            Row(r.image, r.style, r.category, r.product, r.title, given.get(r.image, ""))
            for r in rows
        ]

    rewrite(catalogue, tear)
    return twins


def test_a_leak_stops_the_pipeline_with_the_rows_named(
    torn: tuple[Row, Row], small: Params
) -> None:
    with pytest.raises(ValidationFailed) as caught:
        prepare.run(small.prepare, small.image, unlabelled=False)
    text = str(caught.value)
    assert "error: no product is in more than one of train, val and test; fault found in" in text
    assert (
        f"{torn[0].image}: the image is in train, but is of the same product as {torn[1].image}"
    ) in text
    assert "prepare.severity of params.yaml" in text
    assert not OUT.exists()
    assert torn[0].image in Path("reports/prepare/index.html").read_text(encoding="utf-8")


def test_a_leak_can_be_allowed(torn: tuple[Row, Row], small: Params) -> None:
    allowed = override(small.prepare, {"severity": {"leaked_products": "warning"}})
    assert (
        "leaked_products  leakage" in prepare.run(allowed, small.image, unlabelled=False).describe()
    )
    assert OUT.is_dir()


def test_the_proof_looks_at_the_shards_and_not_at_the_plan(
    catalogue: Catalogue, small: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A grouping that forgets the products: what it writes leaks, and must not pass.
    def forget(products: Any, contents: Any, near: Any) -> Any:
        return np.arange(len(products))

    monkeypatch.setattr("vitrine.inputs.split.group_images", forget)
    monkeypatch.setattr(
        "vitrine.inputs.split.hash_shares",
        lambda keys, seed: np.random.default_rng(0).random(len(keys)),
    )
    with pytest.raises(ValidationFailed, match="leaked_products"):
        prepare.run(small.prepare, small.image, unlabelled=False)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda rows: rows[:-1], r"facts\.parquet is of another version.*ends after 89 rows"),
        (lambda rows: [*rows, Row("images/new.png", "vintage")], "row 91 .*new.png.*dvc repro"),
        (lambda rows: [rows[1], rows[0], *rows[2:]], "row 1 of the manifest"),
    ],
)
def test_facts_of_other_data_are_refused(
    catalogue: Catalogue,
    small: Params,
    change: Callable[[list[Row]], list[Row]],
    words: str,
) -> None:
    rewrite(catalogue, change)
    with pytest.raises(DataError, match=words):
        prepare.run(small.prepare, small.image, unlabelled=False)


def test_an_image_that_changed_since_validation_is_refused_and_the_old_shards_stay(
    catalogue: Catalogue, small: Params
) -> None:
    digest = prepare.run(small.prepare, small.image, unlabelled=False).summary.digest
    first, second = list(catalogue.rows())[:2]
    catalogue.path(first).write_bytes(catalogue.path(second).read_bytes())
    with pytest.raises(DataError, match=rf"{first.image} has changed since it was validated"):
        prepare.run(small.prepare, small.image, unlabelled=False)
    assert Summary.load(OUT).digest == digest
    assert sorted(path.name for path in OUT.parent.iterdir()) == ["prepare", "validate"]


def test_a_missing_image_is_named(catalogue: Catalogue, small: Params) -> None:
    row = next(row for row in catalogue.rows() if row.style)
    catalogue.path(row).unlink()
    with pytest.raises(ImageError, match=f"{row.image}: the file is missing"):
        prepare.run(small.prepare, small.image, unlabelled=False)
    assert not OUT.exists()


def test_an_unreadable_image_that_validation_let_pass_is_named(
    catalogue: Catalogue, small: Params
) -> None:
    row = next(iter(catalogue.rows()))
    catalogue.path(row).write_text("no picture")
    find_facts(small)
    with pytest.raises(DataError, match=rf"{row.image}: .*text.*dvc repro"):
        prepare.run(small.prepare, small.image, unlabelled=False)


def test_a_class_with_a_single_image_is_named(catalogue: Catalogue, small: Params) -> None:
    def lonely(rows: list[Row]) -> list[Row]:
        seen = 0
        kept = []
        for row in rows:
            seen += row.style == "vintage"
            kept.append(row if row.style != "vintage" or seen == 1 else Row(row.image, "fashion"))
        return kept

    rewrite(catalogue, lonely)
    find_facts(small)
    with pytest.raises(
        PreparedDataError, match=r"style 'vintage' cannot be in train, val and test"
    ):
        prepare.run(small.prepare, small.image, unlabelled=False)


def test_missing_and_empty_inputs_are_named(
    workplace: Path, small: Params, catalogue: Catalogue
) -> None:
    rewrite(catalogue, lambda rows: [])
    find_facts(small)
    with pytest.raises(DataError, match=r"manifest\.csv has no rows"):
        prepare.run(small.prepare, small.image, unlabelled=False)
    FACTS.unlink()
    with pytest.raises(DataError, match=r"facts\.parquet is missing"):
        prepare.run(small.prepare, small.image, unlabelled=False)
    catalogue.taxonomy_path.unlink()
    with pytest.raises(DataError, match=r"taxonomy\.yaml is missing.*dvc pull"):
        prepare.run(small.prepare, small.image, unlabelled=False)


def test_the_readers_of_shards_load_no_heavy_library() -> None:
    code = (
        "import sys, vitrine.inputs.shards;"
        "print({'tensorflow', 'keras', 'mlflow', 'great_expectations', 'pandas'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
