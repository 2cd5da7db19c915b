"""Every link from an answer of the service back to the training rows, each walked and checked."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from vitrine import tracking
from vitrine.bundle.format import BundleInfo, load_info
from vitrine.core.errors import BundleError, DataError, ReleaseError
from vitrine.core.layout import DATA_POINTER
from vitrine.quality.earlier import Earlier, version_at
from vitrine.quality.earlier_data import EarlierData
from vitrine.release.bento import NAME as BENTO
from vitrine.release.versions import find
from vitrine.tracking import Version

MARKS = {"holds": "✓", "broken": "✗", "unknown": "?"}
DIGEST = re.compile(r"[0-9a-f]{8,64}")
SHORT = 12
"""Characters of a digest in a line."""


@dataclass(frozen=True, slots=True)
class Link:
    """One link.

    Args:
        name: From what to what.
        state: `holds`; `broken`, when both sides are there and differ, or one is gone; `unknown`,
            when this machine cannot tell.
        text: What was found.
    """

    name: str
    state: Literal["holds", "broken", "unknown"]
    text: str


@dataclass(frozen=True, slots=True)
class Served:
    """A Bento or a model in BentoML's store, and the digest of its bundle."""

    kind: Literal["Bento", "model"]
    tag: str
    digest: str


@dataclass(frozen=True, slots=True)
class Lineage:
    """All links of one version, from the service's side to the data's."""

    version: Version
    links: tuple[Link, ...]

    @property
    def broken(self) -> list[Link]:
        """The links that do not hold."""
        return [link for link in self.links if link.state == "broken"]

    def describe(self) -> str:
        """Return one line a link."""
        width = max(len(link.name) for link in self.links)
        lines = [
            f"  {MARKS[link.state]} {link.name.ljust(width)}  {link.text}" for link in self.links
        ]
        title = f"{self.version.name} version {self.version.number}"
        return "\n".join([title, *lines])

    def document(self) -> dict[str, Any]:
        """Return the same as a JSON-like value."""
        links = [asdict(link) for link in self.links]
        return {"model": self.version.name, "version": self.version.number, "links": links}


def lineage(name: str, what: str) -> Lineage:
    """Walk from a version, a Bento, a model in BentoML's store or a bundle to the training rows.

    Args:
        name: Of the registered model.
        what: A version's number or alias, a tag in BentoML's stores (`vitrine-api:…`,
            `vitrine:…`), or the digest of a bundle or at least its first eight characters.

    Raises:
        ReleaseError: There is no such thing.
        TrackingError: The registry does not answer.
    """
    tracking.check()
    chain = _in_store(what) if ":" in what else []
    version = _find(name, chain[-1].digest if chain else what)
    entry = [_served(served, version) for served in chain]
    return Lineage(version, (*entry, *registry_links(version), *data_links(version)))


def registry_links(version: Version) -> list[Link]:
    """Check what the registry, the run and the bundle say of each other.

    Args:
        version: Any.

    Raises:
        TrackingError: The registry does not answer.
    """
    try:
        info = load_info(tracking.download_bundle(version.name, version.number))
    except BundleError as error:
        return [Link("version → bundle", "broken", str(error))]
    return [
        Link("version → bundle", "holds", f"every file of {info.digest[:SHORT]} as described"),
        _run(version, info),
        _verdict(version, info),
        _same("version → data", version.tags.get("data_digest", ""), info.lineage.data_digest),
        _same(
            "version → params", version.tags.get("params_digest", ""), info.lineage.params_digest
        ),
        _same("version → commit", version.tags.get("git_commit", ""), info.lineage.git_commit),
    ]


def data_links(version: Version) -> Iterator[Link]:
    """Check that git has the commit, and DVC the rows that the version was trained on."""
    commit, digest = (version.tags.get(key, "") for key in ("git_commit", "data_digest"))
    earlier = version_at(commit) if commit else None
    if earlier is None:
        yield Link("commit → data.dvc", "unknown", f"git knows no commit {commit[:SHORT]} here")
    elif earlier.digest == digest:
        yield Link("commit → data.dvc", "holds", f"{earlier} names {digest[:SHORT]}")
    else:
        text = f"{earlier} names {earlier.digest[:SHORT]}: data.dvc was not committed before"
        yield Link("commit → data.dvc", "unknown", f"{text} the training")
    yield _rows(earlier or Earlier(commit, "unknown date", digest), digest)


