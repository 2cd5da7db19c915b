"""The bundle as an MLflow model. MLflow copies this file into the model and runs it on loading."""

from pathlib import Path

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext

from vitrine.bundle.runtime import Runtime


class BundleModel(PythonModel):  # type: ignore[misc]  # mlflow has no types for it
    """Answers a list of encoded images, each a file's bytes, or a table with one such column."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the bundle that lies in the model."""
        self._runtime = Runtime(Path(context.artifacts["bundle"]))

    def predict(self, model_input: list[bytes]) -> pd.DataFrame:
        """Return one row an image: for each head the label, its probability, and all of them.

        Raises:
            ImageError: One of the images cannot be used.
        """
        answers = self._runtime.answer(model_input)
        columns: dict[str, object] = {}
        for head in self._runtime.info.heads:
            names = self._runtime.info.taxonomy.names(head)
            probabilities = answers.probabilities(head)
            columns[head] = [names[best] for best in probabilities.argmax(axis=1)]
            columns[f"{head}_probability"] = probabilities.max(axis=1)
            columns[f"{head}_probabilities"] = [
                dict(zip(names, row.tolist(), strict=True)) for row in probabilities
            ]
        return pd.DataFrame(columns)


set_model(BundleModel())
