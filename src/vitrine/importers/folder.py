"""A folder whose subfolders are the labels: `<category>/…`, `<style>/<category>/…` and the like."""

from collections.abc import Iterator
from pathlib import Path

from vitrine.core.errors import ImportFailed
from vitrine.core.taxonomy import Taxonomy
from vitrine.importers.source import Candidate, Remark, known, split_name

LEVELS = ("style", "category", "product", "split")
_CLUTTER = frozenset({"Thumbs.db", "desktop.ini", "__MACOSX"})


class Folder:
    """Images in folders that are named by their labels.

    Hidden files and what operating systems strew about are passed over; every other file counts as
    an image, so that one which is none is reported.

    Args:
        root: The folder.
        layout: What the levels of folders below it mean, such as `style/category`; deeper folders
            mean nothing. None = `category`, if there is only one level.
    """

    def __init__(self, root: Path, layout: str | None) -> None:
        self.root = root
        self.title = root.resolve().name
        self._levels = ("category",) if layout is None else tuple(layout.split("/"))
        self._check(layout)

    def _check(self, layout: str | None) -> None:
        levels = self._levels
        if not self.root.is_dir():
            raise ImportFailed(
                f"{self.root} is not a folder: give the folder that holds the images"
            )
        if set(levels) - set(LEVELS) or len(set(levels)) < len(levels):
            raise ImportFailed(
                f"--layout must name levels out of {', '.join(LEVELS)}, each once and joined by "
                f"'/', such as style/category, but got {layout!r}"
            )
        if not {"style", "category"} & set(levels):
            raise ImportFailed(f"--layout must hold style or category, but got {layout!r}")
        deep = None if layout else next((p for p in self._files() if _depth(p) > 1), None)
        if isinstance(deep, tuple):
            raise ImportFailed(
                f"{self.root} has more than one level of folders ({'/'.join(deep)}): say what they "
                "are, with --layout style/category, say, or --layout category for the first only"
            )

    def taxonomy(self) -> Taxonomy | None:
        """Return None: the labels are the folders' names."""
        return None

    def __iter__(self) -> Iterator[Candidate | Remark]:
        """Yield the files, sorted by path."""
        for parts in self._files():
            yield parts if isinstance(parts, Remark) else self._candidate(parts)

    def _candidate(self, parts: tuple[str, ...]) -> Candidate | Remark:
        origin = "/".join(parts).encode(errors="backslashreplace").decode()
        values = dict(zip(self._levels, map(known, parts[:-1]), strict=False))
        if not "".join(values.values()).isprintable():
            return Remark(origin, "a folder's name is not printable UTF-8 text; rename it")
        split = split_name(values.pop("split", ""))
        if split is None:
            return Remark(origin, "its folder must be train, val or test, to be a split; rename it")
        return Candidate(origin, "/".join(parts), self.root.joinpath(*parts), split=split, **values)

    def _files(self, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...] | Remark]:
        try:
            paths = sorted(self.root.joinpath(*above).iterdir())
        except PermissionError:
            yield Remark("/".join(above), "the folder may not be read")
            return
        for path in paths:
            parts = (*above, path.name)
            if path.name.startswith(".") or path.name in _CLUTTER:
                continue
            if not path.is_dir():
                yield parts
            elif path.is_symlink():
                yield Remark("/".join(parts), "a link to a folder is not followed")
            else:
                yield from self._files(parts)


def _depth(parts: tuple[str, ...] | Remark) -> int:
    return 0 if isinstance(parts, Remark) else len(parts) - 1
