"""Whether what the service sees and answers is still what the model was made for."""
