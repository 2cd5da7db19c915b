"""What can be set about the service from outside, by environment variables."""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from vitrine.bundle.runtime import Wanted
from vitrine.core.errors import ServiceError
from vitrine.serving.keys import Key, parse_keys

PREFIX = "VITRINE_SERVING_"


def _absolute(path: str) -> str:
    # A Bento's processes run in its own folder, from where a relative path leads nowhere.
    if path and not Path(path).is_absolute():
        raise ValueError("must be an absolute path, or empty")
    return path


def _keys(given: Any) -> Any:
    return parse_keys(given) if isinstance(given, str) else given


Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
RuntimeName = Literal["openvino", "tensorflow"]
AbsolutePath = Annotated[str, AfterValidator(_absolute)]


class Settings(BaseModel):
    """The service's settings. Each is read from the variable `VITRINE_SERVING_<NAME>`.

    Address and port are BentoML's own: `BENTOML_HOST` and `BENTOML_PORT`.

    Args:
        workers: Processes that answer; 0 = one a CPU.
        threads: CPU threads of one inference by openvino.
        runtime: What runs the network: `openvino`, on the CPU, or `tensorflow`, for GPUs.
        precision: What openvino computes in; `auto` = what the export chose by measurement.
        max_body_bytes: Requests with a larger body are refused with 413. The default lets an image
            of 32 MiB through, with what a form puts around it.
        timeout: Seconds until a request without an answer gets 504, its body's arrival included.
        body_seconds: Seconds in which a body must have come, else the request gets 408; less than
            `timeout`.
        queue: Decoded images that wait in a worker; beyond that a request gets 503.
        batch: Images that are inferred together at most.
        max_batch_images: Images of one request to `/classify_batch`.
        top_k: The most probable labels that an answer lists in order.
        keys: What a request must bring one of, as `NAME:SHA256,NAME:SHA256`; empty = nothing.
        open: Serve without keys on an address that others can reach.
        log: The folder of the prediction log, an absolute path; empty = none.
        log_share: The share of answers that are logged, 0 to 1.
        log_images: Whether the images are logged, too.
        log_embeddings: Whether the embeddings are logged, too.
        log_megabytes: The size of one file of the log, in MiB.
        log_files: Files that each worker keeps; the oldest goes.
        follow: The bentofile whose pinned model is served as it changes, an absolute path; empty =
            none; None = the one in the working directory, unless a built Bento is served.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    workers: Annotated[int, Field(ge=0)] = 0
    threads: Count = 1
    runtime: RuntimeName = "openvino"
    precision: Wanted = "auto"
    max_body_bytes: Count = 32 * 2**20 + 2**16
    timeout: Seconds = 15.0
    body_seconds: Seconds = 10.0
    queue: Count = 64
    batch: Count = 8
    max_batch_images: Count = 32
    top_k: Count = 5
    keys: Annotated[tuple[Key, ...], BeforeValidator(_keys)] = ()
    open: bool = False
    log: AbsolutePath = ""
    log_share: Annotated[float, Field(ge=0, le=1)] = 1.0
    log_images: bool = False
    log_embeddings: bool = False
    log_megabytes: Count = 100
    log_files: Count = 10
    follow: AbsolutePath | None = None

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read the settings from environment variables.

        Raises:
            ServiceError: A variable with our prefix is unknown, or a value is not allowed.
        """
        settings = cls._read(environment)
        if settings.body_seconds >= settings.timeout:
            raise ServiceError(
                f"{PREFIX}BODY_SECONDS: must be less than {PREFIX}TIMEOUT, which is "
                f"{settings.timeout:g}, but got {settings.body_seconds:g}"
            )
        return settings

    @classmethod
    def _read(cls, environment: Mapping[str, str]) -> Self:
        given = {
            name.removeprefix(PREFIX).lower(): value
            for name, value in environment.items()
            if name.startswith(PREFIX)
        }
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            problem = error.errors()[0]
            key = str(problem["loc"][0])
            variable = PREFIX + key.upper()
            if problem["type"] == "extra_forbidden":
                near = difflib.get_close_matches(key, cls.model_fields, n=1)
                hint = f"did you mean {PREFIX}{near[0].upper()}?" if near else "unset it"
                raise ServiceError(f"{variable} is not a setting of the service; {hint}") from None
            # Never repeated for keys: someone may have put the key itself there.
            got = "" if key == "keys" else f", but got {problem['input']!r}"
            words = problem["msg"].removeprefix("Value error, ")
            raise ServiceError(f"{variable}: {words[:1].lower()}{words[1:]}{got}") from None
