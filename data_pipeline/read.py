"""The second stage: reads a piece to parts on the step grid, each with its bar lines.

A MIDI file's bars are counted from its start, or from where its accents say that bars begin. Where
a list of beat times stands beside it, the list is the grid and its downbeats are the bar lines:
the file is then a performance, and its own ticks and time signatures say nothing.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from musicvae import midi
from musicvae.errors import DataError
from musicvae.notes import STEPS_PER_QUARTER, Meter

from .bars import accented_step, grid_lines
from .corpus import Piece
from .parts import Part, ReadPiece

_MOST_BYTES = 16 * 1024 * 1024
"""Scores of an evening's opera have less."""


def read_piece(piece: Piece) -> ReadPiece:
    """Reads one piece.

    Raises:
        MidiError, ScoreError, DataError: If the file, or the list of beats, can't be read.
    """
    data = _read_bytes(piece)
    if piece.kind == "midi" and piece.beats_path is not None:
        return _read_performance(data, piece.beats_path)
    if piece.kind == "midi":
        return _read_midi(data)
    # music21 takes a second to import; a process that only sees MIDI files never needs it.
    if piece.kind == "abc":
        from .tunes import read_abc  # noqa: PLC0415

        return read_abc(data)
    from .score import read_musicxml  # noqa: PLC0415

    return read_musicxml(data)


def _read_bytes(piece: Piece) -> bytes:
    start, end = piece.tune_bytes or (0, piece.path.stat().st_size)
    if end - start + piece.header_bytes > _MOST_BYTES:
        raise DataError(
            f"{end - start} bytes",
            expected=f"at most {_MOST_BYTES} bytes",
            action="Leave the file out, or divide it.",
        )
    with piece.path.open("rb") as file:
        header = file.read(piece.header_bytes)
        file.seek(start)
        return header + file.read(end - start)


def _read_midi(data: bytes) -> ReadPiece:
    file = midi.read_tracks(data)
    parts = []
    for track in file.tracks:
        bar_steps = track.notes.meter.steps_per_bar()
        lines: tuple[int, ...] = ()
        if bar_steps is not None:
            step = accented_step(track.notes, bar_steps)
            lines = grid_lines(step, track.notes.length_steps, bar_steps)
        parts.append(Part(name=track.name, notes=track.notes, bar_lines=lines))
    return ReadPiece(parts=tuple(parts), meters=file.meters)


def _read_performance(data: bytes, beats_path: Path) -> ReadPiece:
    try:
        table = np.loadtxt(beats_path, ndmin=2)
    except (OSError, ValueError) as error:
        raise _unreadable_beats(str(error)) from error
    if table.shape[1] < 3:
        raise _unreadable_beats(f"{table.shape[1]} columns")
    downbeats = np.flatnonzero(table[:, 2])
    if len(downbeats) < 2:
        raise _unreadable_beats(f"{len(downbeats)} downbeats")
    distances, counts = np.unique(np.diff(downbeats), return_counts=True)
    beats_per_bar = int(distances[np.argmax(counts)])
    meter = Meter(beats_per_bar, 4)

    file = midi.read_tracks(data, beats_s=table[:, 0].tolist())
    last = min(int(downbeats[-1]) + beats_per_bar, len(table) - 1)
    lines = tuple(int(beat) * STEPS_PER_QUARTER for beat in dict.fromkeys([*downbeats, last]))
    parts = (
        Part(name=track.name, notes=replace(track.notes, meter=meter), bar_lines=lines)
        for track in file.tracks
    )
    return ReadPiece(parts=tuple(parts), meters=(meter,))


def _unreadable_beats(found: str) -> DataError:
    return DataError(
        f"a list of beats with {found}",
        expected="three columns: time in seconds, downbeat in twos, downbeat in bars",
        action="Mend or remove the list.",
    )
