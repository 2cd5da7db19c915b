"""Bring images and labels from a source into the data folder."""
