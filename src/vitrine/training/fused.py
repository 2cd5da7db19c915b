"""Batch normalisation by TensorFlow's fused kernel, for as long as a network is trained."""

import keras
import tensorflow as tf


class FusedBatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]
    """What its parent computes while training, in one kernel instead of a dozen.

    Keras 3 composes it of single operations, each of which goes through the whole feature map. With
    the same weights both are the same layer: a training can use this one, and what is saved the
    parent.
    """

    def call(
        self,
        inputs: keras.KerasTensor,
        training: bool | None = None,
        mask: keras.KerasTensor | None = None,
    ) -> keras.KerasTensor:
        """Normalise maps `(batch, height, width, channels)` and follow their statistics."""
        if not (training and self.trainable):
            return super().call(inputs, training=training, mask=mask)
        channels = inputs.shape[-1]
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=tf.ones(channels) if self.gamma is None else tf.convert_to_tensor(self.gamma),
            offset=tf.zeros(channels) if self.beta is None else tf.convert_to_tensor(self.beta),
            mean=tf.constant([], tf.float32),
            variance=tf.constant([], tf.float32),
            epsilon=self.epsilon,
        )
        # The kernel estimates the variance of the population, the parent that of the batch.
        count = tf.cast(tf.size(inputs) // channels, tf.float32)
        _follow(self.moving_mean, mean, self.momentum)
        _follow(self.moving_variance, variance * (count - 1) / count, self.momentum)
        return outputs


def fused(model: keras.Model) -> keras.Model:
    """Return the same network, with the same weights, normalising by the fused kernel."""
    clone = keras.models.clone_model(model, clone_function=_clone)
    clone.set_weights(model.get_weights())
    return clone


def _clone(layer: keras.layers.Layer) -> keras.layers.Layer:
    config = layer.get_config()
    if type(layer) is keras.layers.BatchNormalization and _known(layer):
        return FusedBatchNormalization.from_config(config)
    return type(layer).from_config(config)


def _known(layer: keras.layers.BatchNormalization) -> bool:
    rank = len(layer.input.shape)
    return rank == 4 and layer.axis in (-1, 3) and not (layer.synchronized or layer.renorm)


def _follow(statistic: keras.Variable, value: tf.Tensor, momentum: float) -> None:
    statistic.assign(statistic * momentum + value * (1 - momentum))
