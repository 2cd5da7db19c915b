"""The bundle: the one artefact that is evaluated, registered, packaged and served."""
