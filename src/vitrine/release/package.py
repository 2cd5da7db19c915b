"""From the registry into BentoML's store: a version's bundle as a model, and as a proven Bento."""

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vitrine.bundle.format import load_info
from vitrine.bundle.golden import prove
from vitrine.bundle.runtime import Runtime
from vitrine.core.errors import BundleError, ReleaseError
from vitrine.core.files import write_text
from vitrine.core.pin import BENTOFILE, pinned
from vitrine.release.bento import bento_tag, build_bento, has_bento, prove_bento
from vitrine.tracking import Version, download_bundle


@dataclass(frozen=True, slots=True)
class Packaged:
    """A version in BentoML's store.

    Args:
        version: The version in the registry.
        tag: The model in the store.
        bento: The Bento of this model and the code here.
        difference: How far the Bento's golden answers were off, as the largest difference of a
            probability.
        stored: Whether the model was put into the store now; False when it was there already.
        built: Whether the Bento was built now.
    """

    version: Version
    tag: str
    bento: str
    difference: float
    stored: bool
    built: bool

    def describe(self) -> str:
        """Return the lines that a person sees."""
        store = "was put into BentoML's store" if self.stored else "is in BentoML's store already"
        build = "was built" if self.built else "is there already"
        return (
            f"version {self.version.number} of {self.version.name} {store} as {self.tag}\n"
            f"the Bento {self.bento} {build}; served, it gives its golden answers: the largest "
            f"difference is {self.difference:.1g}"
        )


def model_tag(version: Version) -> str:
    """Return the tag that a version has as a model in BentoML's store."""
    return f"{version.name}:v{version.number}-{version.bundle_digest[:8]}"


def is_stored(version: Version) -> bool:
    """Return whether a version's bundle lies whole in BentoML's store."""
    return _stored(version) is not None


def read_bentofile() -> str:
    """Return the text of bentofile.yaml in the working directory.

    Raises:
        ReleaseError: There is none.
    """
    try:
        return BENTOFILE.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ReleaseError(
            f"{BENTOFILE} is missing: run the command from the root of the repository"
        ) from None


def package(version: Version) -> Packaged:
    """Put a version into BentoML's store as a model and as a Bento, and prove both.

    bentofile.yaml stays as it is. Doing it again changes nothing; whatever fails, no half of a
    model or Bento is left in the store.

    Args:
        version: With a bundle of Vitrine's.

    Raises:
        BundleError: The bundle is damaged, or does not give its golden answers on this machine,
            by itself or in the Bento.
        ServiceError: The Bento does not come up.
        ReleaseError: The Bento cannot be built, or bentofile.yaml has another form.
        TrackingError: The registry does not answer.
    """
    # Read by BentoML when it has saved a model.
    os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")
    tag = model_tag(version)
    bentofile = pinned(read_bentofile(), tag)
    there = _stored(version)
    bundle = there or download_bundle(version.name, version.number)
    prove(Runtime(bundle))
    if there is None:
        _store(tag, bundle, version)
    bento = bento_tag(tag, bentofile)
    built = not has_bento(bento)
    if built:
        labels = {"version": version.number, "bundle_digest": version.bundle_digest}
        build_bento(bento, bentofile, labels)
    difference = prove_bento(bento, bundle)
    return Packaged(version, tag, bento, difference, stored=there is None, built=built)


def pin(tag: str) -> str:
    """Write a model's tag into bentofile.yaml, which a running service follows.

    Returns:
        The text of the file before.

    Raises:
        ReleaseError: The file is missing, or has another form.
    """
    before = read_bentofile()
    after = pinned(before, tag)
    if after != before:
        write_text(BENTOFILE, after)
    return before


def _stored(version: Version) -> Path | None:
    import bentoml

    try:
        folder = Path(bentoml.models.get(model_tag(version)).path)
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
