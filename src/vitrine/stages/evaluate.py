"""The stage `evaluate`: the bundle, as it is served, on the test split. No TensorFlow."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vitrine import tracking
from vitrine.bundle.runtime import Runtime
from vitrine.core.errors import PreparedDataError
from vitrine.core.files import atomic_folder, write_json, write_text
from vitrine.core.layout import artifacts, reports
from vitrine.core.params import EvaluateParams
from vitrine.evaluation import charts, tables
from vitrine.evaluation.answers import collect, pixels
from vitrine.evaluation.attention import attention_sheet, typical
from vitrine.evaluation.card import write_card
from vitrine.evaluation.figures import save
from vitrine.evaluation.gallery import mistake_sheet, worst_mistakes
from vitrine.evaluation.report import Report, judge
from vitrine.inputs.summary import Summary

SPLIT = "test"
MISTAKES = 18
"""How many mistakes of a head are shown."""
EXPLAINED = 8
"""How many images are shown with what the answers looked at."""


@dataclass(frozen=True, slots=True)
class EvaluateResult:
    """What was measured, and where it is written."""

    report: Report
    folder: Path

    def describe(self) -> str:
        """Return the lines that a person sees."""
        lines = [
            f"{name}: accuracy {head.measures['accuracy']:.3f}, "
            f"macro F1 {head.measures['macro_f1']:.3f} ({len(head.answers.labels)} images)"
            for name, head in self.report.heads.items()
        ]
        return "\n".join([*lines, f"Model card: {self.folder / 'card.md'}"])


def run(section: EvaluateParams) -> EvaluateResult:
    """Measure artifacts/export/ on the test shards; write reports/evaluate/ and log to the run.

    Raises:
        BundleError: There is no sound bundle.
        PreparedDataError: The shards are missing, damaged, do not fit the bundle, or no test image
            has a label.
        TrackingError: The tracking store does not answer.
    """
    tracking.check()
    runtime = Runtime(artifacts("export"))
    answers = collect(runtime, artifacts("prepare"), SPLIT, section.batch_size)
    if not answers.judged:
        raise PreparedDataError(
            "no image of the test split has a label, so nothing can be measured: label some and "
            "run `dvc repro`"
        )
    report = judge(answers, section)
    folder = reports("evaluate")
    tables.write_answers(artifacts("evaluate") / "predictions.parquet", answers)
    _write_plots(folder / "plots", report, runtime, section.batch_size)
    tables.write_per_class(
        folder / "per_class.csv", {name: head.classes for name, head in report.heads.items()}
    )
    summary = Summary.load(artifacts("prepare"))
    write_text(folder / "card.md", write_card(report, runtime.info, summary))
    write_json(folder / "metrics.json", report.metrics())
    _log(report, folder, runtime.info.lineage.run_id)
    return EvaluateResult(report, folder)


def _write_plots(folder: Path, report: Report, runtime: Runtime, batch_size: int) -> None:
    heads = {name: head.answers for name, head in report.heads.items()}
    mistakes = {name: worst_mistakes(head, MISTAKES) for name, head in heads.items()}
    *_, last = heads.values()
    explained = typical(last, EXPLAINED)
    wanted = {mistake.image for of_head in mistakes.values() for mistake in of_head}
    images = pixels(artifacts("prepare"), SPLIT, wanted.union(explained), batch_size)
    with atomic_folder(folder) as new:
        for name, head in heads.items():
            tables.write_confusion(new / f"confusion_{name}.csv", head)
            tables.write_reliability(new / f"reliability_{name}.csv", report.heads[name].bins)
            save(charts.confusion(head), new / f"confusion_{name}.png")
            if mistakes[name]:
                sheet = mistake_sheet(name, mistakes[name], images)
                save(sheet, new / f"mistakes_{name}.png")
        bins = {name: head.bins for name, head in report.heads.items()}
        save(charts.reliability_diagram(bins), new / "reliability.png")
        if explained:
            _write_attention(new, runtime, np.stack([images[name] for name in explained]))


def _write_attention(folder: Path, runtime: Runtime, images: NDArray[np.uint8]) -> None:
    predictions = runtime.predict(images)
    if any(predictions.maps(head) is not None for head in runtime.info.heads):
        sheet = attention_sheet(images, predictions, runtime.info.taxonomy)
        save(sheet, folder / "attention.png")


def _log(report: Report, folder: Path, run_id: str) -> None:
    metrics = {f"{SPLIT}/{name}": value for name, value in report.flat().items()}
    with tracking.pipeline_run(run_id) as run:
        run.log_metrics(metrics)
        run.log_folder(folder, "evaluate")
