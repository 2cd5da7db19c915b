"""Learning without labels by telling images apart (SimCLR, Chen et al. 2020)."""

import keras

from vitrine.models.views import RandomCrop, RandomTint

MOMENTUM = 0.9


def contrast(views: keras.KerasTensor, temperature: float) -> keras.KerasTensor:
    """Return how badly two views of one image are told from those of other images.

    For vectors z of length 1 and s_ik = z_i · z_k / temperature, with p the other view of i's
    image, the mean over all i of `-s_ip + log sum_k exp(s_ik)`, where k goes through the views of
    other images. SimCLR's sum has s_ip, too; without it small batches learn faster (Yeh et al.
    2022, "Decoupled Contrastive Learning").

    Args:
        views: `(2 * images, width)`, each row of length 1: the first views of at least two images,
            then the second ones in the same order.
        temperature: Above 0.
    """
    count = keras.ops.shape(views)[0]
    likeness = keras.ops.matmul(views, keras.ops.transpose(views)) / temperature
    own = keras.ops.arange(count) % (count // 2)
    same = keras.ops.expand_dims(own, 0) == keras.ops.expand_dims(own, 1)
    others = keras.ops.logsumexp(keras.ops.where(same, -1e9, likeness), axis=-1)
    partner = keras.ops.sum(views * keras.ops.roll(views, count // 2, axis=0), axis=-1)
    return keras.ops.mean(others - partner / temperature)


def spread(views: keras.KerasTensor) -> keras.KerasTensor:
    """Return how much of their space vectors of length 1 fill: 0 where all are alike, at most 1.

    The standard deviation of a coordinate, averaged and divided by what it is for vectors that
    point anywhere: 1 / sqrt(width) (Chen & He 2021).

    Args:
        views: `(count, width)`.
    """
    deviation = keras.ops.mean(keras.ops.std(views, axis=0))
    return deviation * views.shape[-1] ** 0.5


class SimCLR(keras.Model):  # type: ignore[misc]
    """An encoder that is trained to find the two views of an image among those of others.

    The views are compared behind a small network that is thrown away afterwards: what the
    comparison has no use for is lost there and not in the encoder.

    Args:
        encoder: From images `(batch, height, width, 3)` in 0 to 255 to embeddings `(batch, n)`.
        zoom: The largest share of height and width that is cut away from a view; below 1.
        color: How strongly a view's colours change, 0 to 1.
        projection: The width of the vectors that are compared.
        temperature: Of the comparison, above 0.
        seed: Of the views.
    """

    def __init__(
        self,
        encoder: keras.Model,
        *,
        zoom: float,
        color: float,
        projection: int,
        temperature: float,
        seed: int,
    ) -> None:
        super().__init__(name="simclr")
        self.encoder, self.temperature = encoder, temperature
        self.crop = RandomCrop(zoom=zoom, seed=seed)
        self.tint = RandomTint(strength=color, seed=seed + 1)
        self.projector = keras.Sequential(
            [
                keras.layers.Dense(encoder.output.shape[-1], use_bias=False),
                keras.layers.BatchNormalization(momentum=MOMENTUM),
                keras.layers.Activation("relu"),
                keras.layers.Dense(projection, use_bias=False, dtype="float32"),
                keras.layers.UnitNormalization(dtype="float32"),
            ],
            name="projector",
        )
        self.spread = keras.metrics.Mean(name="spread")
        self.projector.build(encoder.output.shape)
        self.built = True

    def call(self, images: keras.KerasTensor, training: bool | None = None) -> keras.KerasTensor:
        """Return the projections `(2 * batch, projection)` of two views of images; add their loss.

        Args:
            images: `(batch, height, width, 3)` in 0 to 255, at least two.
            training: Whether batch norms take the batch's own statistics.
        """
        images = keras.ops.cast(images, "float32")
        # Both views go through together, so that norms see one batch.
        views = self.tint(self.crop(keras.ops.concatenate([images, images])))
        compared = self.projector(self.encoder(views, training=training), training=training)
        self.spread.update_state(spread(compared))
        self.add_loss(contrast(compared, self.temperature))
        return compared
