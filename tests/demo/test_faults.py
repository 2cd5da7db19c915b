"""Planted faults: so many of each, each really what it is called, and nothing else is changed."""

import io
import os
import random
import shutil
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vitrine import imaging
from vitrine.core.digests import folder_digest
from vitrine.core.errors import DataError, ImageError
from vitrine.core.manifest import Catalogue, ManifestWriter, Row, read_manifest
from vitrine.core.params import Params
from vitrine.core.taxonomy import Label, Taxonomy
from vitrine.demo import draw_catalogue
from vitrine.demo.faults import FAULTS, MAY_ALSO, Planted, describe, plant_faults
from vitrine.demo.faults.pool import ordinary_images
from vitrine.demo.faults.watermark import watermarked

EACH = 3
CHANGED_ROWS = {
    "unknown_label",
    "forbidden_pair",
    "conflicting_product",
    "leaked_product",
    "leaked_duplicate",
    "leaked_near_duplicate",
}
TWO_IMAGES = {
    "relabelled_duplicate",
    "conflicting_product",
    "leaked_product",
    "leaked_duplicate",
    "leaked_near_duplicate",
}
COPIES = (
    "exact_duplicate",
    "relabelled_duplicate",
    "reencoded",
    "resized",
    "flipped",
    "cropped",
    "leaked_duplicate",
    "leaked_near_duplicate",
)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue without faults; for copying only."""
    root = tmp_path_factory.mktemp("drawn") / "data"
    draw_catalogue(root, images=180, size=48, seed=3)
    return root


@pytest.fixture
def root(drawn: Path, tmp_path: Path) -> Path:
    """The catalogue's own copy of a test."""
    return Path(shutil.copytree(drawn, tmp_path / "data"))


@dataclass(frozen=True)
class Ground:
    """A catalogue before and after the planting, and what was planted."""

    before: Path
    after: Path
    planted: list[Planted]

    def images(self, fault: str) -> list[str]:
        return list(dict.fromkeys(one.image for one in self.planted if one.fault == fault))

    def pixels(self, image: str, root: Path | None = None) -> np.ndarray:
        with Image.open((root or self.after) / image) as picture:
            return np.asarray(picture.convert("RGB"), np.float32)

    def row(self, image: str) -> Row:
        return rows(self.after)[image]


