"""The state of a training on disk, so that a killed one goes on where it was."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from zipfile import BadZipFile

import keras
import numpy as np
from numpy.typing import NDArray

from vitrine.core.files import atomic_file
from vitrine.training.history import Epoch

Weights = list[NDArray[np.generic]]


class Checkpoint:
    """One file that holds all that the next epoch needs; a reader sees a whole one or none.

    One file and not Keras's BackupAndRestore: weights, optimizer, best weights and history must be
    of the same epoch.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def save(self, model: keras.Model, best: Weights, history: Sequence[Epoch]) -> None:
        """Keep a compiled model's state after the last epoch of a history, and the best weights."""
        now = {f"state_{i}": np.asarray(v) for i, v in enumerate(_state(model))}
        kept = {f"best_{i}": value for i, value in enumerate(best)}
        epochs = np.array(json.dumps([asdict(epoch) for epoch in history]))
        with atomic_file(self.path) as temporary, temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, history=epochs, **now, **kept)

    def finished(self) -> int:
        """Return how many epochs the checkpoint knows of; 0 where there is none."""
        return len(_history(content)) if (content := self._read(("history",))) else 0

    def restore(self, model: keras.Model) -> tuple[Weights, list[Epoch]] | None:
        """Put a compiled model into the state of the checkpoint.

        Returns:
            The best weights and the history, or None where there is no checkpoint of such a model.
        """
        content = self._read()
        if content is None:
            return None
        state = _state(model)
        found = [content.get(f"state_{i}") for i in range(len(state))]
        if any(f is None or f.shape != v.shape for f, v in zip(found, state, strict=True)):
            return None
        for value, variable in zip(found, state, strict=True):
            variable.assign(value)
        best = [content[f"best_{i}"] for i in range(len(model.weights))]
        return best, _history(content)

    def _read(self, names: Sequence[str] | None = None) -> dict[str, NDArray[np.generic]] | None:
        try:
            with self.path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                return {name: stored[name] for name in names or stored.files}
        except (FileNotFoundError, BadZipFile, ValueError, EOFError, KeyError):
            return None


def _history(content: dict[str, NDArray[np.generic]]) -> list[Epoch]:
    return [Epoch(**epoch) for epoch in json.loads(str(content["history"]))]


def _state(model: keras.Model) -> list[keras.Variable]:
    # Metrics begin anew in every epoch; the seeds of dropout do not.
    metrics = {id(variable) for variable in model.metrics_variables}
    own = [variable for variable in model.variables if id(variable) not in metrics]
    return own + list(model.optimizer.variables)
