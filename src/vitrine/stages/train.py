"""The stage train: fits the network to the shards."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from vitrine import tracking
from vitrine.bundle.format import NETWORK
from vitrine.core.digests import file_digest, json_digest
from vitrine.core.errors import ParamsError, PreparedDataError
from vitrine.core.files import atomic_folder, write_json, write_text
from vitrine.core.layout import artifacts, reports, scratch
from vitrine.core.params import TrainParams, override
from vitrine.inputs.summary import Summary
from vitrine.training.fit import Fitted, fit
from vitrine.training.history import as_csv, best
from vitrine.training.recording import record_data, recorded
from vitrine.training.start import start
from vitrine.training.trainer import Job


@dataclass(frozen=True, slots=True)
class Trained:
    """What the stage made.

    Args:
        path: The network.
        run_id: The MLflow run.
        fitted: The training.
    """

    path: Path
    run_id: str
    fitted: Fitted

    def describe(self) -> str:
        """Return the lines that a person sees."""
        history, chosen = self.fitted.history, best(self.fitted.history)
        speed = sorted(epoch.images_per_second for epoch in history)[len(history) // 2]
        lines = [
            f"{self.path}: epoch {chosen.number} of {len(history)}, "
            f"val macro F1 {chosen.score:.3f}",
            f"{speed:.0f} images/s in {self.fitted.precision}; MLflow run {self.run_id}",
        ]
        if self.fitted.resumed:
            lines.append(f"{self.fitted.resumed} epochs were taken over from an interrupted run.")
        if (transfer := self.fitted.transferred) is not None:
            fresh = f"; fresh: {', '.join(transfer.left)}" if transfer.left else ""
            lines.append(f"{len(transfer.taken)} layers began with earlier weights{fresh}")
        return "\n".join(lines)


def run(section: TrainParams, params: Mapping[str, Any], registered: str) -> Trained:
    """Fit the network and write artifacts/train/ and reports/train/.

    Args:
        section: The stage's settings; the values that tune found override them, and `fine_tune`
            does where the training goes on from the champion.
        params: All of params.yaml, to be logged.
        registered: The name of the registered model, whose champion `train.weights` may name.

    Raises:
        TrackingError: MLflow cannot be used; found out before the training.
        PreparedDataError: The shards or the results of tune are missing.
        ModelError: The network cannot be built, diverges, or does not fit into the memory.
    """
    tracking.check()
    section = _tuned(section, artifacts("tune") / "best.yaml")
    summary = Summary.load(artifacts("prepare"))
    first = start(section, registered)
    began = file_digest(first) if first else None
    state = scratch("train") / _identity(section, summary, began)
    job = Job(section, artifacts("prepare"), first, checkpoint=state / "checkpoint.npz")
    logged = {**params, "train": section.model_dump(mode="json")}
    with tracking.pipeline_run(_previous(state), logged) as run:
        write_json(state / "run.json", {"run_id": run.id})
        record_data(run, summary)
        if began:
            run.set_tags(_origin(section, began))
        fitted = recorded(run, partial(fit, job))
        path = _write(fitted, run.id)
        # Once more, because a server that was away may have missed some of it.
        run.log_curves((epoch.number, epoch.ended, epoch.metrics) for epoch in fitted.history)
        run.log_folder(reports("train"), "train")
    shutil.rmtree(scratch("train"))
    return Trained(path, run.id, fitted)


def _tuned(section: TrainParams, path: Path) -> TrainParams:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
        if not isinstance(values, dict):
            raise ParamsError(f"must hold keys of train, but got {values!r}")
        if section.continues:
            values |= section.fine_tune.model_dump()
        return override(section, values)
    except FileNotFoundError:
        raise PreparedDataError(f"{path} is missing: make it with `dvc repro tune`") from None
    except (ParamsError, yaml.YAMLError) as error:
        reason = str(error).replace("\n", " ")
        raise ParamsError(f"{path}: {reason}; make it anew with `dvc repro -f tune`") from None


def _identity(section: TrainParams, summary: Summary, began: str | None) -> str:
    # A state of other parameters, data or first weights must never be taken up.
    parts = {
        "params": section.model_dump(mode="json"),
        "prepared": summary.digest,
        "start": began,
    }
    return json_digest(parts)[:16]


def _previous(state: Path) -> str | None:
    """Return the MLflow run of the interrupted training, or else of the search."""
    for path in (state / "run.json", artifacts("tune") / "run.json"):
        if path.is_file():
            return _run_id(path)
    return None


def _origin(section: TrainParams, began: str) -> dict[str, str]:
    """Return the tags that say what the training began with."""
    tags = {tracking.START_DIGEST: began}
    made = artifacts("pretrain") / "run.json"
    if section.weights == "pretrained" and made.is_file() and (run_id := _run_id(made)):
        tags[tracking.PRETRAIN_RUN] = run_id
    return tags


def _run_id(path: Path) -> str | None:
    found: str | None = json.loads(path.read_text(encoding="utf-8"))["run_id"]
    return found


def _write(fitted: Fitted, run_id: str) -> Path:
    folder = artifacts("train")
    with atomic_folder(folder) as new:
        fitted.model.save(new / NETWORK)
        write_json(new / "run.json", {"run_id": run_id})
    table = as_csv(fitted.history, list(fitted.history[0].metrics))
    write_text(reports("train") / "history.csv", table)
    chosen = best(fitted.history)
    quality = {n: value for n, value in chosen.metrics.items() if n.startswith("val_")}
    write_json(
        reports("train") / "metrics.json",
        {"epochs": len(fitted.history), "best_epoch": chosen.number, **quality},
    )
    return folder / NETWORK
