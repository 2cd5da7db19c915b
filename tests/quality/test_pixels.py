import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter
from scipy.stats import entropy

from vitrine.quality.descriptors import GREY_SIDE
from vitrine.quality.pixels import SIDE, Frames, Measures, measure_frames


def _scene(seed: int) -> Image.Image:
    """A product on a light ground, with sharp edges, as a frame."""
    generator = np.random.default_rng(seed)
    image = Image.new("RGB", (SIDE, SIDE), (240, 240, 240))
    draw = ImageDraw.Draw(image)
    for _ in range(6):
        left, top = (int(value) for value in generator.integers(12, 34, 2))
        color = tuple(int(value) for value in generator.integers(20, 220, 3))
        draw.rectangle((left, top, left + 9, top + 17), fill=color)
    return image


def _measured(*images: Image.Image | NDArray[np.uint8]) -> Measures:
    return measure_frames(np.stack([np.asarray(image) for image in images]))


def _random(count: int = 6) -> Frames:
    """Frames of every kind: dark and bright, with few levels and with many."""
    generator = np.random.default_rng(0)
    low, span = generator.integers(0, 128, (2, count, 1, 1, 3))
    levels = generator.integers(0, span + 1, (count, SIDE, SIDE, 3))
    return (low + levels).astype(np.uint8)


def _greys(frames: Frames) -> NDArray[np.float64]:
    return frames @ np.array([0.299, 0.587, 0.114])


def test_brightness_and_contrast_are_mean_and_deviation_of_the_luma() -> None:
    frames = _random()
    found, grey = measure_frames(frames), _greys(frames)
    assert found.brightness == pytest.approx(grey.mean(axis=(1, 2)), abs=1e-2)
    assert found.contrast == pytest.approx(grey.std(axis=(1, 2)), abs=1e-2)


def test_darkest_and_brightest_are_percentiles() -> None:
    frames = _random()
    found, levels = measure_frames(frames), np.floor(_greys(frames) + 0.5).reshape(6, -1)
    for percent, values in ((1, found.darkest), (99, found.brightest)):
        expected = np.percentile(levels, percent, axis=1, method="inverted_cdf")
        assert values.tolist() == expected.tolist()


def test_a_small_spot_does_not_hide_that_an_image_is_dark_or_bright() -> None:
    frames = np.stack([np.full((SIDE, SIDE, 3), level, np.uint8) for level in (10, 245)])
    frames[0, :6, :6], frames[1, :6, :6] = 255, 0  # 36 of 4096 pixels, less than 1 %
    assert measure_frames(frames).brightest.tolist() == [10, 245]
    assert measure_frames(frames).darkest.tolist() == [10, 245]


def test_the_entropy_is_that_of_the_grey_levels() -> None:
    frames = _random()
    expected = [
        entropy(np.unique(np.floor(grey + 0.5), return_counts=True)[1], base=2)
        for grey in _greys(frames)
    ]
    assert measure_frames(frames).entropy == pytest.approx(expected, abs=1e-3)


def test_the_colourfulness_is_the_metric_of_hasler_and_suesstrunk() -> None:
    frames = _random()
    red, green, blue = np.moveaxis(frames.astype(float), -1, 0)
    opponents = [(plane - other) for plane, other in ((red, green), ((red + green) / 2, blue))]
    means = [plane.mean(axis=(1, 2)) for plane in opponents]
    spreads = [plane.std(axis=(1, 2)) for plane in opponents]
    expected = np.sqrt(spreads[0] ** 2 + spreads[1] ** 2) + 0.3 * np.sqrt(
        means[0] ** 2 + means[1] ** 2
    )
    assert measure_frames(frames).colourfulness == pytest.approx(expected, abs=1e-2)


