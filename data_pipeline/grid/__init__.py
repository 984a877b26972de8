"""Pieces on a grid of steps, with their runs of regular bars."""
