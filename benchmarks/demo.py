"""Claim: `make demo` ends within six minutes in a bare clone, packages in the installer's cache.

Run: `python benchmarks/demo.py`. It clones the committed state into a temporary folder, with a new
HOME, twice: the first run fills the installer's cache, the second is the one to look at.
"""

import tempfile
from pathlib import Path

from measure import clone, run, where


def main() -> None:
    """Print the seconds of `make setup` and `make demo`, with an empty and with a filled cache."""
    print(where())
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder) / "cache"
        for state in ("empty", "filled"):
            home = Path(folder) / state
            home.mkdir()
            env = {"HOME": str(home), "UV_CACHE_DIR": str(cache)}
            repository = clone(home)
            setup = run(["make", "setup"], repository, env).seconds
            demo = run(["make", "demo"], repository, env).seconds
            print(f"{state} cache: setup {setup:.0f} s + demo {demo:.0f} s = {setup + demo:.0f} s")


if __name__ == "__main__":
    main()
