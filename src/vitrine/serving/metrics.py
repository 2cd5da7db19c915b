"""What the service counts and measures about itself, for Prometheus."""

import os
from functools import partial
from pathlib import Path
from typing import Literal, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from vitrine.core.taxonomy import Head
from vitrine.serving.counting import FOLDER, join_folder, read_folder

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Of what `Metrics.render` returns."""

Reason = Literal[
    "no_image",
    "body_too_large",
    "media_type",
    "bad_image",
    "image_too_large",
    "batch_too_large",
    "key",
    "overload",
    "timeout",
    "slow_body",
    "route",
    "method",
    "fault",
]
"""Why a request, or one image of it, got no answer."""

REQUEST_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20)
WORK_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2)
BATCH_IMAGES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
CONFIDENCE = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1)


class Metrics:
    """The service's metrics: of this process, or of all workers where a folder is shared.

    Labels come from fixed lists, routes' patterns and the model's taxonomy, never from a request:
    no client can make them grow. Each call takes a few microseconds and may come from any thread.

    Raises:
        ServiceError: The shared folder is gone, or has no room.
    """

    def __init__(self) -> None:
        self._folder = Path(os.environ[FOLDER]) if FOLDER in os.environ else None
        if self._folder:
            join_folder(self._folder)
        registry = self._registry = CollectorRegistry()
        counter = partial(Counter, registry=registry)
        gauge = partial(Gauge, registry=registry, multiprocess_mode="livesum")
        histogram = partial(Histogram, registry=registry)
        quick = partial(histogram, buckets=WORK_SECONDS)
        self._requests = counter("vitrine_requests", "Requests answered.", ["route", "status"])
        said = "From a request's head to its answer."
        self._request_seconds = histogram(
            "vitrine_request_seconds", said, ["route"], buckets=REQUEST_SECONDS
        )
        said = "Images inferred together."
        self._batch_images = histogram("vitrine_batch_images", said, buckets=BATCH_IMAGES)
        self._decode_seconds = quick("vitrine_decode_seconds", "Decoding one image.")
        self._inference_seconds = quick("vitrine_inference_seconds", "Inferring one batch.")
        said = "Images answered, by the most probable label and whether the model was unsure."
        self._predictions = counter("vitrine_predictions", said, ["head", "label", "unsure"])
        said = "Probability of the most probable label."
        self._confidence = histogram("vitrine_confidence", said, ["head"], buckets=CONFIDENCE)
        said = "Requests, or single images of them, that were refused."
        self._refusals = counter("vitrine_refusals", said, ["reason"])
        self._waiting = gauge("vitrine_waiting_images", "Images taken in and not yet answered.")
        said = "Workers that answer with a model."
        self._model_info = gauge("vitrine_model_info", said, ["version", "bundle_digest"])
        said = "Entries that the prediction log could not keep."
        self._log_dropped = counter("vitrine_log_dropped", said)
        self._model: tuple[str, str] | None = None
        for reason in get_args(Reason):
            # Shown from the start: a rate needs a first 0.
            self._refusals.labels(reason)

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered.

        Args:
            route: The route's pattern.
            status: Of the answer.
            seconds: From its head to its answer.
        """
        self._requests.labels(route, status).inc()
        self._request_seconds.labels(route).observe(seconds)

    def batch(self, images: int) -> None:
        """Note how many images are inferred together."""
        self._batch_images.observe(images)

    def decoded(self, seconds: float) -> None:
        """Note how long the decoding of one image took."""
        self._decode_seconds.observe(seconds)

    def inferred(self, seconds: float) -> None:
        """Note how long the inference of one batch took."""
        self._inference_seconds.observe(seconds)

    def predicted(self, head: Head, label: str, probability: float, unsure: bool) -> None:
        """Count an answer about one image.

        Args:
            head: Which of its answers.
            label: The most probable one.
            probability: Its, 0 to 1.
            unsure: Whether that is below the model's threshold.
        """
        self._predictions.labels(head, label, "true" if unsure else "false").inc()
        self._confidence.labels(head).observe(probability)

    def refused(self, reason: Reason) -> None:
        """Count a request, or one image of it, that got no answer."""
        self._refusals.labels(reason).inc()

    def waiting(self, images: int) -> None:
        """Note how many images this worker has taken in and not yet answered."""
        self._waiting.set(images)

    def model(self, version: str, bundle_digest: str) -> None:
        """Note which model this worker answers with from now on."""
        if self._model == (version, bundle_digest):
            return
        if self._model:
            self._model_info.labels(*self._model).set(0)
        self._model = (version, bundle_digest)
        self._model_info.labels(version, bundle_digest).set(1)

    def log_dropped(self, entries: int) -> None:
        """Count entries that the prediction log could not keep."""
        self._log_dropped.inc(entries)

    def render(self) -> bytes:
        """Return all metrics in Prometheus' text format; reads files, a few milliseconds.

        Raises:
            ServiceError: The shared folder is gone.
        """
        return generate_latest(read_folder(self._folder) if self._folder else self._registry)
