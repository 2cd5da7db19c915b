from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from vitrine.core.errors import DataError
from vitrine.quality import facts as module
from vitrine.quality.facts import SCHEMA, Facts, read_batches, read_columns, read_facts, write_facts


def test_facts_come_back_as_they_were_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROW_GROUP", 2)
    rows = [
        Facts(
            "images/鞋 a.png",
            readable=True,
            format="PNG",
            width=3,
            height=4,
            mode="L",
            orientation=1,
            bytes=99,
            md5="ab",
            sha256="abc",
            phash=2**64 - 1,
            mirror_hash=2**63,
            descriptor=bytes(range(256)),
            **{name: 1.5 + place for place, name in enumerate(SCHEMA.names[14:])},
        ),
        Facts("b", reason="the file is empty", bytes=0),
        *(Facts(f"images/{number}.jpg") for number in range(5)),
    ]
    path = tmp_path / "deep" / "facts.parquet"
    write_facts(path, iter(rows))
    assert list(read_facts(path)) == rows
    assert pq.ParquetFile(path).num_row_groups == 4


def test_an_interrupted_writing_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "facts.parquet"
    write_facts(path, [Facts("old")])

    def arriving() -> Iterator[Facts]:
        yield Facts("new")
        raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_facts(path, arriving())
    assert [row.image for row in read_facts(path)] == ["old"]
    assert [child.name for child in tmp_path.iterdir()] == ["facts.parquet"]


def test_what_cannot_be_read_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "facts.parquet"
    with pytest.raises(DataError, match=r"facts\.parquet is missing: make it with `vitrine val"):
        list(read_facts(path))
    path.write_bytes(b"PAR1 no more")
    with pytest.raises(DataError, match=r"facts\.parquet is damaged \(.*\): make it with"):
        list(read_facts(path))
    pq.write_table(pa.table({"image": ["a"]}), path)
    with pytest.raises(DataError, match="has other columns than this version writes: make it"):
        list(read_facts(path))


def test_some_columns_can_be_read_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READ_ROWS", 3)
    path = tmp_path / "facts.parquet"
    write_facts(path, (Facts(str(number), bytes=number) for number in range(7)))
    batches = list(read_batches(path, ["bytes", "image"]))
    assert [len(batch) for batch in batches] == [3, 3, 1]
    assert [row for batch in batches for row in batch.to_pylist()] == [
        {"bytes": number, "image": str(number)} for number in range(7)
    ]
    assert list(read_columns(path, ["bytes", "image"])) == [(n, str(n)) for n in range(7)]


def test_a_catalogue_without_images_has_no_facts(tmp_path: Path) -> None:
    path = tmp_path / "facts.parquet"
    write_facts(path, [])
    assert list(read_facts(path)) == []


def test_every_fact_has_a_column() -> None:
    assert tuple(SCHEMA.names) == Facts.__slots__
