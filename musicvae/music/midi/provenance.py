"""The provenance of a clip: the recipe that makes it again, as JSON in a text event of MIDI."""

from __future__ import annotations

import json
from collections.abc import Mapping
from operator import methodcaller

from musicvae.errors import MidiError
from musicvae.music.midi import smf
from musicvae.music.midi.chunks import read_chunks
from musicvae.music.midi.limits import DEFAULT_LIMITS
from musicvae.music.midi.remarks import Remarks

_KEY = "musicvae"
"""The only key of the JSON object."""


def provenance_event(provenance: Mapping[str, object]) -> bytes:
    """The text event that holds a provenance."""
    to_plain = methodcaller("item")  # of the numbers of numpy
    text = json.dumps({_KEY: provenance}, default=to_plain, sort_keys=True, separators=(",", ":"))
    return smf.meta(smf.TEXT, text.encode())


def read_provenance(data: bytes) -> dict[str, object] | None:
    """Reads the provenance that `write` wrote; None for a file from another program."""
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
