"""What a log is compared with: made from the pipeline's outputs, and carried elsewhere."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vitrine.bundle.runtime import Runtime
from vitrine.core.errors import DataError, PreparedDataError
from vitrine.core.manifest import Catalogue
from vitrine.core.params import override
from vitrine.inputs.summary import Summary
from vitrine.monitoring import reference as module
from vitrine.monitoring.reference import FACTS, Reference, make_reference
from vitrine.quality.facts import read_columns

SHARDS = Path("artifacts/prepare")


def facts() -> Iterator[tuple[Any, ...]]:
    return read_columns(Path("artifacts/validate/facts.parquet"), ("image", *FACTS))


def make() -> Reference:
    return make_reference(Runtime(Path("artifacts/export")), SHARDS, facts())


def test_it_holds_what_the_bundle_answers_for_val_and_test(
    place: Path, catalogue: Catalogue
) -> None:
    found = make()
    runtime = Runtime(place / "artifacts/export")
    answers = runtime.answer([catalogue.path(row).read_bytes() for row in catalogue.rows()])
    assert (found.bundle_digest, found.data_digest) == (runtime.info.digest, "1" * 32)
    assert found.sample.images == 36
    assert np.sort(found.sample.numbers["style_confidence"]) == pytest.approx(
        np.sort(answers.style.max(axis=1)), abs=1e-5
    )
    assert np.sort(found.sample.embeddings, axis=0) == pytest.approx(
        np.sort(answers.embedding, axis=0), abs=1e-4
    )
    assert {"style", "style_sure", "category", "category_sure"} == set(found.sample.words)
    assert {*FACTS, "brightness"} < set(found.sample.numbers)


@pytest.mark.usefixtures("place")
def test_it_is_bounded_and_the_same_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 10)
    first, second = make(), make()
    assert first.sample.images == 10
    assert first.sample.numbers["bytes"].tolist() == second.sample.numbers["bytes"].tolist()


@pytest.mark.usefixtures("place")
def test_what_is_kept_is_read_back(tmp_path: Path) -> None:
    made = make()
    made.save(tmp_path / "new/reference.npz")
    read = Reference.load(tmp_path / "new/reference.npz")
    assert (read.bundle_digest, read.data_digest) == (made.bundle_digest, made.data_digest)
    assert read.sample.images == made.sample.images
    assert read.sample.words.keys() == made.sample.words.keys()
    assert read.sample.words["style"].tolist() == made.sample.words["style"].tolist()
    assert read.sample.numbers.keys() == made.sample.numbers.keys()
    assert read.sample.numbers["bytes"].tolist() == made.sample.numbers["bytes"].tolist()
    assert np.array_equal(read.sample.embeddings, made.sample.embeddings)


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "reference.npz"
    with pytest.raises(DataError, match="reference.npz is missing: make it with `vitrine monitor`"):
        Reference.load(path)
    path.write_bytes(b"something else")
    with pytest.raises(DataError, match="reference.npz is no reference of this Vitrine"):
        Reference.load(path)
    np.savez(path, other=np.zeros(3))
    with pytest.raises(DataError, match="reference.npz is no reference of this Vitrine"):
        Reference.load(path)


def test_a_file_that_is_damaged_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "reference.npz"
    path.touch()
    with pytest.raises(DataError, match="reference.npz is no reference of this Vitrine"):
        Reference.load(path)
    np.savez_compressed(path, about=np.zeros(100))
    data = bytearray(path.read_bytes())
    # The first block of the compressed bytes, after the names, gets a type that does not exist.
    with zipfile.ZipFile(path) as file:
        name = len(file.infolist()[0].filename)
    data[30 + name + int.from_bytes(data[28:30], "little")] = 0xFF
    path.write_bytes(data)
    with pytest.raises(DataError, match="is no reference of this Vitrine .*invalid block type"):
        Reference.load(path)


@pytest.mark.usefixtures("place")
def test_figures_are_rounded_as_the_log_rounds_them() -> None:
    numbers = make().sample.numbers
    for name, digits in (("style_confidence", 6), ("category_confidence", 6), ("brightness", 2)):
        values = numbers[name].tolist()
        assert values == [round(value, digits) for value in values]


def test_shards_and_facts_that_do_not_belong_together_are_refused(place: Path) -> None:
    runtime = Runtime(place / "artifacts/export")
    with pytest.raises(PreparedDataError, match=r"does not know images/.* \(and 34 others\)"):
        make_reference(runtime, SHARDS, list(facts())[:1])
    summary = Summary.load(SHARDS)
    other = override(summary.image, {"fit": "stretch"})
    summary.model_copy(update={"image": other}).save(SHARDS)
    with pytest.raises(PreparedDataError, match="other image settings or labels"):
        make_reference(runtime, SHARDS, facts())
