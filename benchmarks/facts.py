"""Claim: the facts of 8,000 photos take at most 20 s and 1.5 times bare decoding and hashing.

Run: `python benchmarks/facts.py FOLDER`, with FOLDER as in photos.py. Bare means: the same files
read, their SHA-256 taken and decoded by the same library at the same reduced scale, by as many
threads. Both are run in turn, `ROUNDS` times. Then the same again with the store filled, and with
1 % of the images new.
"""

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from measure import ROOT, where

from vitrine import imaging
from vitrine.core.digests import bytes_digest
from vitrine.core.parallel import map_in_order
from vitrine.core.params import ImageParams, Params
from vitrine.quality.measuring import BATCH, measure_files
from vitrine.quality.pixels import SIDE
from vitrine.quality.store import FactStore

LIMIT = 8000
ROUNDS = 5


def main() -> None:
    """Print the seconds of both, their ratio, and what a second run costs."""
    source = Path(sys.argv[1]).resolve()
    print(where())
    names = sorted(f"images/{path.name}" for path in (source / "images").iterdir())[:LIMIT]
    image = Params.load(ROOT / "params.yaml").image
    with tempfile.TemporaryDirectory() as folder:
        root, store = Path(folder) / "data", Path(folder) / "store"
        (root / "images").mkdir(parents=True)
        for name in names:
            shutil.copyfile(source / name, root / name)
        time.sleep(3)  # files that have just changed are read again, whatever their times say
        bare, facts = [], []
        for _ in range(ROUNDS):
            bare.append(timed(lambda: sum(_bare(root, names, image))))
            shutil.rmtree(store, ignore_errors=True)
            facts.append(timed(lambda: _facts(root, names, image, store)))
        print(f"bare decoding and hashing: {median(bare):.2f} s {_all(bare)}")
        print(f"facts: {median(facts):.2f} s {_all(facts)}")
        ratios = [one / other for one, other in zip(facts, bare, strict=True)]
        print(f"ratio: {median(ratios):.2f} {_all(ratios)}")
        again = timed(lambda: _facts(root, names, image, store))
        print(f"again, nothing new: {again:.2f} s, {100 * again / median(facts):.1f} %")
        shutil.rmtree(store)
        _facts(root, names[: -len(names) // 100], image, store)
        more = timed(lambda: _facts(root, names, image, store))
        print(f"again, 1 % new: {more:.2f} s, {100 * more / median(facts):.1f} %")


def timed(action: Callable[[], object]) -> float:
    """Return how many seconds an action takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def _bare(root: Path, names: Sequence[str], image: ImageParams) -> Sequence[int]:
    def one(name: str) -> int:
        data = imaging.read(root / name, image, name)
        bytes_digest(data)
        return imaging.decode(data, image, name, at_least=(SIDE, SIDE)).size

    return list(map_in_order(one, names, workers=0, chunk=BATCH))


def _facts(root: Path, names: Sequence[str], image: ImageParams, store: Path) -> int:
    with FactStore(store / "facts.db", image) as known:
        return sum(1 for _ in measure_files(root, names, image, known, workers=0))


def _all(values: Sequence[float]) -> str:
    return f"({', '.join(f'{value:.2f}' for value in values)})"


if __name__ == "__main__":
    main()
