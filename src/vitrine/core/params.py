"""params.yaml as typed, frozen sections. The file is the one source: no key has a default here."""

import difflib
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from vitrine.core.digests import json_digest
from vitrine.core.errors import ParamsError

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=0)]
Severities = Mapping[
    str,
    Annotated[
        Literal["error", "warning", "off"],
        # YAML reads a bare `off` as false.
        BeforeValidator(lambda value: "off" if value is False else value),
    ],
]
Channel = Annotated[int, Field(ge=0, le=255)]


class Section(BaseModel):
    """A group of keys: frozen, complete, and without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ImageParams(Section):
    """How bytes become the pixels that the network sees, and what is refused."""

    height: Positive
    width: Positive
    fit: Literal["letterbox", "crop", "stretch"]
    background: tuple[Channel, Channel, Channel]
    interpolation: Literal["nearest", "bilinear", "bicubic", "lanczos"]
    max_bytes: Positive
    max_pixels: Positive


class IntegrityParams(Section):
    """Files: what is allowed, and what repeats another one."""

    formats: tuple[str, ...]
    min_side: Positive
    max_conflict_share: Share
    max_duplicate_share: Share
    near_duplicate_distance: Annotated[int, Field(ge=0, le=5)]
    near_duplicate_similarity: Share


class LabelsParams(Section):
    """Classes: how many images they need."""

    min_images_per_class: Positive
    max_missing_share: Share
    max_conflict_share: Share
    max_imbalance: Annotated[float, Field(ge=1)]


class QualityParams(Section):
    """Pictures: what a person would not put into a catalogue."""

    tolerated_share: Share
    min_brightest: Annotated[float, Field(ge=0, le=255)]
    max_darkest: Annotated[float, Field(ge=0, le=255)]
    min_sharpness: Annotated[float, Field(ge=0)]
    min_contrast: Annotated[float, Field(ge=0)]
    max_size_ratio: Annotated[float, Field(ge=1)]
    max_aspect_ratio: Annotated[float, Field(ge=1)]
    min_colourfulness: Annotated[float, Field(ge=0)]
    max_grey_share: Share
    max_repetition: Share


class ChangeParams(Section):
    """How much the data may differ from its earlier version."""

    compare_with: str
    max_label_psi: Annotated[float, Field(ge=0)]
    max_fact_psi: Annotated[float, Field(ge=0)]


class ValidateParams(Section):
    """Thresholds of the data checks, by suite."""

    workers: Count
    severity: Severities
    integrity: IntegrityParams
    labels: LabelsParams
    quality: QualityParams
    change: ChangeParams


class PrepareParams(Section):
    """How the data is split and sharded."""

    workers: Count
    severity: Severities
    val_share: Share
    test_share: Share
    shard_megabytes: Positive
    min_shards: Positive
    seed: int

    @model_validator(mode="after")
    def _leave_train(self) -> Self:
        if self.val_share + self.test_share >= 1:
            raise ValueError("val_share and test_share must leave some images for train")
        return self


class Range(Section):
    """Values of a searched key: an interval, or a list of choices."""

    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: tuple[float | int | str, ...] | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        interval = self.low is not None and self.high is not None
        if interval == (self.choices is not None):
            raise ValueError("must be {low, high, log} or {choices}")
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise ValueError(f"low must be below high, but got {self.low} and {self.high}")
        return self


class TuneParams(Section):
    """The search over keys of train."""

    trials: Count
    epochs: Positive
    max_images: Positive
    seed: int
    search: Mapping[str, Range]

    @model_validator(mode="after")
    def _known(self) -> Self:
        for key in self.search:
            if key not in TrainParams.model_fields or key == "augment":
                raise ValueError(f"search names {key!r}, which is no searchable key of train")
        return self


class AugmentParams(Section):
    """Random changes of training images; 0 or false switches one off."""

    flip: bool
    rotation: Share
    zoom: Share
    shift: Share
    color: Share


class TrainParams(Section):
    """The network and how it is fitted."""

    backbone: str
    weights: str
    epochs: Positive
    min_steps: Count
    batch_size: Positive
    learning_rate: Annotated[float, Field(gt=0)]
    warmup_share: Share
    optimizer: Literal["adam", "adamw"]
    weight_decay: Annotated[float, Field(ge=0)]
    dropout: Annotated[float, Field(ge=0, lt=1)]
    label_smoothing: Annotated[float, Field(ge=0, lt=1)]
    style_weight: Annotated[float, Field(ge=0)]
    category_weight: Annotated[float, Field(ge=0)]
    augment: AugmentParams
    patience: Positive
    precision: Literal["auto", "float32", "bfloat16"]
    deterministic: bool
    seed: int


class ExportParams(Section):
    """What the bundle holds beside the graph, and how close it must be to the Keras model."""

    golden_images: Positive
    tolerance: Annotated[float, Field(gt=0)]


class EvaluateParams(Section):
    """How the bundle is measured."""

    batch_size: Positive
    bootstrap: Count
    calibration_bins: Positive
    seed: int


class RegisterParams(Section):
    """The registered model's name and the gate's limits."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9_.-]{0,61}[a-z0-9])?$")]
    min_style_macro_f1: Share
    min_category_macro_f1: Share
    margin: Share


