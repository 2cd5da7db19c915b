import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from vitrine.quality.change import FACTS, Changes, create_change_tables, find_changes
from vitrine.quality.earlier_table import MEASURED, create_earlier_table

COLUMNS = ("image", "md5", "style", "category", *MEASURED)
Image = Mapping[str, Any]


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    yield connection
    connection.close()


def _fill(connection: sqlite3.Connection, before: Iterable[Image], now: Iterable[Image]) -> None:
    connection.execute("DROP TABLE IF EXISTS images")
    connection.execute(f"CREATE TABLE images ({', '.join(COLUMNS)})")
    create_earlier_table(connection)
    marks = ", ".join("?" * len(COLUMNS))
    for table, images in (("earlier_images", before), ("images", now)):
        rows = [[image.get(column) for column in COLUMNS] for image in images]
        connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)


def _drawn(images: int, seed: int, name: str = "a") -> list[dict[str, Any]]:
    """Images of one population, whose facts have all kinds of distributions."""
    generator = np.random.default_rng(seed)
    columns = {
        "image": [f"images/{name}{number}.jpg" for number in range(images)],
        "md5": [f"{name}{number}" for number in range(images)],
        "style": generator.choice(["vintage", "minimalist", ""], images, p=[0.6, 0.3, 0.1]),
        "category": generator.choice(["shoes", "bags", "home"], images, p=[0.12, 0.5, 0.38]),
        "width": generator.integers(20, 400, images),
        "height": np.full(images, 80),
        "bytes": generator.lognormal(9, 1, images).astype(int),
        "aspect_ratio": generator.choice([1.0, 4 / 3, 1.5], images, p=[0.1, 0.85, 0.05]),
        "brightness": generator.normal(200, 12, images),
        "contrast": generator.normal(50, 9, images),
        "sharpness": generator.exponential(300, images),
        "entropy": generator.uniform(0, 8, images),
        "colourfulness": generator.gamma(2, 20, images),
        "background": generator.beta(0.4, 0.4, images).round(1),
    }
    lists = {column: np.asarray(values).tolist() for column, values in columns.items()}
    return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]


def _shifted(connection: sqlite3.Connection) -> dict[str, str]:
    rows = connection.execute("SELECT feature, detail FROM shifts WHERE shifted").fetchall()
    return {row["feature"]: row["detail"] for row in rows}


@pytest.mark.parametrize(("images", "runs", "most"), [(200, 60, 6), (5000, 8, 1)])
def test_two_samples_of_one_population_rarely_alarm(
    database: sqlite3.Connection, images: int, runs: int, most: int
) -> None:
    alarms = 0
    for run in range(runs):
        _fill(database, _drawn(images, 2 * run), _drawn(images, 2 * run + 1))
        find_changes(database, 0, 0)  # without a threshold that hides what chance does
        alarms += bool(_shifted(database))
    assert alarms <= most


def test_shifts_are_found_and_said_in_words(database: sqlite3.Connection) -> None:
    before, now = _drawn(1000, 1), _drawn(1000, 2, "b")
    for number, image in enumerate(now):
        image["brightness"] -= 40
        if number < 250:
            image["category"] = "shoes"
            image["style"] = ""
    _fill(database, before, now)
    find_changes(database, 0.1, 0.1)
    shifted = _shifted(database)
    assert shifted.keys() == {"style", "category", "brightness"}
    assert shifted["category"].startswith("'shoes' went from 1")
    assert shifted["style"].startswith("the share of images without a style went from 1")
    assert shifted["brightness"] == "the median brightness went from 199 to 160"
    kinds = database.execute("SELECT feature, kind, psi, psi_limit FROM shifts").fetchall()
    assert {row["feature"] for row in kinds if row["kind"] == "labels"} == {"style", "category"}
    assert {row["feature"] for row in kinds if row["kind"] == "facts"} == set(FACTS)
    assert all((row["psi"] > row["psi_limit"]) == (row["feature"] in shifted) for row in kinds)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (1.0, "the median aspect ratio went from 1.33 to 1"),
        (2.5, "the median aspect ratio went from 1.33 to 2.5"),
    ],
)
def test_a_fact_that_was_always_the_same_cannot_move_unseen(
    database: sqlite3.Connection, value: float, words: str
) -> None:
    before, now = _drawn(300, 1), _drawn(300, 2, "b")
    for image in before:
        image["aspect_ratio"] = 4 / 3
    for image in now:
        image["aspect_ratio"] = value
    _fill(database, before, now)
    find_changes(database, 0.1, 0.1)
    assert _shifted(database) == {"aspect_ratio": words}


