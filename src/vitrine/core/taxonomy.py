"""The labels that a model can answer, in the order of its outputs."""

from collections import Counter
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from vitrine.core.errors import DataError
from vitrine.core.files import write_text

Head = Literal["style", "category"]
HEADS: tuple[Head, ...] = get_args(Head)
UNKNOWN = -1
"""The index that stands for "not labelled" wherever labels are numbers."""


class Label(BaseModel):
    """One style or category: its name in the manifest and what people read, by language code."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    display: dict[str, str] = {}

    @field_validator("name")
    @classmethod
    def _no_edges(cls, name: str) -> str:
        if name != name.strip():
            raise ValueError(f"must not begin or end with a space, but got {name!r}")
        return name

    def text(self, language: str) -> str:
        """Return the display name in a language (`en`, `zh` …), or the plain name without one."""
        return self.display.get(language, self.name)


class Taxonomy(BaseModel):
    """The styles and categories of a catalogue. Their order fixes a model's output indices.

    Args:
        styles: The styles, in output order.
        categories: The categories, in output order.
        forbidden: Pairs (style name, category name) that cannot occur.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    styles: tuple[Label, ...]
    categories: tuple[Label, ...]
    forbidden: tuple[tuple[str, str], ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> "Taxonomy":
        for head in HEADS:
            repeated = [name for name, count in Counter(self.names(head)).items() if count > 1]
            if repeated:
                raise ValueError(f"{head} {repeated[0]!r} is listed more than once; keep one")
        for style, category in self.forbidden:
            for head, name in (("style", style), ("category", category)):
                if name not in self._index[head]:
                    raise ValueError(f"forbidden names the {head} {name!r}, which is not listed")
        return self

    @cached_property
    def _index(self) -> dict[str, dict[str, int]]:
        return {head: {name: i for i, name in enumerate(self.names(head))} for head in HEADS}

    def labels(self, head: Head) -> tuple[Label, ...]:
        """Return the labels of a head in output order."""
        return self.styles if head == "style" else self.categories

    def names(self, head: Head) -> tuple[str, ...]:
        """Return the names of a head in output order."""
        return tuple(label.name for label in self.labels(head))

    def knows(self, head: Head, name: str) -> bool:
        """Say whether a head has a label of this name."""
        return name in self._index[head]

    def index(self, head: Head, name: str) -> int:
        """Return the output index of a name; `UNKNOWN` (-1) for the empty name.

        Raises:
            DataError: The head has no such label.
        """
        if not name:
            return UNKNOWN
        try:
            return self._index[head][name]
        except KeyError:
            raise DataError(
                f"{head} {name!r} is not in taxonomy.yaml; add it there or correct the row"
            ) from None

    @classmethod
    def load(cls, path: Path) -> "Taxonomy":
        """Read a taxonomy.yaml.

        Raises:
            DataError: The file is missing, is no YAML, or breaks the taxonomy's rules.
        """
        try:
            return cls.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise DataError(
                f"{path} is missing: fetch the data with `dvc pull data.dvc`, "
                "or make it with `vitrine import`"
            ) from None
        except (UnicodeDecodeError, yaml.YAMLError) as error:
            first = str(error).replace("\n", " ")
            raise DataError(f"{path} is not valid UTF-8 YAML: {first}; correct it") from None
        except ValidationError as error:
            problem = error.errors()[0]
            where = ".".join(str(part) for part in problem["loc"]) or "taxonomy"
            message = problem["msg"].removeprefix("Value error, ")
            raise DataError(f"{path}: {where}: {message}") from None

    def save(self, path: Path) -> None:
        """Write the taxonomy as YAML, atomically."""
        text = yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
        write_text(path, text)
