"""Prepared examples on disk and in batches."""
