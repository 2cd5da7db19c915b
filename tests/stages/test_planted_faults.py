"""Known numbers of each fault, planted: how many does each check find, and what else does it name?"""

import csv
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from vitrine.core.errors import ValidationFailed
from vitrine.core.manifest import ManifestWriter, Row
from vitrine.core.params import Params, override
from vitrine.core.taxonomy import Label, Taxonomy
from vitrine.demo import draw_catalogue
from vitrine.demo.faults import FAULTS, Score, plant_faults, score_checks
from vitrine.stages import prepare, validate

pytestmark = pytest.mark.slow

EACH = 8
LEAKS = [name for name in FAULTS if name.startswith("leaked")]
LEAST = {"near_duplicates": 0.9}
"""Recall where a fault may be too faint: a crop by 4 % on each side."""


def _found(stage: str) -> dict[str, set[str]]:
    found = defaultdict(set)
    path = Path("reports") / stage / "findings.csv"
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found[row["check"]].add(row["image"])
    return found


def _validate(params: Params) -> dict[str, set[str]]:
    with suppress(ValidationFailed):
        validate.run(params.validate_, params.image)
    return _found("validate")


def test_every_fault_is_found_and_nothing_else(workplace: Path, params: Params) -> None:
    draw_catalogue(Path("data"), images=520, size=96, seed=11)
    before = _validate(params)
    kinds = [name for name in FAULTS if name not in LEAKS and name != "watermarked"]
    planted = plant_faults(Path("data"), EACH, seed=3, only=kinds)
    scores = score_checks(planted, before, _validate(params))
    assert len(scores) == 18
    wrong = {
        check: score
        for check, score in scores.items()
        if score.precision < 1 or score.recall < LEAST.get(check, 1)
    }
    assert wrong == {}


def test_leaks_that_the_manifest_makes_are_found(workplace: Path, params: Params) -> None:
    draw_catalogue(Path("data"), images=300, size=64, seed=12)
    planted = plant_faults(Path("data"), EACH, seed=4, only=LEAKS)
    validate.run(params.validate_, params.image)
    with pytest.raises(ValidationFailed):
        prepare.run(params.prepare, params.image, unlabelled=False)
    assert not Path("artifacts/prepare").exists()
    scores = score_checks(planted, {}, _found("prepare"))
    leaks = {name: score for name, score in scores.items() if name.startswith("leaked")}
    both = Score(planted=2 * EACH, found=2 * EACH, right=2 * EACH)
    assert leaks == dict.fromkeys(
        ("leaked_products", "leaked_duplicates", "leaked_near_duplicates"), both
    )


@pytest.fixture
def plain(workplace: Path) -> Path:
    """A catalogue of coloured shapes on plain grounds, where watermarks can be seen."""
    chance = np.random.default_rng(5)
    root = Path("data")
    (root / "images").mkdir(parents=True)
    names = ("box", "ball")
    taxonomy = Taxonomy(styles=(), categories=tuple(Label(name=name) for name in names))
    taxonomy.save(root / "taxonomy.yaml")
    with ManifestWriter(root / "manifest.csv") as writer:
        for number in range(120):
            row = Row(f"images/{number}.jpg", category=names[number % 2])
            ground = tuple(int(level) for level in chance.integers(225, 256, 3))
            picture = Image.new("RGB", (150, 200), ground)
            draw = ImageDraw.Draw(picture)
            left, top = (int(value) for value in chance.integers(15, 60, 2))
            shape = (left, top, left + 60 + top // 2, top + 100)
            color = tuple(int(level) for level in chance.integers(0, 180, 3))
            draw.rectangle(shape, color) if number % 2 else draw.ellipse(shape, color)
            draw.line((left, top, left + 60, top + 100), "white", 3)
            picture.save(root / row.image)
            writer.write(row)
    return root


def test_watermarks_are_found_on_plain_grounds(plain: Path, params: Params) -> None:
    before = _validate(params)
    planted = plant_faults(plain, 20, seed=6, only=["watermarked"])
    score = score_checks(planted, before, _validate(params))["repeated_pattern"]
    assert score.precision == 1
    assert score.recall >= 0.8


def test_a_clean_catalogue_has_no_leaks(workplace: Path, params: Params) -> None:
    draw_catalogue(Path("data"), images=120, size=48, seed=13)
    off = {"severity": {"blurry": "off", "repeated_pattern": "off"}}
    validate.run(override(params.validate_, off), params.image)
    said = prepare.run(params.prepare, params.image, unlabelled=False).describe()
    assert "3 checks of 120 images found nothing wrong" in said