@pytest.fixture(scope="module")
def ground(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    after = Path(shutil.copytree(drawn, tmp_path_factory.mktemp("planted") / "data"))
    return Ground(drawn, after, plant_faults(after, EACH, seed=5))


def rows(root: Path) -> dict[str, Row]:
    return {row.image: row for row in read_manifest(root / "manifest.csv")}


def digest(root: Path) -> str:
    return folder_digest(root, [str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()])


def refused(path: Path, params: Params) -> str:
    """Return why an image cannot be used."""
    with pytest.raises(ImageError) as caught:
        imaging.decode(imaging.read(path, params.image), params.image, path.name)
    return caught.value.reason


def laplacian(pixels: np.ndarray) -> float:
    grey = pixels.mean(axis=2)
    return float((4 * grey[1:-1, 1:-1] - grey[:-2, 1:-1] - grey[2:, 1:-1]
                  - grey[1:-1, :-2] - grey[1:-1, 2:]).var())  # fmt: skip


def test_there_are_so_many_of_each_in_images_of_their_own(ground: Ground) -> None:
    concerned = {fault: set(ground.images(fault)) for fault in FAULTS}

    for fault, images in concerned.items():
        assert len(images) == EACH * (2 if fault in TWO_IMAGES else 1), fault
    assert len(set().union(*concerned.values())) == sum(map(len, concerned.values()))
    assert len(set(ground.planted)) == len(ground.planted)
    assert all(one.note for one in ground.planted)
    assert set(MAY_ALSO) <= set(FAULTS)


def test_a_copy_made_across_splits_is_a_duplicate_as_well(ground: Ground) -> None:
    checks = defaultdict(Counter)
    for one in ground.planted:
        checks[one.fault][one.check] += 1

    assert checks["leaked_duplicate"] == {"leaked_duplicates": 2 * EACH, "exact_duplicates": EACH}
    assert checks["leaked_near_duplicate"] == {
        "leaked_near_duplicates": 2 * EACH,
        "near_duplicates": EACH,
    }
    assert checks["dark"] == {"too_dark": EACH}


def test_nothing_else_is_changed(ground: Ground) -> None:
    old, new = rows(ground.before), rows(ground.after)
    images = {one.image for one in ground.planted}
    relabelled = {image for fault in CHANGED_ROWS for image in ground.images(fault)}

    assert list(new)[: len(old)] == list(old)
    assert set(new) - set(old) <= images
    for image, row in old.items():
        if image not in relabelled:
            assert new[image] == row
        if image not in images:
            assert (ground.after / image).read_bytes() == (ground.before / image).read_bytes()
    files = {str(p.relative_to(ground.after)) for p in (ground.after / "images").iterdir()}
    assert files == set(new) - set(ground.images("missing")) | set(ground.images("orphan"))
    labels = Catalogue(ground.after).taxonomy().model_dump(exclude={"forbidden", "categories"})
    assert labels == Catalogue(ground.before).taxonomy().model_dump(
        exclude={"forbidden", "categories"}
    )


def test_the_seed_alone_decides(root: Path, drawn: Path, tmp_path: Path) -> None:
    again = Path(shutil.copytree(drawn, tmp_path / "again" / "data"))
    other = Path(shutil.copytree(drawn, tmp_path / "other" / "data"))
    first, second = plant_faults(root, 1, seed=9), plant_faults(again, 1, seed=9)
    third = plant_faults(other, 1, seed=10)

    assert first == second != third
    assert digest(root) == digest(again) != digest(other)


def test_only_the_faults_asked_for_are_planted(root: Path) -> None:
    planted = plant_faults(root, 2, seed=1, only=["dark", "empty"])

    assert [one.fault for one in planted] == ["empty", "empty", "dark", "dark"]


def test_broken_files_are_refused(ground: Ground, params: Params) -> None:
    words = {"truncated": "truncated", "not_an_image": "web page", "empty": "empty"}
    for fault, word in words.items():
        for image in ground.images(fault):
            assert word in refused(ground.after / image, params)
    for image in ground.images("truncated"):
        kept = (ground.after / image).stat().st_size / (ground.before / image).stat().st_size
        assert 0.45 < kept <= 0.8
    assert len({(ground.after / i).read_bytes() for i in ground.images("not_an_image")}) == EACH
    for image in ground.images("missing"):
        assert image in rows(ground.after)
        assert not (ground.after / image).exists()


def test_a_link_leads_to_the_image_outside(ground: Ground) -> None:
    for image in ground.images("link_outside"):
        path = ground.after / image
        assert path.is_symlink()
        assert not path.resolve().is_relative_to(ground.after.resolve())
        assert not path.readlink().is_absolute()
        assert path.read_bytes() == (ground.before / image).read_bytes()


def test_names_and_files_disagree(ground: Ground, params: Params) -> None:
    listed = set(rows(ground.after))
    for image in ground.images("wrong_extension"):
        data = (ground.after / image).read_bytes()
        assert image.endswith(".jpg")
        assert imaging.probe(data, params.image, image).format in {"PNG", "WEBP"}
    for image in ground.images("orphan"):
        assert image not in listed
        assert (ground.after / image).is_file()


@pytest.mark.parametrize(
    ("fault", "holds"),
    [
        ("tiny", lambda new, old: min(new.shape[:2]) == 12),
        ("dark", lambda new, old: new.mean() < 0.25 * old.mean() and new.mean() < 40),
        ("bright", lambda new, old: new.min() > 200 and new.mean() > 235),
        ("blurred", lambda new, old: laplacian(new) < 0.1 * laplacian(old)),
        ("flat", lambda new, old: new.std(axis=(0, 1)).max() < 4 and 50 < new.mean() < 210),
        ("thin", lambda new, old: max(new.shape[:2]) == 8 * min(new.shape[:2])),
        ("huge", lambda new, old: new.shape[:2] == tuple(6 * side for side in old.shape[:2])),
        ("grey", lambda new, old: np.ptp(new, axis=2).max() == 0 < np.ptp(old, axis=2).mean()),
        ("watermarked", lambda new, old: 1 < np.abs(new - old).mean() < 30),
    ],
)
def test_odd_pictures_are_odd(ground: Ground, fault: str, holds) -> None:
    for image in ground.images(fault):
        assert holds(ground.pixels(image), ground.pixels(image, ground.before)), image
        assert ground.row(image) == rows(ground.before)[image]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("level", "ink"), [(200, 40), (80, 255)])
