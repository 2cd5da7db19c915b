"""summary.json: what the prepared shards hold, for everything that reads them."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from vitrine.core.digests import json_digest
from vitrine.core.errors import PreparedDataError
from vitrine.core.files import write_json
from vitrine.core.params import ImageParams
from vitrine.core.taxonomy import Head, Taxonomy

FILE = "summary.json"
UNLABELLED = "unlabelled"
"""The shards of images without any label, which only pretraining reads; often there are none."""


class SplitSummary(BaseModel):
    """One split on disk.

    Args:
        images: How many images it holds.
        shards: The SHA-256 of each shard file by its name, in reading order.
        counts: For each head, the number of images of each label, in output order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    images: int
    shards: dict[str, str]
    counts: dict[Head, dict[str, int]]


class Summary(BaseModel):
    """What a folder of prepared shards holds.

    Args:
        image: The settings that made the pixels.
        taxonomy: The labels behind the indices.
        splits: Each split's files and counts, by `train`, `val`, `test` and `unlabelled`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    image: ImageParams
    taxonomy: Taxonomy
    splits: dict[str, SplitSummary]

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """The shape of one image: (height, width, 3)."""
        return (self.image.height, self.image.width, 3)

    @property
    def digest(self) -> str:
        """One SHA-256 over the contents of all shards, the image settings and the taxonomy."""
        return json_digest(self.model_dump(mode="json"))

    def shard_paths(self, folder: Path, split: str) -> list[Path]:
        """Return where the shards of a split lie, in reading order.

        Raises:
            PreparedDataError: There is no such split, or one of its files is missing.
        """
        if split not in self.splits:
            raise PreparedDataError(
                f"split must be one of {', '.join(self.splits)}, but got {split!r}"
            )
        paths = [folder / split / name for name in self.splits[split].shards]
        for path in paths:
            if not path.is_file():
                raise PreparedDataError(
                    f"{path} is missing: fetch it with `dvc pull`, or make it with "
                    "`dvc repro prepare`"
                )
        return paths

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the summary of a folder of prepared shards.

        Raises:
            PreparedDataError: summary.json is missing or not what `prepare` writes.
        """
        path = folder / FILE
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            raise PreparedDataError(
                f"{path} is missing: make it with `dvc repro prepare`"
            ) from None
        except ValidationError as error:
            problem = error.errors()[0]
            where = ".".join(str(part) for part in problem["loc"]) or "the file"
            raise PreparedDataError(
                f"{path}: {where}: {problem['msg']}; make it anew with `dvc repro --force prepare`"
            ) from None

    def save(self, folder: Path) -> None:
        """Write summary.json into a folder, atomically."""
        write_json(folder / FILE, self.model_dump(mode="json"))
