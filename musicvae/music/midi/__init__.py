"""MIDI bytes to notes and back: the only place in the library that knows ticks."""

from musicvae.music.midi.notes import (
    DRUM_CHANNEL,
    MELODIC_CHANNELS,
    PROGRAM_FAMILIES,
    TICKS_PER_QUARTER,
    MidiFile,
    MidiTrack,
    read,
    read_provenance,
    read_tracks,
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
