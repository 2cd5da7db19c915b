"""The service that BentoML's guides lead to: a typed image, `keras.Model.predict`, all defaults."""

import os
from typing import Any

import bentoml
import keras
import numpy as np
import PIL.Image


@bentoml.service(name="usual")
class Usual:
    """Answers one image by the Keras network named in the environment."""

    def __init__(self) -> None:
        self.network = keras.saving.load_model(os.environ["NETWORK"])
        _, self.height, self.width, _ = self.network.input_shape

    @bentoml.api
    def classify(self, image: PIL.Image.Image) -> dict[str, Any]:
        """Answer with the numbers of both heads."""
        pixels = np.asarray(image.convert("RGB").resize((self.width, self.height)))
        outputs = self.network.predict(pixels[np.newaxis], verbose=0)
        return {head: outputs[head][0].tolist() for head in ("style", "category")}