def test_grey_images_have_no_colour_and_garish_ones_much() -> None:
    grey = np.asarray(_scene(1).convert("L").convert("RGB"))
    garish = np.zeros((SIDE, SIDE, 3), np.uint8)
    garish[:, : SIDE // 2, 0], garish[:, SIDE // 2 :, 2] = 255, 255
    found = _measured(grey, garish).colourfulness
    assert found[0] == pytest.approx(0, abs=1e-3)
    assert found[1] > 100


@pytest.mark.parametrize("color", [(255, 255, 255), (0, 0, 0), (30, 160, 90)])
def test_the_background_is_what_has_the_colour_of_the_border(color: tuple[int, int, int]) -> None:
    frame = np.full((SIDE, SIDE, 3), color, np.uint8)
    frame[10:26, 20:52] = 128, 40, 200
    frame[0, :20] = 128, 40, 200  # some of the border is something else
    frame[30] = [min(255, level + 9) for level in color]  # about the same colour
    plain = SIDE * SIDE - 16 * 32 - 20
    assert _measured(frame).background.tolist() == [np.float32(plain / SIDE**2)]


def test_one_channel_that_differs_is_enough_to_be_no_background() -> None:
    frame = np.full((SIDE, SIDE, 3), 200, np.uint8)
    frame[8:40, 8:40, 2] = 150
    assert _measured(frame).background.tolist() == [0.75]


def test_the_more_blurred_the_less_sharp() -> None:
    for seed in range(5):
        blurred = [_scene(seed).filter(ImageFilter.GaussianBlur(r)) for r in (0, 0.7, 1.5, 3, 6)]
        sharpness = _measured(*blurred).sharpness
        assert (np.diff(sharpness) < 0).all()
        assert sharpness[-1] < 0.35 * sharpness[0]


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_sharpness_is_not_a_matter_of_contrast(share: float) -> None:
    scenes = [_scene(seed) for seed in range(5)]
    faded = [scene.point(lambda level: int(40 + share * level)) for scene in scenes]
    sharpness = _measured(*scenes).sharpness
    assert _measured(*faded).sharpness == pytest.approx(sharpness, rel=0.1)


def test_sharpness_is_hardly_a_matter_of_the_products_size() -> None:
    sizes = (56, 42, 30)
    frames = [Image.new("RGB", (SIDE, SIDE), "white") for _ in sizes]
    for frame, size in zip(frames, sizes, strict=True):
        frame.paste((60, 30, 90), (3, 3, 3 + size, 3 + size))
    blurred = [frame.filter(ImageFilter.GaussianBlur(2)) for frame in frames]
    sharpness = _measured(*frames).sharpness
    assert sharpness == pytest.approx(sharpness.mean(), rel=0.25)
    assert sharpness.min() > 4 * _measured(*blurred).sharpness.max()


def test_faint_noise_is_not_sharp() -> None:
    noise = 128 + np.random.default_rng(0).integers(-1, 2, (SIDE, SIDE, 1)).repeat(3, axis=2)
    assert _measured(noise.astype(np.uint8)).sharpness < 0.8


@pytest.mark.parametrize("level", [0, 77, 255])
def test_a_flat_image_has_nothing_but_its_brightness(level: int) -> None:
    (found,) = _measured(np.full((SIDE, SIDE, 3), level, np.uint8)).rows()
    assert found.pop("brightness") == pytest.approx(level, abs=1e-3)
    assert (found.pop("darkest"), found.pop("brightest")) == (level, level)
    assert found.pop("background") == 1
    assert len(set(found.pop("descriptor")[: GREY_SIDE**2])) == 1
    assert found == pytest.approx(dict.fromkeys(found, 0), abs=1e-3)


def test_every_number_is_in_its_range() -> None:
    checks = np.indices((SIDE, SIDE)).sum(axis=0)[..., None].repeat(3, axis=2) % 2 * 255
    half = np.zeros((SIDE, SIDE, 3), np.uint8)
    half[:, : SIDE // 2] = 255
    found = _measured(*_random(), checks.astype(np.uint8), half, *(_scene(i) for i in range(4)))
    highest = {
        "brightness": 255,
        "darkest": 255,
        "brightest": 255,
        "contrast": 127.5,
        "sharpness": 4.01,
        "entropy": 8,
        "colourfulness": 200,
        "background": 1,
        "repetition": 1,
    }
    for name, limit in highest.items():
        values = getattr(found, name)
        assert values.dtype == np.float32
        assert 0 <= values.min() <= values.max() <= limit + 1e-3, name
    assert found.sharpness[6] == pytest.approx(4)
    assert found.contrast[7] == pytest.approx(127.5, abs=0.01)


def test_an_image_has_the_same_numbers_alone_and_among_others() -> None:
    frames = np.concatenate([_random(), np.stack([np.asarray(_scene(i)) for i in range(6)])])
    together = list(measure_frames(frames).rows())
    for frame, row in zip(frames, together, strict=True):
        (alone,) = measure_frames(frame[None]).rows()
        levels = [np.frombuffer(one.pop("descriptor"), np.uint8) for one in (alone, row)]
        assert np.abs(np.subtract(*levels, dtype=int)).max() <= 1
        hashes = {name: alone.pop(name) for name in ("phash", "mirror_hash")}
        assert hashes == {name: row.pop(name) for name in hashes}
        assert alone == pytest.approx(row, rel=1e-4, abs=1e-4)
