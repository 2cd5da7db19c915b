"""Harmless changes of pictures, and whether answers stay."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from vitrine import imaging
from vitrine.bundle.format import BundleInfo
from vitrine.bundle.runtime import Predictions, Runtime
from vitrine.core.errors import ImageError
from vitrine.core.manifest import Catalogue
from vitrine.core.params import BehaviourParams, EvaluateParams, ImageParams, Params, override
from vitrine.core.taxonomy import Label, Taxonomy
from vitrine.evaluation.behaviour import CHANGES, Kept, answers_kept, drawn
from vitrine.evaluation.changes import (
    changed,
    cropped,
    lit,
    on_another_ground,
    shifted,
    watermarked,
)

Pixels = np.ndarray


@pytest.fixture
def strengths(params: Params) -> BehaviourParams:
    return params.evaluate.behaviour


@pytest.fixture
def noise() -> Pixels:
    return np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)


@pytest.fixture
def disc() -> Pixels:
    """A red ring on a white ground, 60 x 60; white in its hole too."""
    y, x = np.mgrid[:60, :60] - 29.5
    radius = np.hypot(x, y)
    picture = np.full((60, 60, 3), 255, np.uint8)
    picture[(radius < 20) & (radius > 8)] = (200, 30, 40)
    return picture


def test_a_shift_moves_right_and_down_and_repeats_the_edge(noise: Pixels) -> None:
    moved = shifted(noise, 0.1)
    assert moved.shape == noise.shape
    np.testing.assert_array_equal(moved[4:, 3:], noise[:-4, :-3])
    np.testing.assert_array_equal(moved[0, 3:], noise[0, :-3])
    np.testing.assert_array_equal(moved[4:, 0], noise[:-4, 0])


def test_a_crop_keeps_the_middle(noise: Pixels) -> None:
    np.testing.assert_array_equal(cropped(noise, 0.2), noise[4:36, 3:27])
    assert cropped(noise[:2, :1], 0.9).shape == (2, 1, 3)


def test_light_multiplies_the_levels_and_stops_at_white() -> None:
    levels = np.array([[[0, 10, 200]]], np.uint8)
    np.testing.assert_array_equal(lit(levels, 1.3), [[[0, 13, 255]]])
    np.testing.assert_array_equal(lit(levels, 0.7), [[[0, 7, 140]]])


@pytest.mark.parametrize("shape", [(60, 60, 3), (3, 90, 3), (90, 3, 3), (1, 1, 3)])
def test_a_watermark_is_as_strong_as_its_opacity(shape: tuple[int, ...]) -> None:
    black = np.zeros(shape, np.uint8)
    marked = watermarked(black, 0.5)
    assert marked.max() <= 65
    np.testing.assert_array_equal(watermarked(black, 0), black)
    np.testing.assert_array_equal(black, 0)


def test_a_watermark_goes_across_the_picture() -> None:
    marked = watermarked(np.full((60, 60, 3), 255, np.uint8), 0.5)
    rows, columns = np.nonzero((marked < 250).all(axis=2))
    assert np.ptp(columns) > 40
    assert np.ptp(rows) > 20
    assert marked.min() == pytest.approx(255 - 0.5 * 127, abs=1)


def test_another_ground_leaves_the_product_and_its_holes(disc: Pixels) -> None:
    other = on_another_ground(disc)
    assert other is not None
    corner = other[0, 0].astype(int)
    assert np.abs(corner - 255).sum() >= 60
    assert np.ptp(other[:3].reshape(-1, 3), axis=0).max() == 0
    np.testing.assert_array_equal(other[29, 12:19], disc[29, 12:19])
    np.testing.assert_array_equal(other[28:31, 28:31], 255)


def test_slight_shades_of_the_ground_are_kept(disc: Pixels) -> None:
    disc[5, :10] = 250
    other = on_another_ground(disc)
    assert other is not None
    assert (other[9, 5].astype(int) - other[5, 5] == 5).all()


@pytest.mark.parametrize("level", [0, 58, 150, 226, 255])
def test_a_new_ground_differs_clearly_from_any_old_one(disc: Pixels, level: int) -> None:
    disc[(disc == 255).all(axis=2)] = level
    other = on_another_ground(disc)
    assert other is not None
    assert np.abs(other[0, 0].astype(int) - level).sum() >= 60


def test_where_there_is_no_plain_ground_or_nothing_else_it_is_not_changed(noise: Pixels) -> None:
    assert on_another_ground(noise) is None
    assert on_another_ground(np.full((20, 20, 3), 255, np.uint8)) is None


def test_changes_go_the_way_of_a_file(
    noise: Pixels, strengths: BehaviourParams, small: ImageParams
) -> None:
    found = changed(noise, strengths, small)
    assert found.keys() == set(CHANGES) - {"background"}
    for name, pixels, settings in (
        ("flip", noise[:, ::-1], {"format": "PNG"}),
        ("crop", cropped(noise, strengths.crop), {"format": "BMP"}),
        ("jpeg", noise, {"format": "JPEG", "quality": strengths.jpeg_quality}),
    ):
        buffer = BytesIO()
        PIL.Image.fromarray(pixels).save(buffer, **settings)
        np.testing.assert_array_equal(found[name], imaging.load(buffer.getvalue(), small))


def test_a_jpeg_may_be_larger_than_files_from_outside(
    noise: Pixels, strengths: BehaviourParams, small: ImageParams
) -> None:
    tight = override(small, {"max_bytes": 100})
    assert changed(noise, strengths, tight)["jpeg"].shape == (32, 32, 3)


def test_as_many_names_as_asked_are_drawn_in_their_order() -> None:
    names = [f"{i:03}" for i in range(200)]
    some = drawn(names, 50, seed=1)
    assert len(set(some)) == 50
    assert some == sorted(some)
    assert some == drawn(names, 50, seed=1) != drawn(names, 50, seed=2)
    assert drawn(names, 500, seed=1) == names


@dataclass
class Lightmeter:
    """Answers whether an image is dark (0) or bright (1), and whether its left is brighter."""

    info: BundleInfo

    def predict(self, images: Pixels) -> Predictions:
        assert len(images) <= 4
        grey = images.mean(axis=3)
        bright = grey.mean(axis=(1, 2)) > 128
        left = grey[:, :, :16].mean(axis=(1, 2)) > grey[:, :, 16:].mean(axis=(1, 2))
        answers = [np.eye(2, dtype=np.float32)[of.astype(int)] for of in (bright, left)]
        return Predictions(*answers, np.zeros((len(images), 1), np.float32), None, None)


@pytest.fixture
def lightmeter(described: Callable[[Taxonomy], BundleInfo], small: ImageParams) -> Lightmeter:
    styles, categories = (
        tuple(Label(name=name) for name in names)
        for names in (("dark", "bright"), ("right", "left"))
    )
    info = described(Taxonomy(styles=styles, categories=categories))
    return Lightmeter(info.model_copy(update={"image": small}))


@pytest.fixture
def section(params: Params) -> EvaluateParams:
    return override(params.evaluate, {"batch_size": 4})


def _picture(path: Path, level: int, slope: int) -> str:
    row = np.linspace(level - slope, level + slope, 32).astype(np.uint8)
    PIL.Image.fromarray(np.broadcast_to(row[None, :, None], (32, 32, 3)).copy()).save(path)
    return path.name


def test_shares_are_of_the_answers_that_stay(
    tmp_path: Path, lightmeter: Lightmeter, section: EvaluateParams
) -> None:
    names = [_picture(tmp_path / f"{i}.png", 150 if i < 6 else 220, 20) for i in range(10)]
    kept = {one.change: one for one in answers_kept(lightmeter, tmp_path, names, section)}
    assert list(kept) == [change for change in CHANGES if change != "background"]
    assert kept["flip"] == Kept("flip", 10, {"style": 1.0, "category": 0.0})
    # 150 times 0.7 is below the 128 that divide dark from bright, 220 times 0.7 is not.
    assert kept["darker"] == Kept("darker", 10, {"style": 0.4, "category": 1.0})
    assert kept["brighter"].shares["style"] == 1


def test_only_images_with_a_plain_ground_count_for_another_one(
    tmp_path: Path, lightmeter: Lightmeter, section: EvaluateParams, disc: Pixels, noise: Pixels
) -> None:
    names = ["0.png", "1.png", "2.png"]
    for name, pixels in zip(names, (disc, noise, noise), strict=True):
        PIL.Image.fromarray(pixels).save(tmp_path / name)
    kept = {one.change: one for one in answers_kept(lightmeter, tmp_path, names, section)}
    assert kept["background"].images == 1
    assert kept["flip"].images == 3


def test_the_bundle_itself_is_asked_about_as_many_images_as_wanted(
    catalogue: Catalogue, tiny_bundle: Path, section: EvaluateParams
) -> None:
    nothing = {"images": 9, "shift": 0, "crop": 0, "brightness": 0, "watermark": 0}
    harmless = override(section, {"behaviour": {**section.behaviour.model_dump(), **nothing}})
    names = [row.image for row in catalogue.rows()]
    kept = answers_kept(Runtime(tiny_bundle), catalogue.root, names, harmless)
    still = {one.change: one for one in kept if one.change not in ("flip", "jpeg", "background")}
    assert len(still) == 5
    for one in still.values():
        assert one.images == 9
        assert one.shares == {"style": 1, "category": 1}


def test_a_missing_image_is_named(
    tmp_path: Path, lightmeter: Lightmeter, section: EvaluateParams
) -> None:
    with pytest.raises(ImageError, match=r"images/gone\.jpg: the file is missing"):
        answers_kept(lightmeter, tmp_path, ["images/gone.jpg"], section)
