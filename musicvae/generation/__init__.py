"""Requests to music: the engine and what it needs. It knows no transport."""
