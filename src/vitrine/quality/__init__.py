"""Facts about images and what is expected of them."""
