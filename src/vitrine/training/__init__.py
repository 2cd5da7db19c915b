"""Fitting and searching."""
