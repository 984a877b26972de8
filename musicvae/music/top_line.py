"""Reduces any music to one note at a time, and to the steps of its grid."""

from dataclasses import replace

from musicvae.music.instruments import HIGHEST_PITCH, LOWEST_PITCH
from musicvae.music.notes import DEFAULT_VELOCITY, Note, NoteSequence


def top_line(sequence: NoteSequence) -> NoteSequence:
    """Reduces any music to a melody: the highest note at every step, without drums.

    Onsets keep their distance from the grid (`on_grid` removes it). A note that starts below a
    sounding note is left out; a note that starts above a sounding note cuts it short. Pitches
    outside the piano's 88 keys move by octaves. All notes get one velocity and program 0.
    """
    return _line(sequence, side=1)


def lowest_line(sequence: NoteSequence) -> NoteSequence:
    """Reduces any music to its lowest notes, as `top_line` reduces it to its highest notes."""
    return _line(sequence, side=-1)


def on_grid(sequence: NoteSequence) -> NoteSequence:
    """Moves every onset to the nearest step; triplets become the nearest rhythm of the grid."""
    return replace(sequence, notes=tuple(replace(note, offset=0.0) for note in sequence.notes))


def _line(sequence: NoteSequence, *, side: int) -> NoteSequence:
    """Keeps the outermost notes: the highest where `side` is 1, the lowest where it is -1."""
    line: list[Note] = []
    for note in sorted(sequence.notes, key=lambda note: (note.start_step, -side * note.pitch)):
        if note.is_drum:
            continue
        if line and note.start_step < line[-1].end_step:
            is_inside = side * note.pitch < side * line[-1].pitch
            if note.start_step == line[-1].start_step or is_inside:
                continue
            line[-1] = replace(line[-1], end_step=note.start_step)
        line.append(note)
    return replace(sequence, notes=tuple(map(_plain, line)))


def _plain(note: Note) -> Note:
    pitch = note.pitch
    while pitch < LOWEST_PITCH:
        pitch += 12
    while pitch > HIGHEST_PITCH:
        pitch -= 12
    return replace(note, pitch=pitch, velocity=DEFAULT_VELOCITY, program=0)
