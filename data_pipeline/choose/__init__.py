"""Decides which excerpts are kept, and in which split."""
