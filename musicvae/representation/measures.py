"""Which musical measures tell of a representation's music, and the measuring of its excerpts.

Drums have the measures of rhythm alone. A trio has all measures, taken of its melody alone: drums
would fill every position, and the bass would take part in every interval.
"""

from collections.abc import Callable
from dataclasses import replace

from musicvae.music.attributes import ATTRIBUTES, Attribute
from musicvae.music.notes import NoteSequence
from musicvae.representation.representation import Representation
from musicvae.representation.trio import split_notes


def attributes_of(representation: Representation) -> tuple[Attribute, ...]:
    """The attributes that tell of a representation's music."""
    if representation.name not in _LISTENERS:
        return ()
    has_pitches = representation.name not in _DRUMS
    return tuple(each for each in ATTRIBUTES.values() if has_pitches or not each.is_of_pitch)


def measure_excerpt(excerpt: NoteSequence, representation: Representation) -> dict[str, float]:
    """Takes the measures of `attributes_of` on an excerpt of the representation's music."""
    known = attributes_of(representation)
    if not known:
        return {}
    heard = _LISTENERS[representation.name](excerpt)
    return {attribute.name: attribute.measure(heard) for attribute in known}


def _hear_melody(trio: NoteSequence) -> NoteSequence:
    return replace(trio, notes=split_notes(trio).melody)


def _hear_all(excerpt: NoteSequence) -> NoteSequence:
    return excerpt


_DRUMS = frozenset({"drums", "drum_hits", "groove"})
_LISTENERS: dict[str, Callable[[NoteSequence], NoteSequence]] = {
    **dict.fromkeys(("melody", "lead_sheet", *_DRUMS), _hear_all),
    "trio": _hear_melody,
}
"""What is measured of the music of each representation; of chords alone nothing is."""
