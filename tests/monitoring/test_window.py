"""The answers of a log that are looked at."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from monitored import ALL, DIGEST, World, find
from vitrine.core.errors import DataError
from vitrine.monitoring.window import find_window

NEWER = "ab" * 32


def answered(
    count: int, start: float = 0.0, version: str = "7", digest: str = DIGEST
) -> list[dict[str, Any]]:
    """Return entries of a model, one a second."""
    model = {"version": version, "bundle_digest": digest}
    return [
        entry | model | {"time": start + place}
        for place, entry in enumerate(World().entries(count, seed=1))
    ]


def test_the_model_that_answered_last_is_taken_and_the_others_are_counted() -> None:
    log = answered(5, 100, "8", NEWER) + answered(9, 93) + answered(2, 102, "7", "c" * 64)
    window = find(log)
    assert window is not None
    assert (window.version, window.bundle_digest, window.sample.images) == ("8", NEWER, 5)
    assert (window.first, window.last) == (100, 104)
    # Two of each of the bundles of version 7: seven are older than the window.
    assert window.others == {"7": 4}


@pytest.mark.parametrize("model", ["", "7", "8", DIGEST])
def test_a_bundle_of_two_versions_is_reported_as_the_one_that_answered_last(model: str) -> None:
    log = answered(4, 50, "8") + answered(6, 10, "7")
    window = find(log, replace(ALL, model=model))
    assert window is not None
    assert (window.version, window.sample.images, window.others) == ("8", 10, {})


@pytest.mark.parametrize("model", ["7", "aaa", DIGEST])
def test_a_model_is_named_by_version_or_digest(model: str) -> None:
    window = find(answered(5, 100, "8", NEWER) + answered(9, 10), replace(ALL, model=model))
    assert window is not None
    assert window.version == "7"


@pytest.mark.parametrize(("model", "found"), [("9", 0), ("a", 2)])
def test_a_name_that_is_not_of_one_model_is_refused(model: str, found: int) -> None:
    log = answered(5, 100, "8", NEWER) + answered(9, 10)
    with pytest.raises(DataError, match=rf"{found} models .* 8 \(abab.*\), 7 \(aaaa"):
        find(log, replace(ALL, model=model))


def test_the_newest_are_kept_in_whatever_order_they_come() -> None:
    log = answered(4, 50) + answered(4, 10) + answered(4, 30)
    window = find(log, replace(ALL, last=6))
    assert window is not None
    assert (window.first, window.last, window.sample.images) == (32, 53, 6)


def test_the_newest_are_kept_where_the_oldest_share_a_time() -> None:
    log = [
        entry | {"time": float(time)}
        for time, entry in zip([1, 1, 1, 2, 3], answered(5), strict=True)
    ]
    window = find(log, replace(ALL, last=3))
    assert window is not None
    confidence = [log[place]["style"]["probability"] for place in (0, 3, 4)]
    assert window.sample.numbers["style_confidence"].tolist() == confidence


def test_nothing_older_is_seen_of_any_model() -> None:
    log = answered(5, 100, "8", NEWER) + answered(9, 10)
    window = find(log, replace(ALL, since=103))
    assert window is not None
    assert (window.first, window.sample.images, window.others) == (103, 2, {})
    assert find(log, replace(ALL, since=105)) is None


def test_what_is_written_meanwhile_waits_for_the_next_time() -> None:
    logs = iter([answered(5), answered(9)])
    window = find_window(lambda: next(logs), ALL, lambda _: {})
    assert window is not None
    assert (window.last, window.sample.images) == (4, 5)


def test_a_missing_head_and_unknown_facts_are_left_out() -> None:
    log = answered(3)
    del log[1]["brightness"]
    log[2] |= {"style": None, "later": "a field of another version"}
    window = find(log)
    assert window is not None
    assert "category" not in window.sample.words
    assert len(window.sample.words["style"]) == len(window.sample.numbers["brightness"]) == 2
    assert len(window.sample.numbers["width"]) == 3


def test_only_images_of_the_window_are_measured() -> None:
    log = [entry | {"image": bytes([place])} for place, entry in enumerate(answered(5))]
    measured: list[bytes] = []

    def measure(data: bytes) -> dict[str, float | None]:
        measured.append(data)
        return {"contrast": 50.0 if data[0] % 2 else None}

    window = find_window(lambda: log, replace(ALL, last=3), measure)
    assert window is not None
    assert measured == [b"\x02", b"\x03", b"\x04"]
    assert window.sample.numbers["contrast"].tolist() == [50.0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"time": None}, "the entry r1 .* time: "),
        ({"style": {"label": "vintage"}}, "the entry r1 .* style.probability: "),
        (
            {"style": {"label": "vintage", "probability": math.nan, "unsure": False}},
            "the entry r1 .* style.probability: ",
        ),
        ({"brightness": math.nan}, "the entry r1 .* brightness: "),
        ({"embedding": np.array([math.inf], np.float32)}, "the entry r1 .* embedding: .* finite"),
        ({"embedding": np.ones(3, np.float32)}, "embeddings of one bundle have 3 and 32 numbers"),
    ],
)
def test_an_entry_that_is_none_is_refused(change: dict[str, Any], words: str) -> None:
    log = answered(3)
    log[1] |= change
    with pytest.raises(DataError, match=words):
        find(log)
