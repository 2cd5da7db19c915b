"""The sections of params.yaml: each stage's keys, their types and what is allowed."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from vitrine.core.taxonomy import Head

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
Measure = Literal[
    "accuracy",
    "top3_accuracy",
    "balanced_accuracy",
    "macro_precision",
    "macro_recall",
    "macro_f1",
    "weighted_precision",
    "weighted_recall",
    "weighted_f1",
]
"""The measures of a head that a floor can be set for."""


Precision = Literal["f32", "bf16", "int8"]
"""What a bundle computes in, from the exactest to the coarsest."""


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


class ExportParams(Section):
    """What the bundle holds, what it computes in, and how close it must be to the Keras model."""

    golden_images: Positive
    tolerance: Annotated[float, Field(gt=0)]
    sure_precision: Annotated[float, Field(ge=0, lt=1)]
    precisions: tuple[Precision, ...]
    precision_tolerance: Share

    @model_validator(mode="after")
    def _measurable(self) -> Self:
        if "f32" not in self.precisions:
            raise ValueError("precisions must contain f32, with which the others are compared")
        return self


class BehaviourParams(Section):
    """How test images are changed to see whether their answers stay; strengths are shares."""

    images: Count
    shift: Share
    crop: Annotated[float, Field(ge=0, lt=1)]
    jpeg_quality: Annotated[int, Field(ge=1, le=95)]
    brightness: Annotated[float, Field(ge=0, lt=1)]
    watermark: Share


class AttackParams(Section):
    """How strongly test images are changed by someone who knows the network."""

    images: Count
    epsilon: Annotated[float, Field(ge=1, le=255)]
    steps: Positive


class EvaluateParams(Section):
    """How the bundle is measured."""

    batch_size: Positive
    bootstrap: Count
    calibration_bins: Positive
    min_slice_images: Positive
    behaviour: BehaviourParams
    attack: AttackParams
    seed: int


class RegisterParams(Section):
    """The registered model's name and the gate's limits."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9_.-]{0,61}[a-z0-9])?$")]
    floors: Mapping[Head, Mapping[Measure, Share]]
    margin: Annotated[float, Field(gt=0, le=1)]
    max_slice_drop: Share
    min_slice_images: Positive
    max_calibration_error: Share
    max_latency_ms: Annotated[float, Field(gt=0)]
    max_latency_ratio: Annotated[float, Field(ge=1)]