def _rows(earlier: Earlier, digest: str) -> Link:
    if not DATA_POINTER.exists():
        return Link("data → rows", "unknown", f"no {DATA_POINTER} here to ask DVC by")
    try:
        with EarlierData(replace(earlier, digest=digest)) as data:
            rows = sum(1 for _ in data.rows())
    except DataError as error:
        return Link("data → rows", "broken", str(error))
    return Link("data → rows", "holds", f"{rows} rows in DVC's cache or remote")


def _run(version: Version, info: BundleInfo) -> Link:
    name = "version → run"
    found = tracking.run_facts(version.run_id)
    if found is None:
        return Link(name, "broken", f"MLflow has no run {version.run_id or '(none named)'}")
    if info.lineage.run_id != version.run_id:
        text = f"the version names the run {version.run_id}, its bundle {info.lineage.run_id}"
        return Link(name, "broken", text)
    trained = found.tags.get("data_digest", "")
    if trained != info.lineage.data_digest:
        text = f"the run {version.run_id} was trained on the data {trained or '(not noted)'}, "
        return Link(name, "broken", f"{text}its bundle names {info.lineage.data_digest}")
    return Link(name, "holds", f"{version.run_id}, trained on the same data")


def _verdict(version: Version, info: BundleInfo) -> Link:
    name = "version → verdict"
    kept = tracking.run_file(version.run_id, f"{tracking.verdict_folder(info.digest)}/verdict.json")
    verdict: dict[str, Any] = {}
    with suppress(ValueError):
        verdict = json.loads(kept or b"{}")
    if not verdict:
        return Link(name, "broken", "the run holds no verdict of the gate on this bundle")
    tagged = version.tags.get("gate", "none")
    if verdict.get("bundle_digest") != info.digest or verdict.get("gate") != tagged:
        found = f"{verdict.get('gate')} for {str(verdict.get('bundle_digest'))[:SHORT]}"
        return Link(name, "broken", f"the tag gate is {tagged}, the run's verdict {found}")
    return Link(name, "holds", f"the gate {tagged}")


def _same(name: str, tagged: str, noted: str) -> Link:
    if tagged == noted and tagged:
        return Link(name, "holds", tagged[:SHORT])
    text = f"the version's tag says {tagged or 'nothing'}, its bundle {noted or 'nothing'}"
    return Link(name, "broken", text)


def _find(name: str, what: str) -> Version:
    if not DIGEST.fullmatch(what):
        return find(name, what)
    number = tracking.version_by_digest(name, what)
    version = tracking.find_version(name, number) if number else None
    if version is None:
        raise ReleaseError(f"no version of the model {name!r} in MLflow has the bundle {what}")
    return version


def _in_store(tag: str) -> list[Served]:
    """Return what a tag names in BentoML's stores: a Bento and its model, or a model."""
    import bentoml

    chain = []
    try:
        if tag.startswith(f"{BENTO}:"):
            bento = bentoml.bentos.get(tag)
            (model,) = bento.info.all_models
            chain.append(
                Served("Bento", str(bento.tag), bento.info.labels.get("bundle_digest", ""))
            )
            tag = str(model.tag)
        folder = Path(bentoml.models.get(tag).path)
        chain.append(Served("model", tag, load_info(folder).digest))
    except (bentoml.exceptions.BentoMLException, ValueError) as error:
        raise ReleaseError(f"BentoML's store has no model for {tag}: {error}") from None
    return chain


def _served(served: Served, version: Version) -> Link:
    name = f"{served.kind} → version"
    if served.digest == version.bundle_digest:
        return Link(name, "holds", f"{served.tag} holds {served.digest[:SHORT]}")
    text = f"{served.tag} holds {served.digest or 'no noted bundle'}, the version "
    return Link(name, "broken", f"{text}{version.bundle_digest}")
