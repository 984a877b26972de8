"""MIDI bytes to notes and back. No other part of the library knows ticks."""

from musicvae.music.midi.provenance import read_provenance
from musicvae.music.midi.read import MidiFile, MidiTrack, read, read_tracks
from musicvae.music.midi.write import (
    DRUM_CHANNEL,
    MELODIC_CHANNELS,
    PROGRAM_FAMILIES,
    TICKS_PER_QUARTER,
    write,
)

__all__ = [
    "DRUM_CHANNEL",
    "MELODIC_CHANNELS",
    "PROGRAM_FAMILIES",
    "TICKS_PER_QUARTER",
    "MidiFile",
    "MidiTrack",
    "read",
    "read_provenance",
    "read_tracks",
    "write",
]
