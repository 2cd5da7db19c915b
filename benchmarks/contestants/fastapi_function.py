"""FastAPI over a `tf.function` of the Keras network, as many would write it by hand."""

import os
from io import BytesIO
from typing import Any

import keras
import numpy as np
import PIL.Image
import tensorflow as tf
from fastapi import FastAPI, UploadFile

network = keras.saving.load_model(os.environ["NETWORK"])
_, height, width, _ = network.input_shape
app = FastAPI()


@tf.function(input_signature=[tf.TensorSpec((None, height, width, 3), tf.uint8)])
def infer(images: Any) -> Any:
    """Return the network's outputs."""
    return network(images, training=False)


infer(np.zeros((1, height, width, 3), np.uint8))


@app.post("/classify")
def classify(image: UploadFile) -> dict[str, Any]:
    """Answer one image with the numbers of both heads."""
    picture = PIL.Image.open(BytesIO(image.file.read())).convert("RGB").resize((width, height))
    outputs = infer(np.asarray(picture)[np.newaxis])
    return {head: outputs[head][0].numpy().tolist() for head in ("style", "category")}
