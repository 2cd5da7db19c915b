from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageOps

from vitrine.quality.candidates import candidates, part_hashes
from vitrine.quality.descriptors import DESCRIPTOR_BYTES, descriptors, mirror
from vitrine.quality.hashing import perceptual_hashes
from vitrine.quality.likeness import similarities
from vitrine.quality.near_duplicates import Edges, find_near_duplicates
from vitrine.quality.pixels import to_grey

DISTANCE = 4
SIMILARITY = 0.87
SCENES = 12


def _scene(seed: int, *, hue: int = 0) -> Image.Image:
    generator = np.random.default_rng(seed)
    image = Image.new("RGB", (180, 240), "white")
    draw = ImageDraw.Draw(image)
    for _ in range(12):
        left, top = (int(value) for value in generator.integers(20, 120, 2))
        size = int(generator.integers(20, 60))
        color = [int(value) for value in generator.integers(0, 255, 3)]
        draw.ellipse((left, top, left + size, top + size), fill=tuple(np.roll(color, hue)))
    return image


def _saved(image: Image.Image, quality: int = 60) -> Image.Image:
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer)


def _colours(images: list[Image.Image]) -> NDArray[np.float32]:
    frames = [np.asarray(image.resize((64, 64), Image.Resampling.BILINEAR)) for image in images]
    return np.stack(frames).transpose(0, 3, 1, 2).astype(np.float32)


def _find(images: list[Image.Image]) -> Edges:
    colours = _colours(images)
    hashes = perceptual_hashes(to_grey(colours))
    return find_near_duplicates(*hashes, descriptors(colours), DISTANCE, SIMILARITY)


def _pairs(edges: Edges) -> set[tuple[int, int]]:
    return set(zip(edges.first.tolist(), edges.second.tolist(), strict=True))


@pytest.mark.parametrize(
    "change",
    [
        _saved,
        lambda image: image.resize((95, 127)),
        lambda image: _saved(ImageOps.mirror(image)),
        lambda image: _saved(image.crop((3, 2, 177, 238))),
        lambda image: image.point(lambda level: level * 0.93),
    ],
    ids=["re-encoded", "resized", "mirrored", "cropped", "darker"],
)
def test_a_changed_copy_is_found_and_nothing_else(
    change: Callable[[Image.Image], Image.Image],
) -> None:
    scenes = [_scene(seed) for seed in range(SCENES)]
    found = _pairs(_find([*scenes, *map(change, scenes)]))
    assert found == {(place, place + SCENES) for place in range(SCENES)}


def test_the_same_shapes_in_other_colours_are_another_picture() -> None:
    images = [_scene(seed, hue=hue) for seed in range(SCENES) for hue in (0, 1, 2)]
    assert not len(_find(images).first)


def test_a_print_that_only_one_has_makes_another_picture() -> None:
    plain = Image.new("RGB", (180, 240), "white")
    ImageDraw.Draw(plain).rectangle((40, 50, 140, 200), fill=(40, 60, 110))
    printed = plain.copy()
    ImageDraw.Draw(printed).ellipse((75, 90, 110, 125), fill=(230, 220, 60))
    assert not len(_find([plain, printed]).first)
    assert _pairs(_find([plain, printed, _saved(printed)])) == {(1, 2)}


