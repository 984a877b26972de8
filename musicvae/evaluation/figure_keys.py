"""The sections of figures, and the keys by which programs find figures."""

RECONSTRUCTION = "Reconstruction"
SOURCES = "Reconstruction by source"
LISTENER = "Heard first"
LIKELIHOOD = "Likelihood"
INTERPOLATION = "Interpolation"
ATTRIBUTES = "Attributes"
SAMPLES = "Draws from the prior"
STRUCTURE = "Repeated bars"
NOVELTY = "Copies of the training split"

ACCURACY = "reconstruction/accuracy/sampled"
"""The key of the accuracy when the posterior's mean is decoded. Where there are several lines, each
has an accuracy, and its key goes on with the line's name: `ACCURACY/bass`."""


def overlap_key(temperature: float, split: str = "training") -> str:
    """Names the mean overlap of draws at a temperature with a split."""
    return f"samples/{temperature:g}/overlap/{split}"


def listener_key(measure: str, name: str = "prior draws", line: str = "") -> str:
    """Names a measure of `musicvae.evaluation.listener` in a set; with several lines, of a line."""
    return "/".join(part for part in ("listener", name, measure, line) if part)
