"""The stage `register`: the gate judges the bundle, which becomes a version of the MLflow model."""

import json
from dataclasses import dataclass
from pathlib import Path

from vitrine import tracking
from vitrine.bundle.runtime import Runtime
from vitrine.core.digests import json_digest
from vitrine.core.errors import BundleError, PreparedDataError
from vitrine.core.files import write_json, write_text
from vitrine.core.layout import DATA, artifacts, reports
from vitrine.core.manifest import Catalogue
from vitrine.core.params import RegisterParams
from vitrine.evaluation.answers import collect
from vitrine.evaluation.champion import check_champion, note_test_split
from vitrine.evaluation.comparison import SPLIT
from vitrine.evaluation.contest import Contestant, Ground, compare
from vitrine.evaluation.gate import (
    Check,
    Scores,
    Verdict,
    check_calibration,
    check_data,
    check_floors,
    check_golden,
    check_latency,
    score,
)
from vitrine.evaluation.latency import latencies
from vitrine.evaluation.slices import SLICES_FILE
from vitrine.inputs.summary import Summary

BATCH_SIZE = 64
CHECKED = ("validate", "prepare")
"""The stages whose data checks, with their Data Docs, belong to the run."""
TAGGED = ("accuracy", "macro_f1")
"""The measures that a version's tags show."""
LONGEST_TAG = 4500
LONGEST_DESCRIPTION = 4900
"""Characters; MLflow's database takes 5,000."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A bundle and what was found out about it.

    Args:
        runtime: The bundle.
        scores: Its measures on the test split.
        test_digest: Of that split's images and labels.
        verdict: The gate's.
    """

    runtime: Runtime
    scores: Scores
    test_digest: str
    verdict: Verdict

    def tags(self) -> dict[str, str]:
        """Return what a version's tags say of the verdict and its figures."""
        measured = {
            f"{head}_{name}": f"{of[name]:.4f}"
            for head, of in self.scores.items()
            for name in TAGGED
        }
        reasons = self.verdict.reasons
        if len(reasons) > LONGEST_TAG:
            reasons = reasons[: LONGEST_TAG - 1] + "…"
        return measured | {
            "test_digest": self.test_digest,
            "better": str(self.verdict.better).lower(),
            "judged_against": self.verdict.champion or "none",
            "gate_reasons": reasons,
            "gate": self.verdict.word,
        }


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
        lines = [f"{self.name} version {self.number}{known}: {self.verdict.sentence}"]
        lines += [f"  {check.mark} {check.text}" for check in self.verdict.checks]
        if self.verdict.passed:
            lines += [
                "To promote it, give it the alias champion in the MLflow UI (`make ui`):",
                f"  {tracking.version_page(self.name, self.number)}",
                f"or run `vitrine promote {self.number}`.",
            ]
        return "\n".join(lines)


def run(section: RegisterParams) -> Registered:
    """Judge artifacts/export/ and register it with the alias challenger, whatever the verdict.

    Args:
        section: The model's name and the gate's limits.

    Raises:
        TrackingError: The registry refuses or does not answer.
        BundleError: The bundle is damaged.
        PreparedDataError: What a stage before has to leave is missing, damaged, or does not fit.
        DataError: data/manifest.csv is missing or wrong.
        ImageError: A test image that a champion of another size needs cannot be read.
    """
    tracking.check()
    judged = _judge(Runtime(artifacts("export")), section)
    with tracking.pipeline_run(judged.runtime.info.lineage.run_id) as pipeline:
        registered = _register(section.name, judged, pipeline.id)
        _report(registered, judged, reports("register"))
        folder = tracking.verdict_folder(judged.runtime.info.digest)
        pipeline.log_folder(reports("register"), folder)
        for stage in CHECKED:
            metrics = _metrics(stage).items()
            pipeline.log_metrics({f"{stage}/{name}": value for name, value in metrics})
            pipeline.log_folder(reports(stage), stage)
    return registered


def _judge(runtime: Runtime, section: RegisterParams) -> Judged:
    answers = collect(runtime, artifacts("prepare"), SPLIT, BATCH_SIZE)
    scores = score(answers)
    digest = json_digest(Summary.load(artifacts("prepare")).splits[SPLIT].shards)
    checks = [
        *(check_data(stage, _metrics(stage)) for stage in CHECKED),
        check_golden(runtime),
        *check_floors(answers, scores, section),
        *check_calibration(answers, section),
    ]
    mine = Contestant(answers, Runtime(runtime.folder, threads=1))
    against = _against_champion(mine, digest, section)
    verdict = Verdict((*checks, *against.checks), against.champion, against.higher)
    return Judged(runtime, scores, digest, verdict)


