"""Metrics, calibration, plots and the model card."""
