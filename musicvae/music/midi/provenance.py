"""How a clip was made, as JSON in a text event of its MIDI file: written and read here."""

from __future__ import annotations

import json
from collections.abc import Mapping

from musicvae.errors import MidiError
from musicvae.music.midi import smf
from musicvae.music.midi.chunks import read_chunks
from musicvae.music.midi.parser import DEFAULT_LIMITS
from musicvae.music.midi.remarks import Remarks

_KEY = "musicvae"
"""The only key of the JSON object."""


def provenance_event(provenance: Mapping[str, object]) -> bytes:
    """The text event that says how a clip was made."""
    text = json.dumps({_KEY: provenance}, sort_keys=True, separators=(",", ":"))
    return smf.meta(smf.TEXT, text.encode())


def read_provenance(data: bytes) -> dict[str, object] | None:
    """How a clip was made, as `write` was told; None for bytes from another program."""
    try:
        tracks = read_chunks(data, Remarks(), max_tracks=DEFAULT_LIMITS.max_tracks).tracks
    except MidiError:
        return None
    for text in smf.read_head((*tracks, b"")[0]).texts:
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict) and isinstance(found.get(_KEY), dict):
            return dict(found[_KEY])
    return None
