"""Makes trios from lead sheets by rule."""
