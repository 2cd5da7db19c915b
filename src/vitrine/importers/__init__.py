"""One source a module: what it offers becomes data/."""
