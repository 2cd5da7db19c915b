"""Claim: `vitrine diff` on 100,000 rows takes at most 10 s, in flat memory.

Run: `python benchmarks/diff.py`. The rows are invented; of every hundred, one is removed, one
added, one replaced, one renamed and one relabelled. The versions lie in a repository of git and
DVC, so the whole command is measured, pictures aside. The folder is compared twice: when DVC has
seen none of its files, and when it knows them all.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import yaml
from measure import ROOT, run, where

from vitrine.core.manifest import ManifestWriter, Row
from vitrine.core.taxonomy import Label, Taxonomy

SIZES = (10_000, 100_000, 400_000)
FOLDER = 100_000
STYLES, CATEGORIES = 5, 30
DIFF = ("vitrine", "diff", "--pictures", "0")


def main() -> None:
    """Print seconds and peak memory for every size."""
    if len(sys.argv) > 1:
        _make(Path(sys.argv[1]), int(sys.argv[2]))
        return
    print(where())
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            # A process of its own: the memory of this one would count as its children's.
            run([sys.executable, __file__, folder, str(size)], ROOT)
            _measure(root, "before", "after", what=f"{size:,} rows")
            if size == FOLDER:
                for state in ("unknown to DVC", "known"):
                    _measure(root, "before", what=f"{size:,} files in data/, {state}")


def _measure(root: Path, *revisions: str, what: str) -> None:
    measured = run([*DIFF, *revisions], root)
    print(f"{what}: {measured.seconds:.1f} s, peak {measured.peak_mib:.0f} MiB")


def _make(root: Path, size: int) -> None:
    _repository(root, size)
    if size == FOLDER:
        _fill(root / "data", size)


def _repository(root: Path, size: int) -> None:
    """Make a repository with two versions of invented data, which only DVC's cache has."""
    for command in (("git", "init", "--quiet"), ("dvc", "init", "--quiet")):
        run(list(command), root)
    shutil.copyfile(ROOT / "params.yaml", root / "params.yaml")
    for version in ("before", "after"):
        rows = _rows(size, version)
        files = {row.image: hashlib.md5(content).hexdigest() for row, content in rows}
        with tempfile.TemporaryDirectory() as folder:
            _own_files(Path(folder), size, version)
            for path in Path(folder).iterdir():
                files[path.name] = _keep(root, path.read_bytes())
        entries = [{"md5": files[name], "relpath": name} for name in sorted(files)]
        digest = _keep(root, json.dumps(entries).encode(), ".dir")
        pointer = {"outs": [{"md5": digest, "hash": "md5", "path": "data"}]}
        (root / "data.dvc").write_text(yaml.safe_dump(pointer))
        _git(root, "add", "data.dvc")
        _git(root, "-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qm", version)
        _git(root, "tag", version)


def _fill(data: Path, size: int) -> None:
    """Write the later version into the folder."""
    (data / "images").mkdir(parents=True)
    _own_files(data, size, "after")
    for row, content in _rows(size, "after"):
        (data / row.image).write_bytes(content)


def _own_files(folder: Path, size: int, version: str) -> None:
    with ManifestWriter(folder / "manifest.csv") as writer:
        for row, _ in _rows(size, version):
            writer.write(row)
    styles = tuple(Label(name=f"style {number}") for number in range(STYLES))
    categories = tuple(Label(name=f"category {number}") for number in range(CATEGORIES))
    Taxonomy(styles=styles, categories=categories).save(folder / "taxonomy.yaml")


def _rows(size: int, version: str) -> Iterator[tuple[Row, bytes]]:
    later = version == "after"
    for number in range(size):
        kind = number % 100
        if kind == (0 if later else 1):  # removed, added
            continue
        name = f"{'new' if later and kind == 3 else ''}{number:08}.jpg"
        style = f"style {(number + (later and kind == 4)) % STYLES}"
        content = f"{number}{' other' if later and kind == 2 else ''}".encode()
        row = Row(f"images/{name}", style, f"category {number % CATEGORIES}", "", "some words")
        yield row, content


def _keep(root: Path, data: bytes, ending: str = "") -> str:
    digest = hashlib.md5(data).hexdigest()
    path = root / ".dvc" / "cache" / "files" / "md5" / digest[:2] / f"{digest[2:]}{ending}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return digest + ending


def _git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(root), *arguments], check=True)


if __name__ == "__main__":
    main()
