"""bundle.json: what a bundle holds, how its images are made, and where it comes from."""

from pathlib import Path, PurePath
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from vitrine.core.digests import file_digest, json_digest
from vitrine.core.errors import BundleError
from vitrine.core.files import write_json
from vitrine.core.params import ImageParams, Precision
from vitrine.core.taxonomy import HEADS, Head, Taxonomy

FORMAT_VERSION = 3
WITHOUT_CHOICE = 2
"""The version that did not say what is computed in: it is f32. It is still read."""
INFO = "bundle.json"
GRAPH = "model.xml"
WEIGHTS = "model.bin"
NETWORK = "model.keras"
GOLDEN = "golden.npz"
FILES = (GRAPH, WEIGHTS, NETWORK, GOLDEN)


def _plain(name: str) -> str:
    if PurePath(name).name != name:
        raise ValueError(f"must be the name of a file in the bundle's folder, but got {name!r}")
    return name


class Lineage(BaseModel):
    """Where a bundle comes from.

    Args:
        git_commit: The commit that was checked out at the export; `unknown` outside a repository.
        data_digest: The data version that data.dvc names.
        params_digest: The digest of params.yaml's values.
        run_id: The MLflow run that trained the network.
        created: When the bundle was exported: UTC, ISO 8601.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    git_commit: str
    data_digest: str
    params_digest: str
    run_id: str
    created: str


class MeasuredPrecision(BaseModel):
    """How fast and how good the network was in one precision, on the val split.

    Args:
        precision: What was computed in.
        images_per_second: On one CPU thread.
        agreement: By head, the share of the answers that are those of f32.
        accuracy: By head that labels are known of, the share of the answers that are right.
        macro_f1: By such a head, the mean F1 of the classes that occur.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    precision: Precision
    images_per_second: float
    agreement: dict[Head, float]
    accuracy: dict[Head, float]
    macro_f1: dict[Head, float]


class Computing(BaseModel):
    """What a bundle's graph computes in.

    Args:
        precision: What was chosen when it was exported.
        measured: What the choice was made from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    precision: Precision
    measured: tuple[MeasuredPrecision, ...]


class BundleInfo(BaseModel):
    """The content of bundle.json.

    Args:
        format_version: The version of this form, 3; a bundle of 2 has no `computing`.
        image: How bytes become the pixels that the graph takes.
        taxonomy: The labels in the order of the outputs.
        outputs: The names of the graph's outputs.
        calibration: The temperature that divides a head's logits before the softmax.
        precision: Which share of a head's sure answers should be right, 0 to 1.
        thresholds: By head, the calibrated probability from which on an answer is sure; above 1
            where no answer is (see `vitrine.bundle.abstention`).
        tolerance: How far a probability may be from the expected one in a proof, 0 to 1.
        files: The SHA-256 of every other file of the bundle.
        lineage: Where the bundle comes from.
        computing: What the graph computes in.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: int
    image: ImageParams
    taxonomy: Taxonomy
    outputs: tuple[str, ...]
    calibration: dict[Head, float]
    precision: float
    thresholds: dict[Head, float]
    tolerance: Annotated[float, Field(gt=0)]
    files: dict[Annotated[str, AfterValidator(_plain)], str]
    lineage: Lineage
    computing: Computing = Computing(precision="f32", measured=())

    @property
    def heads(self) -> tuple[Head, ...]:
        """The heads that the network answers: those with at least one label."""
        return tuple(head for head in HEADS if head in self.outputs)

    @property
    def digest(self) -> str:
        """One SHA-256 for all that decides the answers.

        That is every file and setting, but neither the lineage nor what was measured.
        """
        unsaid = True if self.format_version == WITHOUT_CHOICE else {"measured"}
        return json_digest(
            self.model_dump(mode="json", exclude={"lineage": True, "computing": unsaid})
        )

    def save(self, folder: Path) -> None:
        """Write bundle.json into a folder."""
        write_json(folder / INFO, self.model_dump(mode="json"))


class _Version(BaseModel):
    """The one key that every version of bundle.json has."""

    format_version: int


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file that a bundle must have, by name."""
    return {name: file_digest(folder / name) for name in FILES}


def load_info(folder: Path) -> BundleInfo:
    """Read a bundle's description and check every file against it.

    Raises:
        BundleError: The folder is no bundle, has another format version, or a file of it is
            missing or differs from its digest.
    """
    info = _read(folder)
    for name in FILES:
        if name not in info.files:
            raise BundleError(f"{folder / INFO} does not list {name}: export the bundle again")
    for name, expected in info.files.items():
        try:
            found = file_digest(folder / name)
        except FileNotFoundError:
            raise BundleError(
                f"{folder / name} is missing from the bundle: export or fetch it again"
            ) from None
        if found != expected:
            raise BundleError(
                f"{folder / name} is damaged: its SHA-256 must be {expected[:12]}…, but is "
                f"{found[:12]}…; export or fetch the bundle again"
            )
    return info


def _read(folder: Path) -> BundleInfo:
    path = folder / INFO
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        raise BundleError(
            f"{folder} is no bundle, it has no {INFO}: make one with `dvc repro export`"
        ) from None
    except UnicodeDecodeError:
        raise BundleError(f"{path} is not UTF-8 text: export or fetch the bundle again") from None
    try:
        found = _Version.model_validate_json(text).format_version
        readable = found in (WITHOUT_CHOICE, FORMAT_VERSION)
        info = BundleInfo.model_validate_json(text) if readable else None
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"]) or "the document"
        raise BundleError(
            f"{path}: {where}: {problem['msg']}; export or fetch the bundle again"
        ) from None
    if info is None:
        raise BundleError(
            f"{path} has the format version {found}, but this Vitrine reads "
            f"{WITHOUT_CHOICE} and {FORMAT_VERSION}: use the Vitrine that made it, or export it "
            "again"
        )
    return info
