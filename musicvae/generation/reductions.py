"""What is left of any music where only what a model can hold is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from statistics import median_low

from musicvae.music.instruments import BASS_PROGRAM, CLASS_OF_PITCH
from musicvae.music.notes import Note, NoteSequence
from musicvae.music.top_line import on_grid, top_line
from musicvae.representation.trio import TrioNotes, split_notes


@dataclass(frozen=True, kw_only=True)
class Reduction:
    """How music is reduced for a representation.

    Attributes:
        reduce: Does it; music that can be held as it is stays so.
        keeps: What is left, in a few words.
    """

    reduce: Callable[[NoteSequence], NoteSequence]
    keeps: str


def _to_melody(music: NoteSequence) -> NoteSequence:
    return on_grid(top_line(music))


def _to_drums(music: NoteSequence) -> NoteSequence:
    return on_grid(_to_played_drums(music))


def _to_played_drums(music: NoteSequence) -> NoteSequence:
    return replace(music, notes=_known_drums(music.notes))


def _to_trio(music: NoteSequence) -> NoteSequence:
    parts = _cast(music)
    melody = top_line(replace(music, notes=parts.melody)).notes
    # The lowest line is found first: it stays as it is where the top line of it is taken.
    bass = top_line(replace(music, notes=_lowest_line(parts.bass))).notes
    notes = [*melody, *(replace(note, program=BASS_PROGRAM) for note in bass)]
    return on_grid(replace(music, notes=tuple(sorted([*notes, *_known_drums(parts.drums)]))))


def _cast(music: NoteSequence) -> TrioNotes:
    """Who plays what; without a bass, the lowest of several programs is one."""
    parts = split_notes(music)
    programs = {note.program for note in parts.melody}
    if parts.bass or len(programs) < 2:
        return parts
    lowest = min(
        sorted(programs),
        key=lambda program: median_low(
            note.pitch for note in parts.melody if note.program == program
        ),
    )
    return TrioNotes(
        melody=tuple(note for note in parts.melody if note.program != lowest),
        bass=tuple(note for note in parts.melody if note.program == lowest),
        drums=parts.drums,
    )


def _lowest_line(notes: Iterable[Note]) -> tuple[Note, ...]:
    """At every step the lowest note: one that starts above a note that sounds is left out."""
    line: list[Note] = []
    for note in sorted(notes, key=lambda note: (note.start_step, note.pitch)):
        if line and note.start_step < line[-1].end_step:
            if note.start_step == line[-1].start_step or note.pitch > line[-1].pitch:
                continue
            line[-1] = replace(line[-1], end_step=note.start_step)
        line.append(note)
    return tuple(line)


def _known_drums(notes: Iterable[Note]) -> tuple[Note, ...]:
    return tuple(note for note in notes if note.is_drum and CLASS_OF_PITCH[note.pitch] >= 0)


_MELODY = Reduction(reduce=_to_melody, keeps="its top line, on the grid")
_DRUMS = Reduction(reduce=_to_drums, keeps="the drums that General MIDI names, on the grid")

REDUCTIONS: dict[str, Reduction] = {
    "melody": _MELODY,
    "lead_sheet": _MELODY,
    "drums": _DRUMS,
    "drum_hits": _DRUMS,
    "groove": Reduction(reduce=_to_played_drums, keeps="the drums that General MIDI names"),
    "trio": Reduction(
        reduce=_to_trio, keeps="a melody, the lowest line of a bass, and drums, on the grid"
    ),
}
"""The reduction for each representation, by its name."""
