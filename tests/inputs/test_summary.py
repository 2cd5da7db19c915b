import json
from pathlib import Path

import pytest

from vitrine.core.errors import PreparedDataError
from vitrine.inputs.summary import Summary


def test_a_summary_says_what_the_shards_hold(prepared: Path) -> None:
    summary = Summary.load(prepared)
    assert summary.image_shape == (6, 4, 3)
    assert {name: split.images for name, split in summary.splits.items()} == {
        "train": 50,
        "val": 7,
        "test": 5,
    }
    assert summary.splits["test"].counts == {
        "style": {"plain": 2, "vintage": 1},
        "category": {"shoe": 1, "lamp": 1, "bag": 1},
    }
    assert list(summary.splits["train"].shards)[1] == "shard-00001-of-00004.tfrecord"


def test_the_digest_depends_on_shards_settings_and_labels(prepared: Path) -> None:
    summary = Summary.load(prepared)
    assert summary.digest == Summary.load(prepared).digest
    test = summary.splits["test"]
    shards = dict.fromkeys(test.shards, "0" * 64)
    others = [
        summary.model_copy(update={"image": summary.image.model_copy(update={"fit": "crop"})}),
        summary.model_copy(
            update={"splits": summary.splits | {"test": test.model_copy(update={"shards": shards})}}
        ),
        summary.model_copy(
            update={"taxonomy": summary.taxonomy.model_copy(update={"forbidden": (("a", "b"),)})}
        ),
    ]
    assert summary.digest not in {other.digest for other in others}


def test_a_missing_summary_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(PreparedDataError, match=r"summary\.json is missing.*dvc repro prepare"):
        Summary.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "words"), [({"splits": 3}, "splits"), ({"colour": 1}, "colour"), (None, "the file")]
)
def test_a_broken_summary_is_refused(
    prepared: Path, change: dict[str, int] | None, words: str
) -> None:
    path = prepared / "summary.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | change) if change else "{")
    with pytest.raises(PreparedDataError, match=rf"summary\.json: {words}: .*make it anew"):
        Summary.load(prepared)


def test_an_unknown_split_is_refused(prepared: Path) -> None:
    with pytest.raises(PreparedDataError, match="one of train, val, test, but got 'dev'"):
        Summary.load(prepared).shard_paths(prepared, "dev")
