"""One module a stage of dvc.yaml: read files, call the parts, write files."""
