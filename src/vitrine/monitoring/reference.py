"""What the model answers for images of the training data that it never saw: what is normal."""

import json
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from vitrine.bundle.figures import DIGITS, brightness
from vitrine.bundle.runtime import Runtime
from vitrine.core.errors import DataError, PreparedDataError
from vitrine.core.files import atomic_file
from vitrine.core.progress import track
from vitrine.inputs.shards import read_batches
from vitrine.inputs.summary import Summary
from vitrine.monitoring.sample import Answer, Observation, Sample, gather

SPLITS = ("val", "test")
"""Not train: a network is surer of the images that it was fitted to."""
MOST = 3_000
"""Images of a reference."""
PIXEL_FACTS = ("contrast", "sharpness", "colourfulness", "background")
"""Facts that `validate` measures, and that can be known of logged images only."""
FACTS = ("bytes", "width", "height", *PIXEL_FACTS)

_BATCH = 64
_SEED = 17
_FORMAT = 2
_UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    KeyError,
    TypeError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True, slots=True)
class Reference:
    """What a log is compared with.

    Args:
        bundle_digest: Whose answers they are.
        data_digest: The version of the data that this model was trained on.
        sample: The images and answers.
    """

    bundle_digest: str
    data_digest: str
    sample: Sample

    def save(self, path: Path) -> None:
        """Write it as one npz file of some megabytes, atomically."""
        about = {
            "format": _FORMAT,
            "bundle_digest": self.bundle_digest,
            "data_digest": self.data_digest,
            "images": self.sample.images,
        }
        columns: dict[str, NDArray[Any]] = {"about": np.array(json.dumps(about))}
        columns |= {f"words/{name}": column for name, column in self.sample.words.items()}
        columns |= {f"numbers/{name}": column for name, column in self.sample.numbers.items()}
        columns["embeddings"] = self.sample.embeddings
        with atomic_file(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **columns)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            DataError: The file is missing or none of these.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                columns = dict(file)
            about = json.loads(str(columns["about"]))
            if about["format"] != _FORMAT:
                raise ValueError(f"the format is {about['format']}")
            sample = Sample(
                about["images"],
                _under("words/", columns),
                _under("numbers/", columns),
                columns["embeddings"],
            )
            return cls(about["bundle_digest"], about["data_digest"], sample)
        except FileNotFoundError:
            raise DataError(
                f"{path} is missing: make it with `vitrine monitor` where `dvc repro` ran"
            ) from None
        except _UNREADABLE as error:
            raise DataError(
                f"{path} is no reference of this Vitrine ({error}): make it anew with "
                "`vitrine monitor` where `dvc repro` ran"
            ) from None


def make_reference(runtime: Runtime, shards: Path, facts: Iterable[tuple[Any, ...]]) -> Reference:
    """Answer the images of val and test, `MOST` of them at most, drawn at random.

    Args:
        runtime: The bundle.
        shards: The folder of prepared shards.
        facts: `image` and `FACTS` of these and any other images; read as a stream.

    Raises:
        PreparedDataError: The shards are missing, damaged, empty or of other settings or labels
            than the bundle, or the facts lack an image.
    """
    summary = Summary.load(shards)
    info = runtime.info
    if summary.image != info.image or summary.taxonomy != info.taxonomy:
        raise PreparedDataError(
            f"{shards} has other image settings or labels than the bundle {info.digest[:12]}: "
            "bring both up to date with `dvc repro`"
        )
    answered = dict(_answers(runtime, shards, summary))
    known = {row[0]: row[1:] for row in facts if row[0] in answered}
    if missing := answered.keys() - known.keys():
        raise PreparedDataError(
            f"artifacts/validate does not know {min(missing)} (and {len(missing) - 1} others), "
            "which the prepared shards hold: bring both up to date with `dvc repro`"
        )
    sample = gather(
        replace(one, facts={**one.facts} | dict(zip(FACTS, known[name], strict=True)))
        # Views of one product have names that follow each other, as a rule.
        for name, one in sorted(answered.items())
    )
    return Reference(info.digest, info.lineage.data_digest, sample)


def _answers(runtime: Runtime, shards: Path, summary: Summary) -> Iterator[tuple[str, Observation]]:
    total = sum(summary.splits[split].images for split in SPLITS)
    if not total:
        raise PreparedDataError(
            f"the splits {' and '.join(SPLITS)} are empty, so there is nothing to compare with: "
            "raise prepare.test_share"
        )
    random = np.random.default_rng(_SEED)
    chosen = np.zeros(total, bool)
    chosen[random.choice(total, min(total, MOST), replace=False)] = True
    batches = (batch for split in SPLITS for batch in read_batches(shards, split, _BATCH))
    place = 0
    for batch in track(batches, "Answering val and test"):
        kept = np.flatnonzero(chosen[place : place + len(batch.names)])
        place += len(batch.names)
        if len(kept):
            observed = _observe(runtime, batch.images[kept])
            yield from zip((batch.names[row] for row in kept), observed, strict=True)


def _observe(runtime: Runtime, images: NDArray[np.uint8]) -> Iterator[Observation]:
    info = runtime.info
    predictions = runtime.predict(images)
    for row, pixels in enumerate(images):
        answers = {}
        for head in info.heads:
            probabilities = predictions.probabilities(head)[row]
            best = int(probabilities.argmax())
            sure = float(probabilities[best])
            label = info.taxonomy.names(head)[best]
            answers[head] = Answer(label, round(sure, DIGITS), sure < info.thresholds[head])
        yield Observation(answers, {"brightness": brightness(pixels)}, predictions.embedding[row])


def _under(start: str, columns: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {
        name.removeprefix(start): column
        for name, column in columns.items()
        if name.startswith(start)
    }
