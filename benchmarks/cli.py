"""Claim: `vitrine --help` answers in under half a second.

Run: `python benchmarks/cli.py`. The ratio is against an empty Python, in turns with it.
"""

import statistics
import sys

from measure import ROOT, run, where

REPEATS = 15


def main() -> None:
    """Print the medians of both commands and their ratio."""
    commands = {
        "vitrine --help": ["vitrine", "--help"],
        "python -c pass": [sys.executable, "-c", ""],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(REPEATS):
        for name, command in commands.items():
            times[name].append(run(command, ROOT).seconds)
    medians = {name: statistics.median(values) for name, values in times.items()}
    print(where())
    for name, seconds in medians.items():
        print(f"{name}: {seconds:.3f} s (median of {REPEATS})")
    print(f"ratio: {medians['vitrine --help'] / medians['python -c pass']:.1f}")


if __name__ == "__main__":
    main()
