"""Claim: of 200 windows of an unchanged world at most 2 % are called drift; a real one is noticed.

Run: `python benchmarks/monitor.py`. Logs are drawn at random, the functions of `vitrine monitor`
judge them with the limits that it has by itself. The reference is drawn as well, anew for every
window.
"""

import sys
import time

import numpy as np
from measure import where

from monitored import World
from vitrine.monitoring.drift import compare
from vitrine.monitoring.limits import DEFAULTS

WINDOWS = 200
SIZES = ((270, 300), (1_000, 1_000), (3_000, 5_000))
"""Images of the reference and of the window."""
MOST_FALSE = 0.02
LEAST_FOUND = 0.9
CHANGED = {
    "15 points more of one label": World((0.35, 0.45, 0.19, 0.01)),
    "25 points more of one label": World((0.25, 0.55, 0.19, 0.01)),
    "confidence lower by 0.1": World(confidence=0.7),
    "images darker by half a standard deviation": World(brightness=130),
    "embeddings moved by 0.2 standard deviations": World(moved=0.2),
}
ALIKE = {"nothing": World(), "nothing; four views a product": World(views=4)}


def drifted(world: World, before: int, now: int, windows: int) -> float:
    """Return which share of some windows of a world is called drift."""
    found = [
        compare(World().sample(before, 2 * seed), world.sample(now, 2 * seed + 1), DEFAULTS).drifted
        for seed in range(windows)
    ]
    return float(np.mean([bool(features) for features in found]))


def main() -> int:
    """Print the shares as a table; fail where the claim does not hold."""
    print(f"{where()}\n\n| what changed | " + " | ".join(f"{a:,} / {b:,}" for a, b in SIZES) + " |")
    print("| --- |" + " --- |" * len(SIZES))
    start, good = time.perf_counter(), True
    for name, world in (ALIKE | CHANGED).items():
        windows = WINDOWS if name in ALIKE else WINDOWS // 4
        shares = [drifted(world, *sizes, windows) for sizes in SIZES]
        print(f"| {name} | " + " | ".join(f"{share:.1%}" for share in shares) + " |", flush=True)
        good &= name not in ALIKE or max(shares) <= MOST_FALSE
        good &= not name.startswith("25") or min(shares) >= LEAST_FOUND
    print(f"\n{time.perf_counter() - start:.0f} s")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
