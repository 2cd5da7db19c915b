"""The stage pretrain: lets the backbone learn from images alone, before it sees a label."""

import json
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from vitrine.bundle.format import NETWORK
from vitrine.core.digests import json_digest
from vitrine.core.files import atomic_folder, write_json, write_text
from vitrine.core.layout import artifacts, reports, scratch
from vitrine.core.params import PretrainParams, TrainParams
from vitrine.inputs.summary import Summary
from vitrine.training.history import as_csv

if TYPE_CHECKING:
    from vitrine.training.pretraining import Pretrained


@dataclass(frozen=True, slots=True)
class Result:
    """What the stage made.

    Args:
        pretrained: The pretraining; None where there was none.
        run_id: Its MLflow run.
    """

    pretrained: "Pretrained | None" = None
    run_id: str | None = None

    def describe(self) -> str:
        """Return the lines that a person sees."""
        if self.pretrained is None:
            return "No pretraining: train begins as train.weights says."
        history = self.pretrained.history
        speed = sorted(epoch.images_per_second for epoch in history)[len(history) // 2]
        lines = [
            f"{artifacts('pretrain') / NETWORK}: {len(history)} epochs, "
            f"loss {history[-1].metrics['loss']:.3f}; train.weights: pretrained begins with it",
            f"{speed:.0f} images/s in {self.pretrained.precision}; MLflow run {self.run_id}",
        ]
        if self.pretrained.resumed:
            resumed = self.pretrained.resumed
            lines.append(f"{resumed} epochs were taken over from an interrupted run.")
        return "\n".join(lines)


def run(pretrain: PretrainParams, train: TrainParams) -> Result:
    """Pretrain, and write artifacts/pretrain/ and reports/pretrain/.

    Nothing is done, and nothing heavy loaded, where there is no method.

    Args:
        pretrain: The stage's settings.
        train: Those of the training that follows: its backbone and its precision.

    Raises:
        TrackingError: MLflow cannot be used; found out before the pretraining.
        PreparedDataError: The shards are missing, or train has fewer than two images.
        ModelError: The network cannot be built, diverges, collapses, or does not fit into the
            memory.
    """
    if pretrain.method == "none":
        result = Result()
        _write(result)
        return result
    return _pretrain(pretrain, train)


def _pretrain(section: PretrainParams, train: TrainParams) -> Result:
    from vitrine import tracking
    from vitrine.training.pretraining import Plan, pretrain
    from vitrine.training.recording import record_data, recorded

    tracking.check()
    summary = Summary.load(artifacts("prepare"))
    logged = {
        "pretrain": section.model_dump(mode="json"),
        "train": train.model_dump(include={"backbone", "precision", "deterministic"}),
    }
    # A state of other parameters or data must never be taken up.
    identity = json_digest({**logged, "prepared": summary.digest})[:16]
    state = scratch("pretrain") / identity
    plan = Plan(section, train, artifacts("prepare"), state / "checkpoint.npz")
    with tracking.pipeline_run(_interrupted(state)) as run:
        write_json(state / "run.json", {"run_id": run.id})
        run.set_tags({"mlflow.runName": "pretrain"})
        run.log_params(logged)
        record_data(run, summary)
        made = recorded(run, partial(pretrain, plan))
        result = Result(made, run.id)
        _write(result)
        # Once more, because a server that was away may have missed some of it.
        run.log_curves((epoch.number, epoch.ended, epoch.metrics) for epoch in made.history)
        run.log_folder(reports("pretrain"), "pretrain")
    shutil.rmtree(scratch("pretrain"))
    return result


def _interrupted(state: Path) -> str | None:
    try:
        text = (state / "run.json").read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    found: str = json.loads(text)["run_id"]
    return found


def _write(result: Result) -> None:
    history = result.pretrained.history if result.pretrained else []
    with atomic_folder(artifacts("pretrain")) as folder:
        write_json(folder / "run.json", {"run_id": result.run_id})
        if result.pretrained:
            result.pretrained.model.save(folder / NETWORK)
    # Not every epoch is measured by labels, but the last one is.
    names = list(history[-1].metrics) if history else ["loss", "spread"]
    write_text(reports("pretrain") / "history.csv", as_csv(history, names))
    last = history[-1].metrics if history else {}
    write_json(reports("pretrain") / "metrics.json", {"epochs": len(history), **last})
