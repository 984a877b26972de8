"""Pieces cut into excerpts of whole bars; each rejection has its reason."""
