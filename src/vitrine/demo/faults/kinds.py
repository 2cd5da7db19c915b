"""The faults by name: how each is planted, and which check must find it."""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from PIL import Image

from vitrine import imaging
from vitrine.core.errors import ImageError
from vitrine.core.manifest import Row
from vitrine.demo.faults import pictures
from vitrine.demo.faults.planting import Planting, encode
from vitrine.demo.faults.pool import LIMITS
from vitrine.demo.faults.watermark import watermarked

Found = tuple[str, str, str]
"""(check, image, note)"""

Effect = Callable[[Image.Image, random.Random], Image.Image]
Plant = Callable[[Planting, random.Random, str], Iterator[Found]]
"""Plants one fault, under a name that no other one has."""


def _web_page(data: bytes, rng: random.Random) -> bytes:  # noqa: ARG001
    """Return what a shop's server answers where an image is gone; another one each time."""
    page = "<!doctype html>\n<title>404 Not Found</title>\n<p>Request {:08x} found nothing.</p>\n"
    return page.format(rng.getrandbits(32)).encode()


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of fault.

    Attributes:
        plant: Plants one.
        victims: How many ordinary images one takes.
    """

    plant: Plant
    victims: int = 1


def _suffix(row: Row) -> str:
    return PurePosixPath(row.image).suffix


def _spoilt(check: str, note: str, spoil: Callable[[bytes, random.Random], bytes]) -> Fault:
    """The file of an image gets other bytes."""

    def plant(planting: Planting, rng: random.Random, name: str) -> Iterator[Found]:  # noqa: ARG001
        row = planting.pool.take()
        planting.overwrite(row, spoil(planting.data(row), rng))
        yield check, row.image, note

    return Fault(plant)


def _cut(data: bytes, rng: random.Random) -> bytes:
    """Return 50 to 80 % of a file; less where what a decoder needs lies further in front."""
    keep = int(rng.uniform(0.5, 0.8) * len(data))
    while _decodes(data[:keep]):
        keep = keep * 3 // 4
    return data[:keep]


def _decodes(data: bytes) -> bool:
    try:
        imaging.decode(data, LIMITS, "")
    except ImageError:
        return False
    return True


def _missing(planting: Planting, rng: random.Random, name: str) -> Iterator[Found]:  # noqa: ARG001
    row = planting.pool.take()
    planting.remove(row)
    yield "missing_files", row.image, "deleted"


def _misnamed(planting: Planting, rng: random.Random, name: str) -> Iterator[Found]:  # noqa: ARG001
    row = planting.pool.take()
    own = _suffix(row).lower().replace("jpeg", "jpg")
    suffix = rng.choice([other for other in (".jpg", ".png", ".webp") if other != own])
    planting.overwrite(row, encode(planting.picture(row), suffix))
    yield "wrong_extension", row.image, f"a {suffix} file under this name"


def _orphan(planting: Planting, rng: random.Random, name: str) -> Iterator[Found]:  # noqa: ARG001
    row = planting.pool.take()
    image = planting.add_orphan(name + _suffix(row), planting.data(row))
    yield "orphan_files", image, "no row names it"


def _link(planting: Planting, rng: random.Random, name: str) -> Iterator[Found]:  # noqa: ARG001
    row = planting.pool.take()
    planting.link_outside(row)
    yield "unreadable", row.image, "a link to a file outside the data folder"


def _odd(check: str, effect: Effect, *, enlarges: bool = False) -> Fault:
    """The picture of an image is spoilt."""
    most = LIMITS.max_pixels // pictures.HUGE**2 if enlarges else LIMITS.max_pixels

    def plant(planting: Planting, rng: random.Random, name: str) -> Iterator[Found]:
        row = planting.pool.take(lambda victim: victim.pixels <= most)
        planting.overwrite(row, encode(effect(planting.picture(row), rng), _suffix(row)))
        yield check, row.image, name.rpartition("-")[0]

    return Fault(plant)


def _near(effect: Effect, qualities: tuple[int, int] = (85, 95)) -> Fault:
    """An image comes a second time, nearly the same."""

    def plant(planting: Planting, rng: random.Random, name: str) -> Iterator[Found]:
        row = planting.pool.take()
        data = encode(effect(planting.picture(row), rng), ".jpg", rng.randint(*qualities))
        copy = planting.copy(row, f"{name}.jpg", data)
        yield "near_duplicates", copy.image, f"{name.rpartition('-')[0]} from {row.image}"

    return Fault(plant)


def _repeated(planting: Planting, rng: random.Random, name: str) -> Iterator[Found]:  # noqa: ARG001
    row = planting.pool.take()
    copy = planting.copy(row, name + _suffix(row), planting.data(row))
    yield "exact_duplicates", copy.image, f"the bytes of {row.image}"


def _relabelled(planting: Planting, rng: random.Random, name: str) -> Iterator[Found]:
    row = planting.pool.take(lambda victim: bool(victim.row.category))
    category = planting.other_category(row, rng)
    copy = planting.copy(row, name + _suffix(row), planting.data(row), category=category)
    note = f"the same bytes are {row.category} here and {category} there"
    yield "conflicting_duplicates", row.image, note
    yield "conflicting_duplicates", copy.image, note


def _unknown(planting: Planting, rng: random.Random, name: str) -> Iterator[Found]:  # noqa: ARG001
    row = planting.pool.take(lambda victim: bool(victim.row.category))
    category = f"{row.category} (old)"
    planting.change(row, category=category, product=name)
    yield "unknown_category", row.image, f"category {category!r} is not in the taxonomy"


def _forbidden(planting: Planting, rng: random.Random, name: str) -> Iterator[Found]:
    if not (planting.taxonomy.styles and planting.taxonomy.categories):
        return
    style, category = planting.forbidden_pair(rng)
    row = planting.change(planting.pool.take(), style=style, category=category, product=name)
    yield "forbidden_pairs", row.image, f"{style} and {category} are forbidden together"


def _contradicted(planting: Planting, rng: random.Random, name: str) -> Iterator[Found]:
    first, second = planting.pool.take_pair()
    category = planting.other_category(second, rng)
    planting.change(first, product=name)
    planting.change(second, product=name, category=category)
    note = f"the product {name} is {first.category} here and {category} there"
    yield "conflicting_products", first.image, note
    yield "conflicting_products", second.image, note


def _leaked_product(planting: Planting, rng: random.Random, name: str) -> Iterator[Found]:  # noqa: ARG001
    for row, split in zip(planting.pool.take_pair(), ("train", "test"), strict=True):
        planting.change(row, product=name, split=split)
        yield "leaked_products", row.image, f"the product {name} in train and test"


def _leaked_copy(planting: Planting, rng: random.Random, name: str) -> Iterator[Found]:  # noqa: ARG001
    row = planting.pool.take()
    copy = planting.copy(row, name + _suffix(row), planting.data(row), split="test")
    planting.change(row, split="train", product=f"{name}-original")
    for one in (row, copy):
        yield "leaked_duplicates", one.image, "the same bytes in train and test"
    yield "exact_duplicates", copy.image, f"the bytes of {row.image}"


def _leaked_near_copy(planting: Planting, rng: random.Random, name: str) -> Iterator[Found]:
    row = planting.pool.take()
    how = rng.choice(list(NEAR))
    data = encode(NEAR[how](planting.picture(row), rng), ".jpg", rng.randint(60, 95))
    copy = planting.copy(row, f"{name}.jpg", data, split="test")
    planting.change(row, split="train", product=f"{name}-original")
    for one in (row, copy):
        yield "leaked_near_duplicates", one.image, f"{how}, in train and test"
    yield "near_duplicates", copy.image, f"{how} from {row.image}"


NEAR: Mapping[str, Effect] = {
    "reencoded": pictures.same,
    "resized": pictures.resized,
    "flipped": pictures.flipped,
    "cropped": pictures.cropped,
}

FAULTS: Mapping[str, Fault] = {
    "truncated": _spoilt("unreadable", "cut short", _cut),
    "not_an_image": _spoilt("unreadable", "a web page", _web_page),
    "empty": _spoilt("unreadable", "no bytes", lambda *_: b""),
    "missing": Fault(_missing),
    "wrong_extension": Fault(_misnamed),
    "tiny": _odd("too_small", pictures.tiny),
    "orphan": Fault(_orphan),
    "link_outside": Fault(_link),
    "exact_duplicate": Fault(_repeated),
    "relabelled_duplicate": Fault(_relabelled),
    "reencoded": _near(NEAR["reencoded"], (40, 80)),
    "resized": _near(NEAR["resized"]),
    "flipped": _near(NEAR["flipped"]),
    "cropped": _near(NEAR["cropped"]),
    "dark": _odd("too_dark", pictures.dark),
    "bright": _odd("too_bright", pictures.bright),
    "blurred": _odd("blurry", pictures.blurred),
    "flat": _odd("low_information", pictures.flat),
    "thin": _odd("odd_aspect", pictures.thin),
    "huge": _odd("odd_size", pictures.huge, enlarges=True),
    "grey": _odd("greyscale", pictures.grey),
    "watermarked": _odd("repeated_pattern", watermarked),
    "unknown_label": Fault(_unknown),
    "forbidden_pair": Fault(_forbidden),
    "conflicting_product": Fault(_contradicted, victims=2),
    "leaked_product": Fault(_leaked_product, victims=2),
    "leaked_duplicate": Fault(_leaked_copy),
    "leaked_near_duplicate": Fault(_leaked_near_copy),
}
