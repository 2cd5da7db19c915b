"""params.yaml as a whole: read, checked, and explained where it is wrong."""

import difflib
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Self, TypeVar

import yaml
from pydantic import BaseModel, Field, ValidationError, model_validator

from vitrine.core.digests import json_digest
from vitrine.core.errors import ParamsError
from vitrine.core.params.sections import (
    EvaluateParams,
    ExportParams,
    ImageParams,
    PrepareParams,
    RegisterParams,
    Section,
    ValidateParams,
)
from vitrine.core.params.training import PretrainParams, TrainParams, TuneParams


class Params(Section):
    """The whole of params.yaml."""

    image: ImageParams
    validate_: ValidateParams = Field(alias="validate")
    prepare: PrepareParams
    pretrain: PretrainParams
    tune: TuneParams
    train: TrainParams
    export: ExportParams
    evaluate: EvaluateParams
    register_: RegisterParams = Field(alias="register")

    @model_validator(mode="after")
    def _something_to_begin_with(self) -> Self:
        if self.train.weights == "pretrained" and self.pretrain.method == "none":
            raise ValueError(
                "train.weights is pretrained, but pretrain.method is none: set the method to "
                "simclr, or train.weights to none"
            )
        return self

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
