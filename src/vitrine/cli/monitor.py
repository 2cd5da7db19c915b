"""`vitrine monitor`."""
# ruff: noqa: PLR0913, PLR0917 - an option of a command is an argument of its function

import json
import re
import time
from datetime import timedelta
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vitrine.core.layout import artifacts, reports
from vitrine.monitoring.limits import DEFAULTS, Limits

if TYPE_CHECKING:
    from vitrine.core.params import ImageParams
    from vitrine.monitoring.reference import Reference
    from vitrine.monitoring.window import Wanted, Window

REFERENCE = "reference.npz"

DRIFT = 3
"""The exit status of drift; 1 is an error, 2 a wrong command line."""
UNITS = {"d": "days", "h": "hours", "m": "minutes"}


def _duration(text: str) -> timedelta:
    if not (found := re.fullmatch(r"(\d+)([dhm])", text)):
        raise typer.BadParameter(f"must be a number with d, h or m, like 7d, but got {text!r}")
    try:
        return timedelta(**{UNITS[found[2]]: int(found[1])})
    except OverflowError:
        raise typer.BadParameter(f"{text} is longer than any log") from None


def command(
    logs: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Folders of VITRINE_SERVING_LOG, one a machine. Without any, only the reference "
            "is made."
        ),
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option(
            help="The reference.npz that this command made elsewhere, instead of artifacts/."
        ),
    ] = None,
    model: Annotated[
        str,
        typer.Option(help="A version, or the start of a bundle digest; else what answered last."),
    ] = "",
    since: Annotated[
        timedelta | None,
        typer.Option(parser=_duration, metavar="7d|12h|30m", help="Only the answers since then."),
    ] = None,
    last: Annotated[int, typer.Option(min=1, help="At most so many answers, the newest.")] = 5_000,
    distance: Annotated[
        float, typer.Option(min=0, max=1, help="The share of images that must lie differently.")
    ] = DEFAULTS.distance,
    auc: Annotated[
        float, typer.Option(min=0.5, max=1, help="How well embeddings must be told apart.")
    ] = DEFAULTS.auc,
    chance: Annotated[
        float, typer.Option(min=0, max=1, help="The chance of a false alarm, of all features.")
    ] = DEFAULTS.chance,
    min_images: Annotated[
        int, typer.Option(min=20, help="With fewer, nothing is said of a feature.")
    ] = DEFAULTS.min_images,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Compare what the service saw with the training data; exit with 3 where it has drifted."""
    from vitrine.core.files import write_json, write_text
    from vitrine.monitoring.page import render
    from vitrine.monitoring.report import MARKDOWN, METRICS, PAGE, judge
    from vitrine.monitoring.window import Wanted

    if reference and not logs:
        raise typer.BadParameter(
            "needs the folder of a log to compare with", param_hint="--reference"
        )
    folder = reports("monitor")
    window = None
    if logs:
        start = 0.0 if since is None else time.time() - since.total_seconds()
        window = _read(logs, Wanted(model, start, last))
        if window is None:
            _say_nothing(folder, as_json)
            return
    normal = _reference(reference, folder / REFERENCE)
    if window is None:
        typer.echo(
            f"Made {folder / REFERENCE}: {normal.sample.images:,} images, answered by the bundle "
            f"{normal.bundle_digest[:12]}. Give it with --reference where the log is."
        )
        return
    report = judge(window, normal, Limits(distance, auc, chance, min_images))
    write_text(folder / PAGE, render(report))
    write_text(folder / MARKDOWN, report.markdown())
    write_json(folder / METRICS, report.metrics())
    typer.echo(json.dumps(report.metrics(), indent=2) if as_json else report.describe(folder))
    if report.compared.drifted:
        raise typer.Exit(DRIFT)


def _say_nothing(folder: Path, as_json: bool) -> None:
    """Say that there is no answer to compare; an earlier report is not left to say otherwise."""
    from vitrine.core.files import write_json
    from vitrine.monitoring.report import MARKDOWN, METRICS, NOTHING, PAGE

    for name in (PAGE, MARKDOWN):
        (folder / name).unlink(missing_ok=True)
    write_json(folder / METRICS, NOTHING)
    text = "No answer is young enough: not enough to say."
    typer.echo(json.dumps(NOTHING, indent=2) if as_json else text)


def _read(logs: list[Path], wanted: "Wanted") -> "Window | None":
    from vitrine.core.params import Params
    from vitrine.monitoring.reference import PIXEL_FACTS
    from vitrine.monitoring.window import find_window
    from vitrine.quality.measuring import measure_bytes
    from vitrine.serving.prediction_log import read_log

    @cache
    def image() -> "ImageParams":
        return Params.load().image

    def measure(data: bytes) -> dict[str, float | None]:
        facts = measure_bytes(data, image(), "a logged image")
        return {name: getattr(facts, name) for name in PIXEL_FACTS}

    return find_window(lambda: chain.from_iterable(map(read_log, logs)), wanted, measure)


def _reference(given: Path | None, made: Path) -> "Reference":
    """Read the reference that is given; else make it of artifacts/ and keep it."""
    from vitrine.bundle.runtime import Runtime
    from vitrine.monitoring.reference import FACTS, Reference, make_reference
    from vitrine.quality.facts import FACTS_FILE, read_columns

    if given:
        return Reference.load(given)
    facts = read_columns(artifacts("validate") / FACTS_FILE, ("image", *FACTS))
    reference = make_reference(Runtime(artifacts("export")), artifacts("prepare"), facts)
    reference.save(made)
    return reference
