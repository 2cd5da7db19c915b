"""The documents that the service sends."""

from pydantic import BaseModel, ConfigDict, Field

from vitrine.bundle.format import Lineage, MeasuredPrecision
from vitrine.core.params import ImageParams, Precision
from vitrine.core.taxonomy import Head, Taxonomy


class Document(BaseModel):
    """Base of all documents: frozen and complete."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class LabelAnswer(Document):
    """One label and how probable it is."""

    label: str = Field(description="Its name in the taxonomy.")
    probability: float = Field(description="Its calibrated probability, 0 to 1.")
    name: dict[str, str] = Field(description="What people read, by language: `en` and `zh`.")


class HeadAnswer(Document):
    """What the model says about the style or the category of an image."""

    label: str = Field(description="The name of the most probable label.")
    probability: float = Field(description="Its calibrated probability, 0 to 1.")
    unsure: bool = Field(
        description="Whether that is too little for an answer as precise as the model promises."
    )
    top: tuple[LabelAnswer, ...] = Field(description="The most probable labels, best first.")
    probabilities: dict[str, float] = Field(description="The probability of every label, by name.")


class ModelName(Document):
    """Which model answered."""

    version: str = Field(description="The version in the MLflow registry.")
    bundle_digest: str = Field(description="The SHA-256 of what was served.")


class Answer(Document):
    """Base of all answers about images."""

    request_id: str = Field(description="The request's X-Request-Id; made here where it had none.")


class Classification(Answer):
    """The answer to one image. A head without labels in the taxonomy is null."""

    style: HeadAnswer | None
    category: HeadAnswer | None
    model: ModelName


class BatchItem(Document):
    """What became of one image of many: an answer or an error."""

    name: str = Field(description="The name of the file, as it was sent.")
    answer: Classification | None = Field(description="Null where the image cannot be used.")
    error: str | None = Field(description="Why it cannot be used; null where it was answered.")


class BatchAnswer(Answer):
    """The answers to many images, in their order, all by one model."""

    answers: tuple[BatchItem, ...]


class Embedding(Answer):
    """What the model makes of an image before it answers: alike images have alike vectors."""

    embedding: tuple[float, ...] = Field(description="The vector before the heads.")
    model: ModelName


class HeatMap(Answer):
    """Where an image speaks for a label."""

    head: Head
    label: str = Field(description="For which label the evidence is.")
    probability: float = Field(description="Its calibrated probability, 0 to 1.")
    height: int = Field(description="Rows of the map.")
    width: int = Field(description="Columns of the map.")
    values: tuple[tuple[float, ...], ...] = Field(
        description="Row by row, from 0 to 1 at the strongest place. The map lies over the whole "
        "image as the network sees it: see `image` of `GET /model`."
    )
    model: ModelName


class Refusal(Document):
    """What is pinned but is not answered with."""

    tag: str | None = Field(description="Its tag; null when the bentofile names none.")
    reason: str = Field(description="What is wrong, what was found, what to do.")


class Computing(Document):
    """What the answers are computed by."""

    runtime: str = Field(description="What runs the network: `openvino` or `tensorflow`.")
    device: str = Field(description="The chip, as it calls itself.")
    precision: Precision = Field(
        description="What is computed in; f32 where the chip lacks what was chosen."
    )
    chosen: Precision = Field(description="What the export chose for openvino.")
    measured: tuple[MeasuredPrecision, ...] = Field(
        description="What it chose from, measured on the val split where the model was exported."
    )


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
    thresholds: dict[Head, float] = Field(
        description="By head, the probability below which an answer is unsure."
    )
    computing: Computing = Field(description="What the answers are computed by.")
    explains: tuple[Head, ...] = Field(description="The heads that have heat maps.")
    lineage: Lineage = Field(description="The commit, data, parameters and run that made it.")
    refused: Refusal | None = Field(
        description="What is pinned but did not come up in this worker; null when nothing is."
    )
    worker: int = Field(description="The process that answered this, by its id.")
    workers: int = Field(description="How many processes answer.")


class Problem(Document):
    """Why a request was refused."""

    error: str = Field(description="What is wrong, what was found, what to do.")
    request_id: str = Field(description="The request's X-Request-Id; made here where it had none.")
