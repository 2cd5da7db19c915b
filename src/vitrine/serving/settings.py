"""What can be set about the service from outside, by environment variables."""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from vitrine.bundle.runtime import Precision
from vitrine.core.errors import ServiceError

PREFIX = "VITRINE_SERVING_"


def _absolute(path: str) -> str:
    # A Bento's processes run in its own folder, from where a relative path leads nowhere.
    if path and not Path(path).is_absolute():
        raise ValueError("must be an absolute path, or empty")
    return path


class Settings(BaseModel):
    """The service's settings. Each is read from the variable `VITRINE_SERVING_<NAME>`.

    Address and port are BentoML's own: `BENTOML_HOST` and `BENTOML_PORT`.

    Args:
        workers: Processes that answer; 0 = one a CPU.
        threads: CPU threads of one inference.
        precision: What an inference computes in; bf16 is several times as fast on the CPUs that
            have it, at a small loss of exactness.
        max_body_bytes: Requests with a larger body are refused with 413. The default lets an image
            of 32 MiB through, with what a form puts around it.
        timeout: Seconds until a request without an answer gets 504.
        follow: The bentofile whose pinned model is served as it changes, an absolute path; empty =
            none; None = the one in the working directory, unless a built Bento is served.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    workers: Annotated[int, Field(ge=0)] = 0
    threads: Annotated[int, Field(ge=1)] = 1
    precision: Precision = "f32"
    max_body_bytes: Annotated[int, Field(ge=1)] = 32 * 2**20 + 2**16
    timeout: Annotated[float, Field(gt=0)] = 10.0
    follow: Annotated[str, AfterValidator(_absolute)] | None = None

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read the settings from environment variables.

        Raises:
            ServiceError: A variable with our prefix is unknown, or a value is not allowed.
        """
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
            raise ServiceError(
                f"{variable}: {problem['msg'].lower().removeprefix('value error, ')}, "
                f"but got {problem['input']!r}"
            ) from None
