"""An experiment: everything that a training run needs, as values."""
