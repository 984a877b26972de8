"""The default temperature of draws, for requests and for figures; importing it needs no torch."""

SAMPLE_TEMPERATURE = 0.5
"""A prior over events then draws as it was tuned; a decoded latent brings variety of its own."""
