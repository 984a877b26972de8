"""The served artefact: a folder with everything needed to make music, and no code that runs."""

from musicvae.bundle.format import Bundle, embedded, load, save

__all__ = ["Bundle", "embedded", "load", "save"]
