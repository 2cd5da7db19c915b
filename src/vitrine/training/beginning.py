"""What every training begins with, and what is said when it does not fit."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras
import tensorflow as tf

from vitrine.core.errors import ModelError


def begin(seed: int, *, deterministic: bool) -> None:
    """Forget earlier networks, and let the same seed give the same weights."""
    # Some backbones number their layers by a count that goes on from network to network.
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    if deterministic:
        tf.config.experimental.enable_op_determinism()


@contextmanager
def within_memory(backbone: str, section: str, batch_size: int) -> Iterator[None]:
    """Say what to lower when a training inside the block runs out of memory.

    Args:
        backbone: What is trained.
        section: Of params.yaml, with the batch size.
        batch_size: Images in a batch.

    Raises:
        ModelError: The memory, of the machine or of a GPU, is not enough.
    """
    try:
        yield
    except (MemoryError, tf.errors.ResourceExhaustedError) as error:
        raise ModelError(
            f"{backbone} with {section}.batch_size {batch_size} does not fit into the memory: "
            f"lower {section}.batch_size, or image.height and image.width"
        ) from error
