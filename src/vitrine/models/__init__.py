"""Networks, augmentation and losses in plain Keras 3."""

from vitrine.models.network import BACKBONES, build
from vitrine.models.transfer import Transfer, transfer

__all__ = ["BACKBONES", "Transfer", "build", "transfer"]