def test_a_watermark_is_faint_and_repeats_at_least_four_times_each_way(
    seed: int, level: int, ink: int
) -> None:
    plain = Image.new("RGB", (240, 240), (level, level, level))
    pixels = np.asarray(watermarked(plain, random.Random(seed)), np.float32)[..., 0]
    mark = (pixels - level) / (ink - level)

    assert 0.14 < mark.max() < 0.36
    assert mark.min() >= 0
    changes = [
        max(np.abs(np.roll(mark, 240 // times, axis) - mark).mean() for axis in (0, 1))
        for times in (4, 5)
    ]
    assert min(changes) < 0.05 * mark.mean()


def originals(ground: Ground, fault: str) -> list[tuple[str, str]]:
    """Return (original, copy) of the planted copies, without believing their names."""
    old = rows(ground.before)
    titles = defaultdict(list)
    for row in old.values():
        titles[row.title].append(row.image)
    return [
        (min(titles[ground.row(copy).title], key=lambda image: apart(ground, image, copy)), copy)
        for copy in ground.images(fault)
        if copy not in old
    ]


def apart(ground: Ground, original: str, copy: str) -> float:
    """Return how much two images differ, mirrored or not."""
    small = []
    for root, image in ((ground.before, original), (ground.after, copy)):
        with Image.open(root / image) as picture:
            small.append(np.asarray(picture.convert("RGB").resize((24, 24)), np.float32))
    return float(min(np.abs(small[0] - one).mean() for one in (small[1], small[1][:, ::-1])))


@pytest.mark.parametrize("fault", COPIES)
def test_a_copy_has_the_labels_of_its_original_and_a_product_of_its_own(
    ground: Ground, fault: str
) -> None:
    products = Counter(row.product for row in rows(ground.after).values())
    pairs = originals(ground, fault)

    assert len(pairs) == EACH
    for original, copy in pairs:
        source, new = rows(ground.before)[original], ground.row(copy)
        same_labels = (source.style, source.category) == (new.style, new.category)
        assert same_labels == (fault != "relabelled_duplicate")
        assert products[new.product] == 1
        assert (ground.after / original).read_bytes() == (ground.before / original).read_bytes()


@pytest.mark.parametrize("fault", ["exact_duplicate", "relabelled_duplicate", "leaked_duplicate"])
def test_exact_copies_have_the_same_bytes(ground: Ground, fault: str) -> None:
    for original, copy in originals(ground, fault):
        assert (ground.after / copy).read_bytes() == (ground.after / original).read_bytes()


@pytest.mark.parametrize("fault", ["reencoded", "resized", "flipped", "cropped"])
def test_near_copies_are_near_but_not_the_same(ground: Ground, fault: str) -> None:
    for original, copy in originals(ground, fault):
        old, new = ground.pixels(original), ground.pixels(copy)
        assert (ground.after / copy).read_bytes() != (ground.after / original).read_bytes()
        ratio = new.shape[0] / old.shape[0]
        if fault == "resized":
            assert 0.49 <= ratio <= 0.81 or ratio == pytest.approx(1.3, abs=0.02)
        elif fault == "cropped":
            lost = np.subtract(old.shape[:2], new.shape[:2])
            assert (lost >= 2).all()
            assert (lost <= 2 + 0.08 * np.array(old.shape[:2])).all()
        else:
            assert new.shape == old.shape
            if fault == "flipped":
                new = new[:, ::-1]
            assert np.abs(new - old).mean() < 8


def test_labels_are_wrong_as_said(ground: Ground) -> None:
    taxonomy = Catalogue(ground.after).taxonomy()
    for image in ground.images("unknown_label"):
        assert not taxonomy.knows("category", ground.row(image).category)
    pairs = {(row.style, row.category): 0 for row in rows(ground.after).values()}
    for row in rows(ground.after).values():
        pairs[row.style, row.category] += 1
    (forbidden,) = taxonomy.forbidden
    assert pairs[forbidden] == EACH
    for image in ground.images("forbidden_pair"):
        assert (ground.row(image).style, ground.row(image).category) == forbidden


def test_products_contradict_and_leak_as_said(ground: Ground) -> None:
    views = defaultdict(list)
    for row in rows(ground.after).values():
        views[row.product].append(row)
    conflicting = {p for p, many in views.items() if len({r.category for r in many} - {""}) > 1}
    leaked = {p for p, many in views.items() if len({r.split for r in many}) > 1}

    for fault, products in (("conflicting_product", conflicting), ("leaked_product", leaked)):
        images = ground.images(fault)
        assert {ground.row(image).product for image in images} == products
        assert sorted(r.image for p in products for r in views[p]) == sorted(images)
    for fault in ("leaked_product", "leaked_duplicate", "leaked_near_duplicate"):
        splits = Counter(ground.row(image).split for image in ground.images(fault))
        assert splits == {"train": EACH, "test": EACH}
    others = set(rows(ground.after)) - {one.image for one in ground.planted}
    assert {ground.row(image).split for image in others} == {""}


def test_a_pair_without_a_row_is_forbidden_before_a_category_is_added(root: Path) -> None:
    keep = [r for r in rows(root).values() if (r.style, r.category) != ("vintage", "home")]
    rewrite(root, keep)
    plant_faults(root, 1, seed=1, only=["forbidden_pair"])

    taxonomy = Catalogue(root).taxonomy()
    assert taxonomy.forbidden == (("vintage", "home"),)
    assert taxonomy.names("category") == ("clothing", "electronics", "home")


def test_a_category_is_added_where_every_pair_has_a_row(root: Path) -> None:
    plant_faults(root, 2, seed=1, only=["forbidden_pair"])

    taxonomy = Catalogue(root).taxonomy()
    assert taxonomy.names("category") == ("clothing", "electronics", "home", "unseen")
    assert [category for _, category in taxonomy.forbidden] == ["unseen"]


def test_a_catalogue_without_styles_has_no_forbidden_pair(root: Path) -> None:
    rewrite(root, [replace(row, style="") for row in rows(root).values()])
    categories = Catalogue(root).taxonomy().categories
    Taxonomy(styles=(), categories=categories).save(root / "taxonomy.yaml")
    planted = plant_faults(root, 1, seed=1)

    assert {one.fault for one in planted} == set(FAULTS) - {"forbidden_pair"}
    assert Catalogue(root).taxonomy().categories == categories


@pytest.mark.parametrize(("suffix", "kind"), [(".png", "PNG"), (".WEBP", "WEBP")])
def test_other_formats_are_planted_into_as_well(
    root: Path, params: Params, suffix: str, kind: str
) -> None:
    renamed = []
    for row in rows(root).values():
        path = root / row.image
        with Image.open(path) as picture:
            picture.save(path.with_suffix(suffix), kind)
        path.unlink()
        renamed.append(replace(row, image=str(Path(row.image).with_suffix(suffix))))
    rewrite(root, renamed)
    planted = plant_faults(root, 1, seed=1, only=["truncated", "wrong_extension", "dark", "grey"])

    for one in planted:
        data = (root / one.image).read_bytes()
        if one.fault == "truncated":
            refused(root / one.image, params)
        else:
            found = imaging.probe(data, params.image, one.image).format
            assert (found == kind) == (one.fault != "wrong_extension")


def test_odd_images_are_left_alone(root: Path) -> None:
    images = list(rows(root))
    with Image.open(root / images[0]) as opened:
        picture = opened.convert("RGB")
    odd = {
        images[0]: picture.point(lambda level: level // 12),
        images[1]: picture.convert("L"),
        images[2]: picture.resize((20, 20)),
        images[3]: picture.resize((400, 100)),
        images[4]: Image.new("RGB", picture.size, (90, 120, 160)),
        images[5]: picture.resize((500, 600)),
    }
    for image, made in odd.items():
        made.save(root / image, quality=90)
    (root / images[6]).write_bytes(b"no image")
    shutil.copy(root / images[7], root / images[8])
    (root / images[9]).write_bytes(png(picture))
    (root / images[10]).unlink()
    (root / images[11]).unlink()
    (root / images[11]).symlink_to(root / images[12])
    ordinary = {victim.row.image for victim in ordinary_images(Catalogue(root))}

    assert not ordinary & set(images[:12])
    assert len(ordinary) > 0.6 * len(images)


def png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def test_files_that_share_their_bytes_elsewhere_are_replaced_not_written_into(
    root: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    for image in rows(root):
        os.link(root / image, cache / Path(image).name)
    before = digest(cache)
    plant_faults(root, 1, seed=1)

    assert digest(cache) == before


@pytest.mark.parametrize(
    ("each", "only", "words"),
    [
        (0, None, "must be at least 1, but got 0"),
        (50, None, r"has \d+ ordinary images.*but 50 of each fault need 1500.*plant fewer"),
        (1, ["darkness"], "fault 'darkness' is not known; choose from truncated"),
    ],
)
def test_what_cannot_be_planted_is_refused(
    root: Path, each: int, only: list[str] | None, words: str
) -> None:
    before = digest(root)

    with pytest.raises(DataError, match=words):
        plant_faults(root, each, seed=1, only=only)
    assert digest(root) == before


def test_planting_a_second_time_is_refused(root: Path) -> None:
    plant_faults(root, 1, seed=1, only=["flipped"])
    before = digest(root)

    with pytest.raises(DataError, match=r"flipped-0001.jpg is there already.*a fresh copy"):
        plant_faults(root, 1, seed=2, only=["flipped"])
    assert digest(root) == before


def test_relabelling_needs_a_second_category(root: Path) -> None:
    rewrite(root, [replace(row, category="home") for row in rows(root).values()])
    styles = Catalogue(root).taxonomy().styles
    Taxonomy(styles=styles, categories=(Label(name="home"),)).save(root / "taxonomy.yaml")

    with pytest.raises(DataError, match="another category than 'home'"):
        plant_faults(root, 1, seed=1, only=["relabelled_duplicate"])


def test_labelled_images_may_run_out(root: Path) -> None:
    rewrite(root, [replace(row, category="") for row in rows(root).values()])

    with pytest.raises(DataError, match="too few of the .* ordinary images suit"):
        plant_faults(root, 1, seed=1, only=["unknown_label"])


def test_the_table_names_fault_check_number_and_image(ground: Ground) -> None:
    lines = [line.split() for line in describe(ground.planted).splitlines()]

    assert ["dark", "too_dark", "3", ground.images("dark")[0]] in lines
    assert len(lines) == 1 + len(FAULTS) + 2


def rewrite(root: Path, new: list[Row]) -> None:
    with ManifestWriter(root / "manifest.csv") as manifest:
        for row in new:
            manifest.write(row)
