"""Backbones of keras.applications, each with the normalisation that its weights expect."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

from vitrine.core.errors import ModelError

IMAGENET_MEAN = (123.675, 116.28, 103.53)
IMAGENET_DEVIATION = (58.395, 57.12, 57.375)
CAFFE_MEAN = (123.68, 116.779, 103.939)


@dataclass(frozen=True, slots=True)
class Application:
    """One network of keras.applications.

    Args:
        make: Its constructor.
        scale: What each RGB channel (0 to 255) is multiplied with.
        offset: What is then added to each channel.
        bgr: Whether its ImageNet weights expect the channels in reverse.
        options: Further arguments of the constructor.
    """

    make: Callable[..., keras.Model]
    scale: tuple[float, float, float] = (1 / 127.5, 1 / 127.5, 1 / 127.5)
    offset: tuple[float, float, float] = (-1.0, -1.0, -1.0)
    bgr: bool = False
    options: tuple[tuple[str, Any], ...] = ()

    def __call__(self, pixels: keras.KerasTensor, weights: str | None) -> keras.KerasTensor:
        """Return the network's feature map `(batch, height', width', channels)`.

        Args:
            pixels: `(batch, height, width, 3)` float, RGB in 0 to 255.
            weights: `imagenet`, or None for random ones.

        Raises:
            ModelError: The images are too small for it, or the weights cannot be fetched.
        """
        # Rescaling and not the network's own Normalization layer, which ONNX cannot represent.
        x = keras.layers.Rescaling(list(self.scale), list(self.offset), name="normalise")(pixels)
        if self.bgr:
            x = keras.ops.flip(x, axis=-1)
        try:
            with warnings.catch_warnings():
                # MobileNetV3 says that its weights were learned at another size: they always were.
                warnings.filterwarnings("ignore", "`input_shape` is undefined or non-square")
                return self.make(
                    include_top=False,
                    input_tensor=x,
                    input_shape=pixels.shape[1:],
                    weights=weights,
                    **dict(self.options),
                ).output
        # keras.utils.get_file raises a bare Exception when there is no network.
        except Exception as error:
            raise self._explain(error, pixels.shape[1:3], weights) from error

    def _explain(
        self, error: Exception, size: tuple[int, int], weights: str | None
    ) -> ModelError | Exception:
        name, reason = self.make.__name__, next(iter(str(error).splitlines()), "no reason given")
        if isinstance(error, ValueError) and "must be at least" in str(error):
            return ModelError(
                f"{name} cannot take images of {size[0]}×{size[1]} pixels (height×width): "
                f"{reason}; raise image.height and image.width, or choose another train.backbone"
            )
        if weights is None:
            return error
        return ModelError(
            f"the ImageNet weights of {name} cannot be fetched: {reason}; set train.weights to "
            "none or to the path of a .keras file, or run once with a network: Keras keeps them"
        )


def _standard() -> dict[str, Any]:
    return {
        "scale": tuple(1 / deviation for deviation in IMAGENET_DEVIATION),
        "offset": tuple(
            -mean / deviation
            for mean, deviation in zip(IMAGENET_MEAN, IMAGENET_DEVIATION, strict=True)
        ),
        "options": (("include_preprocessing", False),),
    }


def _caffe() -> dict[str, Any]:
    return {
        "scale": (1.0, 1.0, 1.0),
        "offset": tuple(-mean for mean in CAFFE_MEAN),
        "bgr": True,
    }


_NO_PREPROCESSING = (("include_preprocessing", False),)

APPLICATIONS: dict[str, Application] = {
    "ResNet50": Application(keras.applications.ResNet50, **_caffe()),
    "VGG16": Application(keras.applications.VGG16, **_caffe()),
    "InceptionV3": Application(keras.applications.InceptionV3),
    "MobileNetV3Small": Application(keras.applications.MobileNetV3Small, options=_NO_PREPROCESSING),
    "MobileNetV3Large": Application(keras.applications.MobileNetV3Large, options=_NO_PREPROCESSING),
    "EfficientNetV2B0": Application(keras.applications.EfficientNetV2B0, **_standard()),
    "ConvNeXtTiny": Application(keras.applications.ConvNeXtTiny, **_standard()),
}
