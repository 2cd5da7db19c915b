"""What retraining by itself needs: whether anything has to run, and what to say of a run."""