class Params(Section):
    """The whole of params.yaml."""

    image: ImageParams
    validate_: ValidateParams = Field(alias="validate")
    prepare: PrepareParams
    tune: TuneParams
    train: TrainParams
    export: ExportParams
    evaluate: EvaluateParams
    register_: RegisterParams = Field(alias="register")

    @classmethod
    def load(cls, path: Path = Path("params.yaml")) -> Self:
        """Read and check params.yaml.

        Raises:
            ParamsError: The file is missing or no YAML, a key is unknown or missing, or a value is
                not allowed. The message names the key and, for a misspelt one, the nearest known.
        """
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ParamsError(
                f"{path} is missing: run the command from the root of the repository"
            ) from None
        except (UnicodeDecodeError, yaml.YAMLError) as error:
            first = str(error).replace("\n", " ")
            raise ParamsError(f"{path} is not valid UTF-8 YAML: {first}; correct it") from None
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            raise ParamsError(f"{path}: {_explain(cls, error)}") from None

    def digest(self) -> str:
        """Return the SHA-256 of all values."""
        return json_digest(self.model_dump(mode="json", by_alias=True))


S = TypeVar("S", bound=Section)


def override(section: S, values: Mapping[str, object]) -> S:
    """Return a copy of a section with some keys replaced and everything checked again.

    Raises:
        ParamsError: A key is unknown or a value is not allowed.
    """
    try:
        return type(section).model_validate({**section.model_dump(), **values})
    except ValidationError as error:
        raise ParamsError(_explain(type(section), error)) from None


def _explain(model: type[BaseModel], error: ValidationError) -> str:
    # An unknown key explains the missing one that it stands for, so it comes first.
    problems = sorted(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")
    problem = problems[0]
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "missing":
        return f"the key {key} is missing; add it"
    if problem["type"] == "extra_forbidden":
        *parents, last = (str(part) for part in problem["loc"])
        near = difflib.get_close_matches(last, _keys(model, parents), n=1)
        hint = f"did you mean {'.'.join([*parents, near[0]])}?" if near else "remove it"
        return f"{key} is not a known key; {hint}"
    message = problem["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    if not problem["loc"] or isinstance(problem["input"], dict):
        return f"{key}: {message}" if key else message
    return f"{key}: {message}, but got {problem['input']!r}"


def _keys(model: type[BaseModel], parents: list[str]) -> list[str]:
    for parent in parents:
        field = next(
            (f for name, f in model.model_fields.items() if (f.alias or name) == parent), None
        )
        annotation = field.annotation if field else None
        if isinstance(annotation, types.GenericAlias) or typing.get_origin(annotation):
            annotation = next((a for a in typing.get_args(annotation) if isinstance(a, type)), None)
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return [field.alias or name for name, field in model.model_fields.items()]