def _against_champion(mine: Contestant, digest: str, section: RegisterParams) -> Verdict:
    """Return the conditions that depend on whether there is a champion, and on which."""
    champion = tracking.version_of_alias(section.name, tracking.CHAMPION)
    if champion is None:
        return _alone(mine, True, "there is no champion yet to be compared with", section)
    if champion.bundle_digest == mine.runtime.info.digest:
        return _alone(mine, True, f"it is the champion itself, version {champion.number}", section)
    try:
        folder = tracking.download_bundle(section.name, champion.number)
        theirs = Contestant.of(folder, artifacts("prepare"), DATA)
    except BundleError as error:
        reason = (
            f"the champion, version {champion.number}, does not load ({error}), so nothing can be "
            'compared: promote this one with `vitrine promote N --force --reason "…"`'
        )
        return _alone(mine, False, reason, section)
    ground = Ground.read(
        mine.answers.names,
        Catalogue(DATA).manifest_path,
        artifacts("evaluate") / SLICES_FILE,
        section.min_slice_images,
    )
    contest = compare(mine, theirs, ground, "less")
    checks = [
        check_latency(contest.latencies[0], section),
        note_test_split(champion.number, champion.tags.get("test_digest", ""), digest),
        *check_champion(champion.number, contest, section),
    ]
    higher = tuple(head for head, first in contest.decided().items() if first)
    return Verdict(tuple(checks), champion.number if contest.heads else "", higher)


def _alone(mine: Contestant, passed: bool, reason: str, section: RegisterParams) -> Verdict:
    (milliseconds,) = latencies([mine.runtime])
    checks = check_latency(milliseconds, section), Check("champion", passed, reason)
    return Verdict(checks, "", ())


def _metrics(stage: str) -> dict[str, float]:
    path = reports(stage) / "metrics.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {name: float(value) for name, value in found.items()}
    except FileNotFoundError:
        raise PreparedDataError(f"{path} is missing: make it with `dvc repro {stage}`") from None


def _register(name: str, judged: Judged, run_id: str) -> Registered:
    info = judged.runtime.info
    description = _description(judged.verdict, reports("evaluate") / "card.md")
    number = tracking.version_by_digest(name, info.digest)
    new = number is None
    if number is None:
        origin = {
            "bundle_digest": info.digest,
            "data_digest": info.lineage.data_digest,
            "params_digest": info.lineage.params_digest,
            "git_commit": info.lineage.git_commit,
        }
        tags = origin | judged.tags()
        number = tracking.register_bundle(judged.runtime.folder, name, run_id, tags, description)
    else:
        tracking.set_version_tags(name, number, judged.tags())
        tracking.describe_version(name, number, description)
    tracking.set_alias(name, tracking.CHALLENGER, number)
    return Registered(name, number, new, judged.verdict)


def _description(verdict: Verdict, card: Path) -> str:
    """Return the verdict, and as much of the model card as fits, for a version's page.

    Without the card's title and its pictures, which such a page lacks.
    """
    sentence = verdict.sentence[0].upper() + verdict.sentence[1:]
    lines = [f"**{sentence}.**\n\n", *verdict.brief().splitlines(keepends=True), "\n"]
    if card.exists():
        whole = card.read_text(encoding="utf-8").splitlines(keepends=True)
        lines += [line for line in whole if not line.startswith(("# ", "!["))]
    text, rest = "", "\n… the whole card is `evaluate/card.md` among the run's artifacts.\n"
    for line in lines:
        if len(text) + len(line) + len(rest) > LONGEST_DESCRIPTION:
            return text + rest
        text += line
    return text


def _report(registered: Registered, judged: Judged, folder: Path) -> None:
    verdict, digest = judged.verdict, judged.runtime.info.digest
    write_json(
        folder / "verdict.json",
        {
            "version": int(registered.number),
            **verdict.document(),
            "bundle_digest": digest,
            "test_digest": judged.test_digest,
        },
    )
    write_text(
        folder / "verdict.md",
        f"# {registered.name} version {registered.number}: {verdict.sentence}\n\n"
        f"{verdict.table()}\nBundle `{digest}`.\n",
    )
