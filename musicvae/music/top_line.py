"""Reduces any music to what a melody can hold."""

from dataclasses import replace

from musicvae.music.instruments import HIGHEST_PITCH, LOWEST_PITCH
from musicvae.music.notes import DEFAULT_VELOCITY, Note, NoteSequence


def top_line(sequence: NoteSequence) -> NoteSequence:
    """Reduces any music to a melody: at every step the highest note, without drums.

    Onsets stay as far off the grid as they were: `on_grid` moves them. A note that starts below one
    that still sounds is left out; a note that starts above one cuts it short. Pitches outside the
    piano's 88 keys move by octaves.
    """
    line: list[Note] = []
    for note in sorted(sequence.notes, key=lambda note: (note.start_step, -note.pitch)):
        if note.is_drum:
            continue
        if line and note.start_step < line[-1].end_step:
            if note.start_step == line[-1].start_step or note.pitch < line[-1].pitch:
                continue
            line[-1] = replace(line[-1], end_step=note.start_step)
        line.append(replace(note, velocity=DEFAULT_VELOCITY, program=0))
    return replace(sequence, notes=tuple(replace(n, pitch=_fold(n.pitch)) for n in line))


def on_grid(sequence: NoteSequence) -> NoteSequence:
    """Moves every onset to the step it is nearest to; triplets become the rhythm next to them."""
    return replace(sequence, notes=tuple(replace(note, offset=0.0) for note in sequence.notes))


def _fold(pitch: int) -> int:
    while pitch < LOWEST_PITCH:
        pitch += 12
    while pitch > HIGHEST_PITCH:
        pitch -= 12
    return pitch
