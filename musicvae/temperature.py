"""The default temperature of draws, for requests and for figures; importing it needs no torch."""

SAMPLE_TEMPERATURE = 0.5
"""The latent brings the variety; events that are drawn as freely besides make wrong notes."""
