"""The stage `export`: the trained network becomes the bundle that is measured and served."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from vitrine import imaging
from vitrine.bundle.export import Contents, Exported, export_bundle
from vitrine.bundle.format import NETWORK, Lineage, MeasuredPrecision
from vitrine.core.digests import data_digest
from vitrine.core.errors import ModelError, PreparedDataError
from vitrine.core.layout import DATA, DATA_POINTER, artifacts
from vitrine.core.params import ExportParams
from vitrine.core.revision import git_commit
from vitrine.inputs.shards import read_batches
from vitrine.inputs.summary import Summary

BATCH_SIZE = 64


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What the stage made, and where."""

    folder: Path
    exported: Exported

    def describe(self) -> str:
        """Return the lines that a person sees."""
        info = self.exported.info
        temperatures = ", ".join(f"{head} {t:.2f}" for head, t in info.calibration.items())
        thresholds = ", ".join(f"{head} {_sure(t)}" for head, t in info.thresholds.items())
        return (
            f"{self.folder}: bundle {info.digest[:12]}\n"
            f"temperatures: {temperatures}; largest difference from the Keras model: "
            f"{self.exported.difference:.1g}\n"
            f"sure answers, of which {info.precision:.0%} are right on val: {thresholds}\n"
            f"computes in {info.computing.precision}; on val, with one CPU thread:\n"
            + "\n".join(_measured(one) for one in info.computing.measured)
        )


def run(section: ExportParams, params_digest: str) -> ExportResult:
    """Export artifacts/train/model.keras to artifacts/export/.

    Args:
        section: The stage's settings.
        params_digest: The digest of params.yaml, for the lineage.

    Raises:
        ModelError: There is no trained network, or it does not fit the shards.
        PreparedDataError: The shards are missing or damaged, or val is empty.
        BundleError: The bundle does not answer as the network does.
        DataError: A golden image or data.dvc is missing.
    """
    network = artifacts("train") / NETWORK
    lineage = _lineage(artifacts("train") / "run.json", params_digest)
    summary = Summary.load(artifacts("prepare"))
    contents = Contents(
        image=summary.image,
        taxonomy=summary.taxonomy,
        lineage=lineage,
        golden=list(_golden(summary, section.golden_images)),
        tolerance=section.tolerance,
        precision=section.sure_precision,
        computing=section.precisions,
        computing_tolerance=section.precision_tolerance,
    )
    validation = read_batches(artifacts("prepare"), "val", BATCH_SIZE)
    folder = artifacts("export")
    return ExportResult(folder, export_bundle(network, folder, contents, validation))


def _measured(one: MeasuredPrecision) -> str:
    heads = [
        f"; {head} {accuracy:.1%} right, macro F1 {one.macro_f1[head]:.3f}"
        for head, accuracy in one.accuracy.items()
    ]
    return f"  {one.precision} {one.images_per_second:.0f} images/s{''.join(heads)}"


def _sure(threshold: float) -> str:
    return f"from a confidence of {threshold:.2f}" if threshold <= 1 else "none"


def _golden(summary: Summary, count: int) -> Iterator[bytes]:
    first = next(read_batches(artifacts("prepare"), "val", count), None)
    if first is None:
        raise PreparedDataError(
            "the val split is empty, but calibration and golden answers need images of it: raise "
            "prepare.val_share"
        )
    for name in first.names:
        yield imaging.read(DATA / name, summary.image)


def _lineage(run: Path, params_digest: str) -> Lineage:
    try:
        run_id = str(json.loads(run.read_text(encoding="utf-8"))["run_id"])
    except FileNotFoundError:
        raise ModelError(f"{run} is missing: train a network with `dvc repro train`") from None
    return Lineage(
        git_commit=git_commit(),
        data_digest=data_digest(DATA_POINTER),
        params_digest=params_digest,
        run_id=run_id,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