def test_every_pair_within_the_distance_is_proposed() -> None:
    generator = np.random.default_rng(1)
    base = generator.integers(0, 2**64, 150, np.uint64)
    hashes = np.concatenate([base, base, base, base[:20]])
    for place in range(150, len(hashes)):
        for bit in generator.choice(64, generator.integers(0, 6), replace=False).tolist():
            hashes[place] ^= np.uint64(1 << bit)
    flipped = generator.permutation(hashes)
    blank = np.zeros((len(hashes), DESCRIPTOR_BYTES), np.uint8)
    every: NDArray[np.int64] = np.arange(len(hashes))
    for distance in (0, 1, 3, 5):
        whole, mirror_image = set(), set()
        for pairs in candidates(hashes, flipped, blank, every, distance):
            found = mirror_image if pairs.mirrored else whole
            found |= set(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
        near = np.bitwise_count(hashes[:, None] ^ hashes) <= distance
        assert whole == _places(np.triu(near, 1))
        near = np.bitwise_count(flipped[:, None] ^ hashes) <= distance
        assert mirror_image == _places(near & ~np.eye(len(hashes), dtype=bool))


def _places(chosen: NDArray[np.bool_]) -> set[tuple[int, int]]:
    return {(row, column) for row, column in np.argwhere(chosen).tolist()}


def test_one_of_the_parts_has_nearly_the_hash_of_a_crop() -> None:
    scenes = [_scene(seed) for seed in range(SCENES)]
    parts = part_hashes(descriptors(_colours(scenes)))
    cropped, _ = perceptual_hashes(
        to_grey(_colours([image.crop((5, 2, 175, 233)) for image in scenes]))
    )
    whole, _ = perceptual_hashes(to_grey(_colours(scenes)))
    nearest = np.bitwise_count(parts ^ cropped).min(axis=0)
    assert nearest.max() <= 6
    assert nearest.mean() < np.bitwise_count(whole ^ cropped).mean() / 2


def test_edges_lead_from_the_lowest_place_of_a_group_to_each_other_one() -> None:
    scenes = [_scene(seed) for seed in range(4)]
    copies = [_saved(scenes[1], quality) for quality in (50, 60, 70, 80, 90)]
    edges = _find([scenes[0], *copies, scenes[1], *scenes[2:], scenes[0]])
    assert _pairs(edges) == {(0, 9), (1, 2), (1, 3), (1, 4), (1, 5), (1, 6)}
    assert edges.second.tolist() == sorted(edges.second.tolist())


class _Counted:
    """Descriptors that count how many of them were asked for."""

    def __init__(self, rows: NDArray[np.uint8]) -> None:
        self._rows = rows
        self.asked = 0

    def __getitem__(self, places: NDArray[np.int64], /) -> NDArray[np.uint8]:
        self.asked += len(places)
        return self._rows[places]


def test_thousands_of_flat_images_are_not_compared_each_with_each() -> None:
    count = 4000
    generator = np.random.default_rng(0)
    colours = np.empty((count, 3, 64, 64), np.float32)
    colours[:] = generator.integers(0, 256, (count, 3, 1, 1))
    colours[::2] = np.array([200, 30, 30], np.float32)[:, None, None]
    rows = _Counted(descriptors(colours))
    hashes = perceptual_hashes(to_grey(colours))
    assert not hashes[0].any()
    edges = find_near_duplicates(*hashes, rows, DISTANCE, SIMILARITY)
    red = set(range(2, count, 2))
    assert red <= set(edges.second[edges.first == 0].tolist())
    assert rows.asked < 40 * count


@pytest.mark.parametrize("count", [0, 1])
def test_few_images_have_no_near_duplicates(count: int) -> None:
    hashes = np.zeros(count, np.uint64)
    rows = np.zeros((count, DESCRIPTOR_BYTES), np.uint8)
    edges = find_near_duplicates(hashes, hashes, rows, DISTANCE, SIMILARITY)
    assert edges.first.dtype == edges.second.dtype == np.int64
    assert not len(edges.first)


def test_descriptors_may_lie_in_a_file(tmp_path: Path) -> None:
    colours = _colours([_scene(0), _scene(1), _saved(_scene(0))])
    described = descriptors(colours)
    described.tofile(tmp_path / "rows")
    rows = np.memmap(tmp_path / "rows", np.uint8, "r", shape=described.shape)
    hashes = perceptual_hashes(to_grey(colours))
    edges = find_near_duplicates(*hashes, rows, DISTANCE, SIMILARITY)
    assert _pairs(edges) == {(0, 2)}


def test_a_mirrored_descriptor_is_that_of_the_mirrored_image() -> None:
    scenes = [_scene(seed) for seed in range(3)]
    flipped = descriptors(_colours([ImageOps.mirror(image) for image in scenes]))
    given = mirror(descriptors(_colours(scenes)))
    assert np.abs(given.astype(int) - flipped).max() <= 1


def test_similarity_is_1_for_the_same_and_falls_with_change() -> None:
    scenes = [_scene(seed) for seed in range(4)]
    own = descriptors(_colours(scenes))
    saved = descriptors(_colours([_saved(image, 30) for image in scenes]))
    assert similarities(own, own, 0) == pytest.approx(1)
    alike = similarities(own, saved, 0)
    assert ((alike > SIMILARITY) & (alike < 1)).all()
    assert (similarities(own, own[::-1], 0) < 0.5).all()
