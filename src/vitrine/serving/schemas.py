"""The documents that the service sends."""

from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from vitrine.bundle.format import Lineage
from vitrine.core.params import ImageParams
from vitrine.core.taxonomy import Taxonomy

DIGITS = 6


class Document(BaseModel):
    """Base of all documents: frozen and complete."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class HeadAnswer(Document):
    """What the model says about the style or the category of an image."""

    label: str = Field(description="The name of the most probable label.")
    probability: float = Field(description="Its calibrated probability, 0 to 1.")
    probabilities: dict[str, float] = Field(description="The probability of every label, by name.")

    @classmethod
    def of(cls, names: tuple[str, ...], probabilities: NDArray[np.float32]) -> Self:
        """Name the probabilities of a head, (classes,) in the order of the taxonomy."""
        rounded = [round(float(probability), DIGITS) for probability in probabilities]
        best = int(probabilities.argmax())
        return cls(
            label=names[best],
            probability=rounded[best],
            probabilities=dict(zip(names, rounded, strict=True)),
        )


class ModelName(Document):
    """Which model answered."""

    version: str = Field(description="The version in the MLflow registry.")
    bundle_digest: str = Field(description="The SHA-256 of what was served.")


class Classification(Document):
    """The answer to one image. A head without labels in the taxonomy is null."""

    style: HeadAnswer | None
    category: HeadAnswer | None
    model: ModelName


class Refusal(Document):
    """What is pinned but is not answered with."""

    tag: str | None = Field(description="Its tag; null when the bentofile names none.")
    reason: str = Field(description="What is wrong, what was found, what to do.")


class ModelCard(Document):
    """The model that a worker answers with, and where it comes from.

    Workers take up a new model on their own, within seconds of each other. All have when as many
    different ones as there are workers have named its digest, each asked on a connection of its
    own.
    """

    name: str = Field(description="The registered model in MLflow.")
    version: str = Field(description="The version in the MLflow registry.")
    tag: str = Field(description="The model in BentoML's store.")
    bundle_digest: str = Field(description="The SHA-256 of what is served.")
    image: ImageParams = Field(description="How bytes become the pixels that the network sees.")
    taxonomy: Taxonomy = Field(description="The labels that it can answer.")
    lineage: Lineage = Field(description="The commit, data, parameters and run that made it.")
    refused: Refusal | None = Field(
        description="What is pinned but did not come up in this worker; null when nothing is."
    )
    worker: int = Field(description="The process that answered this, by its id.")
    workers: int = Field(description="How many processes answer.")


class Problem(Document):
    """Why a request was refused."""

    error: str = Field(description="What is wrong, what was found, what to do.")
