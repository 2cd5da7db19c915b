"""Networks, augmentation and losses in plain Keras 3."""
