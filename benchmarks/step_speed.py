"""Claim: a training step does at least 0.75 of the images a second that PyTorch does.

Run: `python benchmarks/step_speed.py --torch-python PYTHON`, where PYTHON is that of an environment
of its own with PyTorch (`pip install torch==2.13.0`). small_resnet with two heads, 80×64 pixels,
AdamW, one constant batch; each contestant in a fresh process, all in turn, three rounds. First it
is shown that both networks are the same one: as many parameters, the same logits and loss for the
same weights.
"""

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from measure import ROOT, run, where

FOLDER = ROOT / "benchmarks/contestants"
TOLERANCE = 1e-4
"""Largest difference of a logit, as a share of the largest one."""


def main() -> None:
    """Print what the check found, then a line of Markdown for each contestant."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--torch-python", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20, help="of PyTorch, about as of Vitrine")
    parser.add_argument("--steps", type=int, default=40, help="in an epoch of Vitrine")
    parser.add_argument("--batch", type=int, default=64)
    options = parser.parse_args()
    print(where())
    keras = [sys.executable, str(FOLDER / "keras_step.py"), "--batch", str(options.batch)]
    torch = [options.torch_python, str(FOLDER / "torch_step.py"), "--batch", str(options.batch)]
    _check(keras, torch)
    keras += ["--steps", str(options.steps)]
    torch += ["--seconds", str(options.seconds)]
    contestants = {
        "Vitrine, `precision: auto`": [*keras, "--precision", "auto"],
        "Vitrine, `precision: float32`": [*keras, "--precision", "float32"],
        "PyTorch, bf16, channels last": [*torch, "--precision", "bf16"],
        "PyTorch, bf16, channels last, compiled": [*torch, "--precision", "bf16", "--compile"],
        "PyTorch, f32, channels last": [*torch, "--precision", "f32"],
    }
    rounds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(options.rounds):
        for name, command in contestants.items():
            rounds[name].append(_ask(command)["images_per_second"])
    _print(rounds)


def _ask(command: list[str]) -> dict[str, Any]:
    output = run(command, ROOT).output.strip()
    answer: dict[str, Any] = json.loads(output.splitlines()[-1])
    return answer


def _check(keras: list[str], torch: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "check.npz")
        own = _ask([*keras, "--check", path])
        other = _ask([*torch, "--check", path])
    same = own["parameters"] == other["parameters"] and other["off"] < TOLERANCE * other["of"]
    print(f"numbers in the network: {own['parameters']:,} and {other['parameters']:,}")
    print(f"logits up to {other['of']:.2f} differ by {other['off']:.1e} at most", end=", ")
    print(f"the losses by {other['loss off']:.1e}")
    if not same:
        raise SystemExit("these are two different networks; nothing was measured")


def _print(rounds: dict[str, list[float]]) -> None:
    own = next(iter(rounds.values()))
    print(
        "\n| training step | images/s, median | rounds | Vitrine does |\n| --- | --- | --- | --- |"
    )
    for name, speeds in rounds.items():
        # Round by round, since another minute can be another speed.
        ratio = statistics.median(mine / other for mine, other in zip(own, speeds, strict=True))
        each = ", ".join(f"{speed:.0f}" for speed in speeds)
        print(f"| {name} | {statistics.median(speeds):.0f} | {each} | {ratio:.2f} × |")


if __name__ == "__main__":
    main()
