"""Claim: 20 trials take at most 20 minutes on the demo, and the winner is as good as the default.

Run: `python benchmarks/tuning.py`. The demo catalogue is searched with the space of params.yaml;
then `train` runs with its own values and with the winner's, for three seeds, and both are judged on
test. Where the search confirms no winner, it keeps the default values; then those of its best trial
are compared, and that is said.
"""

import argparse
import csv
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from measure import clone, run, where
from trainings import Settings, Training, configure, judge, mean, prepare, stages, table, train

HEADS = ("style", "category")
MEASURES = ("accuracy", "macro_f1")
TOLD = ("part", "number", "state", "score", "seconds", "note")
"""The columns of trials.csv that are no values."""


def main() -> None:
    """Print what the search found, then a table of Markdown: means and standard deviations."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--minutes", type=int, default=20)
    parser.add_argument("--seeds", nargs="+", type=int, default=[17, 18, 19])
    parser.add_argument("--epochs", type=int, help="of train, to try the benchmark itself")
    options = parser.parse_args()
    print(where())
    with tempfile.TemporaryDirectory() as name:
        repository = clone(Path(name))
        run(["vitrine", "demo", "--replace"], repository)
        prepare(repository, {})
        found = _search(repository, options.trials, options.minutes)
        # What a search has found overrides train: for the comparison nothing may.
        configure(repository, {"tune.trials": 0})
        stages(repository, "tune")
        brief = {"train.epochs": options.epochs, "train.min_steps": 0} if options.epochs else {}
        columns = [f"{head}, {measure.replace('_', ' ')}" for head in HEADS for measure in MEASURES]
        print(table(["", "minutes", *columns], []))
        for arm, values in (("default", {}), ("winner", found)):
            settings = {**brief, **{f"train.{key}": value for key, value in values.items()}}
            _print(arm, [_training(repository, settings, seed) for seed in options.seeds])


def _search(repository: Path, trials: int, minutes: int) -> dict[str, Any]:
    """Search, say what came of it, and return the values to be compared."""
    configure(repository, {"tune.trials": trials, "tune.minutes": minutes})
    taken = stages(repository, "tune")
    reports = repository / "reports/tune"
    metrics = json.loads((reports / "metrics.json").read_text(encoding="utf-8"))
    with (reports / "trials.csv").open(encoding="utf-8", newline="") as file:
        attempts = list(csv.DictReader(file))
    states = [attempt["state"] for attempt in attempts]
    counts = ", ".join(f"{states.count(state)} {state}" for state in sorted(set(states)))
    print(f"{taken:.1f} min for {len(attempts)} trainings ({counts}): {json.dumps(metrics)}")
    best = (repository / "artifacts/tune/best.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(best) or _best(attempts)
    print(f"values: {json.dumps(found)}", flush=True)
    return found


def _best(attempts: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    print("the search kept the default values; what is called the winner is its best trial")
    finished = [one for one in attempts if (one["part"], one["state"]) == ("search", "complete")]
    best = max(finished, key=lambda attempt: float(attempt["score"]))
    return {key: value for key, value in best.items() if key not in TOLD}


def _training(repository: Path, settings: Settings, seed: int) -> Training:
    return judge(repository, train(repository, {**settings, "train.seed": seed}))


def _print(arm: str, made: Sequence[Training]) -> None:
    figures = [mean([t.heads[head][one] for t in made]) for head in HEADS for one in MEASURES]
    minutes = ", ".join(f"{training.minutes:.1f}" for training in made)
    print(f"| {' | '.join([arm, minutes, *figures])} |", flush=True)


if __name__ == "__main__":
    main()
