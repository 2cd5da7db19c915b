"""The sections of params.yaml that say how a network learns."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from vitrine.core.params.sections import Count, Positive, Section, Share


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


class PretrainParams(Section):
    """What the backbone learns from images alone, before it sees a label."""

    method: Literal["none", "simclr"]
    epochs: Positive
    batch_size: Annotated[int, Field(ge=2)]
    learning_rate: Annotated[float, Field(gt=0)]
    warmup_share: Share
    weight_decay: Annotated[float, Field(ge=0)]
    zoom: Annotated[float, Field(ge=0, lt=1)]
    color: Share
    projection: Positive
    temperature: Annotated[float, Field(gt=0)]
    seed: int


NESTED = ("augment", "fine_tune", "transfer")
"""Keys of train that are sections of their own: a search takes only single values."""


class TuneParams(Section):
    """The search over keys of train."""

    trials: Count
    minutes: Annotated[float, Field(ge=0)]
    epochs: Positive
    max_images: Positive
    seed: int
    storage: str
    search: Mapping[str, Range]

    @model_validator(mode="after")
    def _known(self) -> Self:
        for key in self.search:
            if key not in TrainParams.model_fields or key in NESTED:
                raise ValueError(f"search names {key!r}, which is no searchable key of train")
        return self


class AugmentParams(Section):
    """Random changes of training images; 0 or false switches one off."""

    flip: bool
    rotation: Share
    zoom: Share
    shift: Share
    color: Share
    randaugment: Share
    erasing: Share
    mixup: Share
    cutmix: Share


class TransferParams(Section):
    """What is done with a backbone that has learned something else before."""

    head_epochs: Count
    rate_decay: Annotated[float, Field(gt=0, le=1)]


class FineTuneParams(Section):
    """What differs where the training goes on from the champion."""

    epochs: Positive
    min_steps: Count
    learning_rate: Annotated[float, Field(gt=0)]


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
    stochastic_depth: Annotated[float, Field(ge=0, lt=1)]
    label_smoothing: Annotated[float, Field(ge=0, lt=1)]
    logit_adjustment: Annotated[float, Field(ge=0)]
    ema_decay: Annotated[float, Field(ge=0, lt=1)]
    style_weight: Annotated[float, Field(ge=0)]
    category_weight: Annotated[float, Field(ge=0)]
    augment: AugmentParams
    transfer: TransferParams
    fine_tune: FineTuneParams
    patience: Positive
    precision: Literal["auto", "float32", "bfloat16"]
    deterministic: bool
    seed: int

    @property
    def continues(self) -> bool:
        """Whether the training goes on from the champion, by `fine_tune`."""
        return self.weights == "champion"
