"""From the registry into BentoML's store: the champion, proven and pinned."""

import os
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import yaml

from vitrine.bundle.format import load_info
from vitrine.bundle.golden import prove
from vitrine.bundle.runtime import Runtime
from vitrine.core.errors import BundleError, ReleaseError
from vitrine.core.files import write_text
from vitrine.tracking import CHAMPION, Version, check, download_bundle, version_of_alias

BENTOFILE = Path("bentofile.yaml")
_MODELS = re.compile(r"^models:.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Packaged:
    """What `vitrine package` found and did.

    Args:
        version: The version in the registry.
        tag: The model in BentoML's store.
        difference: How far its golden answers were off, as the largest difference of a probability.
        stored: Whether it was put into the store now; False when it was there already.
        pinned: Whether bentofile.yaml was changed now.
    """

    version: Version
    tag: str
    difference: float
    stored: bool
    pinned: bool

    def describe(self) -> str:
        """Return what was done and what to do next, for the terminal."""
        store = "was put into BentoML's store" if self.stored else "is in BentoML's store already"
        pin = (
            f"{BENTOFILE} now pins it: commit that line to keep the history of what is served"
            if self.pinned
            else f"{BENTOFILE} pins it already"
        )
        return "\n".join(
            [
                f"version {self.version.number} of {self.version.name} {store} as {self.tag}",
                f"its golden answers hold: the largest difference is {self.difference:.1g}",
                pin,
                "",
                "next:",
                "  bentoml serve                    # here, on port 3000",
                "  bentoml build                    # a Bento of the code and this model, and then",
                "  bentoml serve vitrine-api:latest # from any folder",
            ]
        )


def package(name: str, *, force_failed_gate: str | None = None) -> Packaged:
    """Put the champion into BentoML's store and pin it in bentofile.yaml.

    Doing it again changes nothing. Whatever fails, neither a half of a model is in the store nor is
    anything else pinned than before.

    Args:
        name: Of the registered model.
        force_failed_gate: The number of the version that is taken although its gate failed.

    Raises:
        ReleaseError: There is no champion, its gate failed, or it cannot be pinned.
        BundleError: It is damaged, or does not give its golden answers on this machine.
        TrackingError: The registry does not answer.
    """
    # Read by BentoML when it has saved a model.
    os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")
    check()
    version = _champion(name, force_failed_gate)
    tag = f"{name}:v{version.number}-{version.bundle_digest[:8]}"
    before = _read(BENTOFILE)
    after = _pinned(before, tag)
    stored = _stored(tag, version)
    bundle = stored or download_bundle(name, version.number)
    difference = prove(Runtime(bundle))
    if not stored:
        _store(tag, bundle, version)
    if after != before:
        write_text(BENTOFILE, after)
    return Packaged(version, tag, difference, stored=not stored, pinned=after != before)


def _champion(name: str, force_failed_gate: str | None) -> Version:
    version = version_of_alias(name, CHAMPION)
    if version is None:
        raise ReleaseError(
            f"the model {name!r} has no version with the alias {CHAMPION}: give it in the MLflow "
            "UI or with `vitrine promote VERSION`, then run `vitrine package` again"
        )
    if not version.bundle_digest:
        raise ReleaseError(
            f"version {version.number} of {name!r} was not registered by Vitrine, it has no tag "
            "bundle_digest: promote another one"
        )
    if force_failed_gate not in (None, version.number):
        raise ReleaseError(
            f"the {CHAMPION} is version {version.number}, not {force_failed_gate}: look at it, "
            f"then name {version.number}"
        )
    if not version.gate_passed and force_failed_gate is None:
        reasons = version.tags.get("gate_reasons") or "it has no verdict"
        raise ReleaseError(
            f"version {version.number} of {name!r} did not pass the gate ({reasons}): promote "
            f"another one, or take it with `--force-failed-gate {version.number}`"
        )
    return version


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ReleaseError(
            f"{path} is missing: run the command from the root of the repository"
        ) from None


def _pinned(text: str, tag: str) -> str:
    line = f'models: [{{tag: "{tag}", alias: {CHAMPION}}}]'
    pinned = _MODELS.sub(line, text)
    try:
        as_wanted = yaml.safe_load(pinned) == {**yaml.safe_load(text), **yaml.safe_load(line)}
    except yaml.YAMLError:
        as_wanted = False
    if not as_wanted:
        raise ReleaseError(
            f"{BENTOFILE} must hold its models in one line to be pinned: write `{line}` there"
        )
    return pinned


def _stored(tag: str, version: Version) -> Path | None:
    import bentoml

    try:
        folder = Path(bentoml.models.get(tag).path)
        return folder if load_info(folder).digest == version.bundle_digest else None
    except (bentoml.exceptions.BentoMLException, BundleError):
        return None


def _store(tag: str, bundle: Path, version: Version) -> None:
    import bentoml

    lineage = load_info(bundle).lineage
    metadata = {
        "name": version.name,
        "version": version.number,
        "bundle_digest": version.bundle_digest,
        "gate": version.tags.get("gate", "unknown"),
        **lineage.model_dump(mode="json"),
    }
    labels = {"model": version.name, "version": version.number}
    # BentoML copies file by file: what a killed process has left there must go first.
    with suppress(bentoml.exceptions.NotFound):
        bentoml.models.delete(tag)
    with bentoml.models.create(tag, labels=labels, metadata=metadata) as model:
        for file in bundle.iterdir():
            shutil.copyfile(file, model.path_of(file.name))
