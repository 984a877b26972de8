"""What a model is worth, as numbers: the same measures for every model."""
