"""What images have in common."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vitrine.core.errors import PreparedDataError
from vitrine.core.manifest import ManifestWriter, Row
from vitrine.core.taxonomy import Label, Taxonomy
from vitrine.evaluation.answers import Answers
from vitrine.evaluation.attributes import Listed, PixelFacts, attributes_of, look_up

FACT = PixelFacts("images/1.jpg", "JPEG", 400, 300, 150.0, 0.5, 10.0)


def _answers(names: list[str], style: list[int], category: list[int]) -> Answers:
    labels = {"style": np.array(style), "category": np.array(category)}
    taxonomy = Taxonomy(
        styles=(Label(name="vintage"), Label(name="modern")),
        categories=(Label(name="lamp"), Label(name="shoe")),
    )
    return Answers(taxonomy, names, labels, {})


def _alone(names: list[str]) -> Listed:
    return Listed(np.arange(len(names)), np.zeros(len(names), bool))


def _one(fact: PixelFacts) -> dict[str, str | None]:
    names = [fact.image]
    found = attributes_of(_answers(names, [0], [0]), _alone(names), [fact])
    return {name: values[0] for name, values in found.items()}


def test_products_and_titles_come_from_the_manifest(tmp_path: Path) -> None:
    path = tmp_path / "manifest.csv"
    with ManifestWriter(path) as writer:
        for row in (
            Row("images/1.jpg", product="p", title="A lamp"),
            Row("images/2.jpg", title="  "),
            Row("images/3.jpg", product="q"),
            Row("images/4.jpg", product="p"),
            Row("images/5.jpg"),
        ):
            writer.write(row)
    listed = look_up(path, ["images/5.jpg", "images/4.jpg", "images/2.jpg", "images/1.jpg"])
    alone, first, other, again = listed.products
    assert first == again
    assert len({alone, first, other}) == 3
    assert listed.titled.tolist() == [False, False, False, True]


def test_an_image_that_went_from_the_manifest_is_named(tmp_path: Path) -> None:
    with ManifestWriter(tmp_path / "manifest.csv") as writer:
        writer.write(Row("images/1.jpg"))
    with pytest.raises(PreparedDataError, match=r"does not know images/2\.jpg.*dvc repro"):
        look_up(tmp_path / "manifest.csv", ["images/1.jpg", "images/2.jpg"])


def test_an_image_without_facts_is_named() -> None:
    names = ["images/1.jpg", "images/2.jpg"]
    with pytest.raises(PreparedDataError, match=r"does not know images/2\.jpg"):
        attributes_of(_answers(names, [0, 0], [0, 0]), _alone(names), [FACT])


@pytest.mark.parametrize(
    ("change", "attribute", "value"),
    [
        ({}, "size", "300 to 999 px"),
        ({"height": 1000}, "size", "1000 px and more"),
        ({"width": 99, "height": 30}, "size", "under 100 px"),
        ({"width": None}, "size", None),
        ({}, "brightness", "medium"),
        ({"brightness": 99.9}, "brightness", "dark"),
        ({"brightness": 200.0}, "brightness", "bright"),
        ({"brightness": None}, "brightness", None),
        ({}, "background", "plain"),
        ({"background": 0.1}, "background", "busy"),
        ({"background": None}, "background", None),
        ({}, "colour", "muted"),
        ({"colourfulness": 1.0}, "colour", "grey"),
        ({"colourfulness": 60.0}, "colour", "colourful"),
        ({"colourfulness": None}, "colour", None),
        ({"format": "WEBP"}, "format", "WEBP"),
    ],
)
def test_facts_become_values(
    change: dict[str, float | str | None], attribute: str, value: str | None
) -> None:
    assert _one(replace(FACT, **change))[attribute] == value


def test_labels_are_pairs_where_both_are_known() -> None:
    names = [f"images/{i}.jpg" for i in range(3)]
    facts = [replace(FACT, image=name) for name in names]
    found = attributes_of(_answers(names, [0, -1, 1], [1, 1, 0]), _alone(names), facts)
    assert found["labels"] == ["vintage × shoe", None, "modern × lamp"]


def test_views_of_one_product_are_told_from_lone_images() -> None:
    names = [f"images/{i}.jpg" for i in range(3)]
    listed = Listed(np.array([7, 3, 7]), np.array([True, False, True]))
    facts = [replace(FACT, image=name) for name in ["images/other.jpg", *names[::-1]]]
    found = attributes_of(_answers(names, [0] * 3, [0] * 3), listed, facts)
    assert found["views"] == ["several", "one", "several"]
    assert found["title"] == ["present", "missing", "present"]


@pytest.mark.parametrize(
    ("names", "sources"),
    [
        (["images/shop/1.jpg", "images/2.jpg"], ["shop", None]),
        (["images/lamp/1.jpg", "images/shop/a/2.jpg"], [None, "shop"]),
        ([f"images/{i:02}/1.jpg" for i in range(30)], [None] * 30),
    ],
)
def test_a_folder_is_a_source_unless_it_is_a_label_or_a_way_of_storing(
    names: list[str], sources: list[str | None]
) -> None:
    none = [0] * len(names)
    facts = [replace(FACT, image=name) for name in names]
    assert attributes_of(_answers(names, none, none), _alone(names), facts)["source"] == sources
