"""The stage `register`: the gate judges the bundle, which becomes a version of the MLflow model."""

import json
from dataclasses import dataclass
from pathlib import Path

from vitrine import tracking
from vitrine.bundle.format import BundleInfo
from vitrine.bundle.golden import prove
from vitrine.bundle.runtime import Runtime
from vitrine.core.errors import BundleError
from vitrine.core.files import write_json, write_text
from vitrine.core.layout import DATA, artifacts, reports
from vitrine.core.params import RegisterParams
from vitrine.evaluation.answers import Answers, collect
from vitrine.evaluation.comparison import compare
from vitrine.evaluation.gate import Check, Verdict, check_champion, check_floors

BATCH_SIZE = 64
CHECKED = ("validate", "prepare")
"""The stages whose data checks, with their Data Docs, belong to the run."""


@dataclass(frozen=True, slots=True)
class Registered:
    """Which version the bundle is, and what the gate said.

    Args:
        name: Of the registered model.
        number: Of the version.
        new: False when the same bytes were registered before.
        verdict: The gate's.
    """

    name: str
    number: str
    new: bool
    verdict: Verdict

    def describe(self) -> str:
        """Return the lines that a person sees."""
        known = "" if self.new else ", registered before"
        lines = [f"{self.name} version {self.number}{known}: the gate {self.verdict.word}"]
        lines += [f"  {mark(check)} {check.text}" for check in self.verdict.checks]
        if self.verdict.passed:
            lines += [
                "To promote it, give it the alias champion in the MLflow UI (`make ui`):",
                f"  {tracking.version_page(self.name, self.number)}",
                f"or run `vitrine promote {self.number}`.",
            ]
        return "\n".join(lines)


def mark(check: Check) -> str:
    """Return a tick or a cross."""
    return "✓" if check.passed else "✗"


def run(section: RegisterParams) -> Registered:
    """Judge artifacts/export/ and register it with the alias challenger, whatever the verdict.

    Args:
        section: The model's name and the gate's limits.

    Raises:
        TrackingError: The registry refuses or does not answer.
        BundleError: The bundle is damaged, or does not answer its golden images as it did.
        PreparedDataError: The shards are missing, damaged, or do not fit the bundle.
        ImageError: A test image that a champion of another size needs cannot be read.
    """
    tracking.check()
    runtime = Runtime(artifacts("export"))
    prove(runtime)
    answers = collect(runtime, artifacts("prepare"), "test", BATCH_SIZE)
    checks = check_floors(answers, section) + _against_champion(runtime.info, answers, section)
    verdict = Verdict(tuple(checks))
    with tracking.pipeline_run(runtime.info.lineage.run_id) as pipeline:
        registered = _register(section.name, runtime, pipeline.id, verdict)
        _report(registered, runtime.info, reports("register"))
        pipeline.log_folder(reports("register"), "register")
        for stage in CHECKED:
            pipeline.log_metrics(_checks(stage))
            pipeline.log_folder(reports(stage), stage)
    return registered


def _against_champion(info: BundleInfo, answers: Answers, section: RegisterParams) -> list[Check]:
    champion = tracking.version_of_alias(section.name, tracking.CHAMPION)
    if champion is None:
        return [Check(True, "there is no champion yet to be compared with")]
    if champion.bundle_digest == info.digest:
        return [Check(True, f"it is the champion itself, version {champion.number}")]
    try:
        rival = Runtime(tracking.download_bundle(section.name, champion.number))
    except BundleError as error:
        return [Check(False, f"the champion, version {champion.number}, does not load: {error}")]
    comparison = compare(answers, rival, artifacts("prepare"), DATA)
    return [check_champion(champion.number, comparison, section)]


def _checks(stage: str) -> dict[str, float]:
    metrics = json.loads((reports(stage) / "metrics.json").read_text(encoding="utf-8"))
    return {f"{stage}/{name}": float(value) for name, value in metrics.items()}


def _register(name: str, runtime: Runtime, run_id: str, verdict: Verdict) -> Registered:
    info = runtime.info
    judged = {"gate": verdict.word, "gate_reasons": verdict.reasons}
    known = tracking.version_by_digest(name, info.digest)
    if known is None:
        origin = {
            "bundle_digest": info.digest,
            "data_digest": info.lineage.data_digest,
            "params_digest": info.lineage.params_digest,
            "git_commit": info.lineage.git_commit,
        }
        tags, text = origin | judged, _description(reports("evaluate") / "card.md")
        number = tracking.register_bundle(runtime.folder, name, run_id, tags, text)
    else:
        number = known
        tracking.set_version_tags(name, number, judged)
    tracking.set_alias(name, tracking.CHALLENGER, number)
    return Registered(name, number, known is None, verdict)


def _description(card: Path) -> str:
    """Return the model card without its title and its pictures, which a version's page lacks."""
    if not card.exists():
        return ""
    lines = card.read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(("# ", "![")))


def _report(registered: Registered, info: BundleInfo, folder: Path) -> None:
    verdict = registered.verdict
    write_json(
        folder / "verdict.json",
        {
            "gate": verdict.word,
            "version": int(registered.number),
            **verdict.figures,
            "bundle_digest": info.digest,
        },
    )
    rows = "".join(f"| {mark(check)} | {check.text} |\n" for check in verdict.checks)
    write_text(
        folder / "verdict.md",
        f"# {registered.name} version {registered.number}: the gate {verdict.word}\n\n"
        f"| | condition |\n| --- | --- |\n{rows}\nBundle `{info.digest}`.\n",
    )
