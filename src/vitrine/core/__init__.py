"""Errors, parameters, labels, the manifest and digests: what every other part builds on."""
