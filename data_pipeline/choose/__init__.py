"""Decides which excerpts are kept, and on which side of the split."""
