"""Looks into one piece, and says what could be cut from it."""
