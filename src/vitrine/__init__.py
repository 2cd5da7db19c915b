"""Vitrine recognises the style and the category of product images."""

__version__ = "0.1.0"
