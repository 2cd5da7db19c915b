from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageDraw

from vitrine.core.errors import DataError
from vitrine.core.params import Params
from vitrine.quality.duplicates import near_duplicates, read_edges, write_edges
from vitrine.quality.facts import Facts, write_facts
from vitrine.quality.measuring import measure_bytes
from vitrine.quality.near_duplicates import Edges


def _picture(seed: int, quality: int = 95) -> bytes:
    generator = np.random.default_rng(seed)
    image = Image.new("RGB", (96, 96), "white")
    draw = ImageDraw.Draw(image)
    for _ in range(8):
        left, top = (int(value) for value in generator.integers(5, 60, 2))
        color = tuple(int(value) for value in generator.integers(0, 255, 3))
        draw.rectangle((left, top, left + 30, top + 25), fill=color)
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def _pairs(edges: Edges) -> list[tuple[int, int]]:
    return list(zip(edges.first.tolist(), edges.second.tolist(), strict=True))


def test_places_are_those_of_the_manifest(tmp_path: Path, params: Params) -> None:
    contents = [
        _picture(1),
        b"no image",
        _picture(2),
        _picture(1),  # the same file: an exact duplicate, not a near one
        _picture(3),
        b"",
        _picture(2, quality=60),
        _picture(1, quality=60),
    ]
    path = tmp_path / "facts.parquet"
    rows = (measure_bytes(data, params.image, str(i)) for i, data in enumerate(contents))
    write_facts(path, rows)
    found = near_duplicates(path, params.validate_.integrity)
    assert _pairs(found) == [(2, 6), (0, 7)]


@pytest.mark.parametrize("count", [0, 3])
def test_without_readable_images_there_are_none(tmp_path: Path, params: Params, count: int) -> None:
    path = tmp_path / "facts.parquet"
    write_facts(path, (Facts(str(i), reason="the file is missing") for i in range(count)))
    assert _pairs(near_duplicates(path, params.validate_.integrity)) == []


@pytest.mark.parametrize("pairs", [[], [(0, 3), (5, 7), (5, 2**40)]])
def test_pairs_come_back_as_they_were_written(tmp_path: Path, pairs: list[tuple[int, int]]) -> None:
    path = tmp_path / "deep" / "near.parquet"
    first, second = np.array(pairs, np.int64).reshape(-1, 2).T
    write_edges(path, Edges(first, second))
    found = read_edges(path)
    assert _pairs(found) == pairs
    assert (found.first.dtype, found.second.dtype) == (np.int64, np.int64)


def test_what_cannot_be_read_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "near.parquet"
    with pytest.raises(DataError, match=r"near\.parquet is missing: make it with `vitrine valid"):
        read_edges(path)
    path.write_bytes(b"PAR1 no more")
    with pytest.raises(DataError, match=r"near\.parquet is damaged \(.*\): make it with"):
        read_edges(path)
    pq.write_table(pa.table({"image": ["a"]}), path)
    with pytest.raises(DataError, match=r"near\.parquet has other columns than this version"):
        read_edges(path)
