"""Makes trios of lead sheets by rule."""
