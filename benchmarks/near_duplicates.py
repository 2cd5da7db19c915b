"""Claim: near-duplicates among 1,000,000 images are found in 5 minutes and 2 GiB, sub-quadratic.

Run: `python benchmarks/near_duplicates.py FOLDER [DISTANCE SIMILARITY]`, where FOLDER holds photos
at any depth; the limits are those of params.yaml unless given. To get enough images, each is one
photo with another one shining through: their hashes lie as unevenly as those of photos. One in a
hundred has a planted near-duplicate.
"""

import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from measure import ROOT, run, where
from numpy.typing import NDArray
from PIL import Image

from vitrine.core.params import Params
from vitrine.quality.descriptors import DESCRIPTOR_BYTES, descriptors
from vitrine.quality.hashing import perceptual_hashes
from vitrine.quality.near_duplicates import find_near_duplicates
from vitrine.quality.pixels import to_grey

SIZES = (10_000, 100_000, 1_000_000)
SIDE = 64
BLOCK = 500
PHOTOS = 8000
SHINING = 1 / 3
"""The second photo's part of the light."""
KINDS = ("re-encoded", "resized", "mirrored", "cropped")

Frames = NDArray[np.uint8]


def main() -> None:
    """Print seconds, peak memory, planted near-duplicates found and growth for each size."""
    print(where())
    photos = _photos(Path(sys.argv[1]))
    seconds = []
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            _make(photos, size, Path(folder))
            command = [sys.executable, __file__, "search", folder, *sys.argv[2:]]
            measured = run(command, ROOT)
        seconds.append(float(measured.output.splitlines()[0]))
        growth = f", {seconds[-1] / seconds[-2]:.1f} x the time" if len(seconds) > 1 else ""
        print(f"{size} images: {seconds[-1]:.1f} s, peak {measured.peak_mib:.0f} MiB{growth}")
        print("\n".join(measured.output.splitlines()[1:]), flush=True)


def _photos(folder: Path) -> Frames:
    """Return (k, 64, 64, 3) frames of the photos in a folder."""
    paths = sorted(path for path in folder.rglob("*.jpg"))[:PHOTOS]
    return np.stack([_frame(Image.open(path)) for path in paths])


def _frame(image: Image.Image) -> Frames:
    return np.asarray(image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def _make(photos: Frames, size: int, folder: Path) -> None:
    """Write hashes and descriptors of `size` images; the last hundredth repeats the first one."""
    generator = np.random.default_rng(0)
    planted = size // 100
    hashes = np.empty((2, size), np.uint64)
    sources: list[Frames] = []
    with (folder / "descriptors").open("wb") as file:
        for start in range(0, size - planted, BLOCK):
            count = min(BLOCK, size - planted - start)
            pairs = generator.integers(0, len(photos), (2, count))
            mixed = photos[pairs[0]] * (1 - SHINING) + photos[pairs[1]] * SHINING
            frames = np.rint(mixed).astype(np.uint8)
            if start < planted:
                sources.extend(frames[: planted - start])
            _add(frames, hashes[:, start : start + count], file)
        for start in range(0, planted, BLOCK):
            block = range(start, min(planted, start + BLOCK))
            frames = np.stack([_changed(sources[at], at, generator) for at in block])
            first = size - planted + start
            _add(frames, hashes[:, first : first + len(frames)], file)
    np.save(folder / "hashes.npy", hashes)


def _add(frames: Frames, hashes: NDArray[np.uint64], file: Any) -> None:
    colours = np.ascontiguousarray(frames.transpose(0, 3, 1, 2)).astype(np.float32)
    hashes[:] = perceptual_hashes(to_grey(colours))
    file.write(descriptors(colours).tobytes())


def _changed(frame: Frames, place: int, generator: np.random.Generator) -> Frames:
    """Return the frame of an image that was saved again, and more, by its place."""
    image = Image.fromarray(frame)
    width, height = image.size
    kind = KINDS[place % len(KINDS)]
    if kind == "resized":
        factor = generator.uniform(0.5, 1.5)
        image = image.resize((round(width * factor), round(height * factor)))
    elif kind == "mirrored":
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    elif kind == "cropped":
        left, top, right, bottom = generator.uniform(0, 0.04, 4) * SIDE
        image = image.resize(image.size, box=(left, top, width - right, height - bottom))
    saved = BytesIO()
    image.save(saved, "JPEG", quality=int(generator.integers(60, 90)))
    return _frame(Image.open(saved))


def search(folder: Path, limits: list[str]) -> None:
    """Search what `_make` wrote; print the seconds, then what was found."""
    hashes, mirrored = np.load(folder / "hashes.npy")
    size = len(hashes)
    file = folder / "descriptors"
    rows = np.memmap(file, np.uint8, "r", shape=(size, DESCRIPTOR_BYTES))
    section = Params.load(ROOT / "params.yaml").validate_.integrity
    distance = int(limits[0]) if limits else section.near_duplicate_distance
    similarity = float(limits[1]) if limits else section.near_duplicate_similarity
    start = time.perf_counter()
    edges = find_near_duplicates(hashes, mirrored, rows, distance, similarity)
    print(time.perf_counter() - start)
    roots = np.arange(size)
    roots[edges.second] = edges.first
    planted = size // 100
    found = roots[:planted] == roots[size - planted :]
    for place, kind in enumerate(KINDS):
        print(f"  {kind}: {found[place :: len(KINDS)].mean():.1%} found")
    natural = int((edges.second < size - planted).sum())
    print(f"  {natural} other pairs; distance {distance}, similarity {similarity}")


if __name__ == "__main__":
    if sys.argv[1] == "search":
        search(Path(sys.argv[2]), sys.argv[3:])
    else:
        main()