def test_a_part_that_moves_is_told_by_its_share(database: sqlite3.Connection) -> None:
    before, now = _drawn(1000, 1), _drawn(1000, 2, "b")
    for image in now[:200]:
        image["brightness"] = 255.0
    for image in now[200:500]:
        image["aspect_ratio"] = 1.0
    _fill(database, before, now)
    find_changes(database, 0.1, 0.1)
    shifted = _shifted(database)
    assert shifted["brightness"].startswith("the share of images whose brightness is above 21")
    assert shifted["aspect_ratio"].startswith("the share of images whose aspect ratio is ")
    assert shifted.keys() == {"brightness", "aspect_ratio"}


def test_unreadable_images_have_no_part_in_the_facts(database: sqlite3.Connection) -> None:
    before, now = _drawn(300, 1), _drawn(300, 2, "b")
    unknown = dict.fromkeys(MEASURED)
    _fill(database, before, [*now, *({**image, **unknown} for image in _drawn(300, 3, "c"))])
    find_changes(database, 0.1, 0.1)
    assert not _shifted(database)
    _fill(database, before, [{**image, **unknown} for image in now])
    find_changes(database, 0.1, 0.1)
    features = {row["feature"] for row in database.execute("SELECT feature FROM shifts")}
    assert features == {"style", "category"}


def test_vanished_classes_are_named_with_what_they_had(database: sqlite3.Connection) -> None:
    before = [
        {"image": str(number), "style": style, "category": category}
        for number, (style, category) in enumerate(
            [("vintage", "shoes"), ("vintage", "bags"), ("modern", None), ("", "bags")]
        )
    ]
    now = [{"image": "0", "style": "modern", "category": "bags"}, {"image": "1", "style": None}]
    _fill(database, before, now)
    find_changes(database, 0.1, 0.1)
    query = "SELECT head, label, images_before, images_now FROM earlier_classes"
    rows = [tuple(row) for row in database.execute(query)]
    assert rows == [
        ("style", "modern", 1, 1),
        ("style", "vintage", 2, 0),
        ("category", "bags", 2, 1),
        ("category", "shoes", 1, 0),
    ]


def test_replaced_images_are_named_with_their_labels(database: sqlite3.Connection) -> None:
    before = [
        {"image": "kept", "md5": "1", "style": "vintage", "category": ""},
        {"image": "gone", "md5": "2", "style": "vintage", "category": "bags"},
        {"image": "other bytes", "md5": "3", "style": "vintage", "category": ""},
        {"image": "other label", "md5": "4", "style": "vintage", "category": "bags"},
        {"image": "other both", "md5": "5", "style": "vintage", "category": "bags"},
        {"image": "no file", "md5": "6", "style": "vintage", "category": "bags"},
    ]
    now = [
        {"image": "kept", "md5": "1", "style": "vintage", "category": None},
        {"image": "other bytes", "md5": "30", "style": "vintage", "category": None},
        {"image": "other label", "md5": "4", "style": "modern", "category": "bags"},
        {"image": "other both", "md5": "50", "style": "vintage", "category": "shoes"},
        {"image": "no file", "md5": None, "style": "vintage", "category": "bags"},
        {"image": "new", "md5": "7", "style": "vintage", "category": "bags"},
    ]
    _fill(database, before, now)
    changes = find_changes(database, 0.1, 0.1)
    assert changes == Changes(before=6, now=6, added=1, removed=1, replaced=2, relabelled=2)
    rows = [tuple(row) for row in database.execute("SELECT * FROM replaced")]
    assert rows == [
        ("other both", "5", "50", "vintage", "vintage", "bags", "shoes", 0),
        ("other bytes", "3", "30", "vintage", "vintage", "", "", 1),
    ]


def test_without_an_earlier_version_the_tables_are_empty(database: sqlite3.Connection) -> None:
    now = _drawn(20, 1)
    _fill(database, [], now)
    changes = find_changes(database, 0.1, 0.1)
    assert changes == Changes(before=0, now=20, added=20, removed=0, replaced=0, relabelled=0)
    for table in ("shifts", "earlier_classes", "replaced"):
        assert not database.execute(f"SELECT * FROM {table}").fetchall()


def test_the_tables_of_another_comparison_are_replaced(database: sqlite3.Connection) -> None:
    _fill(database, _drawn(20, 1), [])
    find_changes(database, 0.1, 0.1)
    assert database.execute("SELECT count(*) FROM earlier_classes").fetchone()[0] > 0
    create_change_tables(database)
    assert database.execute("SELECT count(*) FROM earlier_classes").fetchone()[0] == 0
