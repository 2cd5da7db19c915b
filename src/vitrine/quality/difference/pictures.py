"""Small pictures of what changed, one by one for the page and as a sheet for each kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image

from vitrine import imaging
from vitrine.core.errors import DataError
from vitrine.core.files import atomic_file
from vitrine.core.parallel import map_in_order
from vitrine.core.params import ImageParams
from vitrine.core.progress import track
from vitrine.quality.difference.result import KINDS, Change, Difference
from vitrine.quality.difference.sides import Side

THUMBNAIL = 128
"""The sides of the square that a picture lies in, in pixels."""
WITHOUT = ("edited",)
"""Kinds of which a picture shows nothing."""
_COLUMNS = 6
_GAP = 8
_GROUND = "white"
_MISSING = "#d0d0d0"


@dataclass(frozen=True, slots=True)
class Shown:
    """A change with its pictures.

    Attributes:
        change: What changed.
        names: What each picture shows.
        pictures: JPEG files of at most `THUMBNAIL` pixels a side; None where there is none to show.
    """

    change: Change
    names: tuple[str, ...]
    pictures: tuple[bytes | None, ...]


@dataclass(frozen=True, slots=True)
class Gallery:
    """The pictures of a difference.

    Attributes:
        kinds: The changes that are shown, by kind; kinds without any are left out.
        missing: How many pictures could not be had.
        reason: Why the first of them could not; empty when none is missing.
    """

    kinds: dict[str, list[Shown]]
    missing: int
    reason: str

    @property
    def notes(self) -> list[str]:
        """What a reader must know, a sentence each."""
        return (
            [f"{self.missing:,} pictures cannot be shown: {self.reason}."] if self.missing else []
        )

    def write_sheets(self, folder: Path) -> dict[str, int]:
        """Write a sheet for each kind; return how many changes each one shows."""
        folder.mkdir(parents=True, exist_ok=True)
        for kind in KINDS:
            if kind not in self.kinds:
                (folder / sheet_name(kind)).unlink(missing_ok=True)
        for kind, shown in self.kinds.items():
            with atomic_file(folder / sheet_name(kind)) as file:
                _sheet(shown).save(file, "JPEG", quality=85)
        return {kind: len(shown) for kind, shown in self.kinds.items()}


@dataclass(frozen=True, slots=True)
class _Wanted:
    side: Side
    image: str
    digest: str | None


def sheet_name(kind: str) -> str:
    """Return the name of the file with a kind's sheet."""
    return f"{kind}.jpg"


def draw(
    difference: Difference, sides: tuple[Side, Side], image: ImageParams, count: int
) -> Gallery:
    """Fetch and shrink the pictures of the first changes of each kind.

    A picture that cannot be had, say since DVC's remote is out of reach, is left out.

    Args:
        difference: What changed.
        sides: Before and after, where the bytes are.
        image: The limits on bytes and pixels.
        count: How many changes of a kind are shown at most.
    """
    changes = [
        (kind, change)
        for kind in KINDS
        if kind not in WITHOUT
        for change in difference.found(kind, count)
    ]
    kinds: dict[str, list[Shown]] = {}
    reasons = []
    small = map_in_order(
        lambda one: [_small(wanted, image) for wanted in _wanted(*one, sides)],
        changes,
        workers=0,
        chunk=1,
    )
    for (kind, change), made in track(
        zip(changes, small, strict=True), "Drawing what changed", len(changes)
    ):
        reasons += [found for found in made if isinstance(found, str)]
        names = tuple(wanted.image for wanted in _wanted(kind, change, sides))
        pictures = tuple(None if isinstance(found, str) else found for found in made)
        kinds.setdefault(kind, []).append(Shown(change, names, pictures))
    return Gallery(kinds, len(reasons), reasons[0] if reasons else "")


def _wanted(kind: str, change: Change, sides: tuple[Side, Side]) -> Sequence[_Wanted]:
    """Return whose pictures show a change: two where there is something to compare."""
    before, after = sides
    now = _Wanted(after, change.image, change.md5)
    if kind == "removed":
        return [_Wanted(before, change.image, change.earlier_md5)]
    if kind == "replaced":
        return [_Wanted(before, str(change.earlier_image), change.earlier_md5), now]
    return [now]


def _small(wanted: _Wanted, image: ImageParams) -> bytes | str:
    """Return a small picture as a JPEG file, or why there is none."""
    if wanted.digest is None:
        return f"{wanted.image} has no file"
    try:
        data = wanted.side.bytes_of(wanted.image, wanted.digest, image)
        pixels = imaging.decode(data, image, wanted.image, at_least=(THUMBNAIL, THUMBNAIL))
    except DataError as error:
        return str(error)
    small = Image.fromarray(pixels)
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    file = BytesIO()
    small.save(file, "JPEG", quality=80)
    return file.getvalue()


def _sheet(shown: Sequence[Shown]) -> Image.Image:
    """Put the pictures of a kind side by side on one ground."""
    together = max(len(one.pictures) for one in shown)
    columns = max(1, _COLUMNS // together)
    step = THUMBNAIL + _GAP
    rows = -(-len(shown) // columns)
    across = min(columns, len(shown)) * (together * step + _GAP) + _GAP
    sheet = Image.new("RGB", (across, rows * (step + _GAP) + _GAP), _GROUND)
    for number, one in enumerate(shown):
        row, column = divmod(number, columns)
        left, top = _GAP + column * (together * step + _GAP), _GAP + row * (step + _GAP)
        for side, picture in enumerate(one.pictures):
            small = _open(picture)
            inside = ((THUMBNAIL - small.width) // 2, (THUMBNAIL - small.height) // 2)
            sheet.paste(small, (left + side * step + inside[0], top + inside[1]))
    return sheet


def _open(picture: bytes | None) -> Image.Image:
    if picture is None:
        return Image.new("RGB", (THUMBNAIL, THUMBNAIL), _MISSING)
    with Image.open(BytesIO(picture)) as file:
        return file.convert("RGB")
