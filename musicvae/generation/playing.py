"""Plays notes: gives each line its program, and each note its velocity by the bundle's touch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from musicvae.bundle.format import Bundle
from musicvae.generation.sounds import Sound, set_programs
from musicvae.music.line_features import FEATURES, describe_lines
from musicvae.music.notes import Note, NoteSequence
from musicvae.runtime.noise import row_seed


@dataclass(frozen=True)
class _Line:
    """A line of a clip: the clip's number, the name and the notes."""

    clip: int
    name: str
    notes: list[Note]


def play(
    bundle: Bundle,
    clips: Sequence[NoteSequence],
    sounds: Mapping[str, Sound],
    *,
    seeds: Sequence[int],
    temperature: float,
) -> list[NoteSequence]:
    """Plays clips that a model made, all of one grid; without touch they keep velocity 80.

    The noise of a note depends on the seed of its clip, its line and its step alone.

    Args:
        bundle: The model.
        clips: The notes.
        sounds: See `Clip.sounds`.
        seeds: The seed of the noise of each clip.
        temperature: Multiplies the width of the distributions of velocities; 0 takes their middle.
    """
    kind, touch = bundle.representation.kind, bundle.networks.touch
    clips = [set_programs(kind, notes, sounds) for notes in clips]
    lines = [line for number, notes in enumerate(clips) for line in _lines(bundle, number, notes)]
    if touch is None or not lines:
        return clips
    counts = np.array([len(line.notes) for line in lines])
    uniform = np.full((len(lines), counts.max()), 0.5, np.float32)
    for row, line in zip(uniform, lines, strict=True):
        philox = np.random.Philox(key=row_seed(seeds[line.clip], 0, f"touch {line.name}"))
        own = np.random.Generator(philox).random(clips[0].length_steps, dtype=np.float32)
        row[: len(line.notes)] = own[[note.start_step for note in line.notes]]
    velocities = touch.play(
        _describe(lines, counts, clips[0]),
        counts,
        uniform,
        levels=np.array([sounds.get(line.name, Sound()).velocity for line in lines]),
        temperature=temperature,
    )
    played = [[note for note in notes.notes if note.is_drum] for notes in clips]
    for line, row in zip(lines, velocities.tolist(), strict=True):
        played[line.clip] += map(_with_velocity, line.notes, row)
    return [
        replace(notes, notes=tuple(sorted(own))) for notes, own in zip(clips, played, strict=True)
    ]


def _lines(bundle: Bundle, number: int, notes: NoteSequence) -> list[_Line]:
    lines: dict[str, list[Note]] = {}
    for note in notes.notes:
        if not note.is_drum:
            lines.setdefault(bundle.representation.kind.line_of(note), []).append(note)
    return [_Line(number, name, own) for name, own in lines.items()]


def _describe(lines: Sequence[_Line], counts: np.ndarray, like: NoteSequence) -> np.ndarray:
    """The features of the notes of all lines, filled up to the longest."""
    steps_per_bar = like.meter.steps_per_bar(like.steps_per_quarter)
    assert steps_per_bar is not None, "a representation's bar is a whole number of steps"
    columns = [
        (each.start_step, each.end_step, each.pitch) for line in lines for each in line.notes
    ]
    starts, ends, pitches = np.array(columns).T
    features = np.zeros((len(lines), counts.max(), FEATURES), np.float32)
    features[np.arange(counts.max()) < counts[:, None]] = describe_lines(
        starts,
        ends,
        pitches,
        counts,
        steps_per_bar=steps_per_bar,
        steps_per_quarter=like.steps_per_quarter,
    )
    return features


def _with_velocity(note: Note, velocity: int) -> Note:
    return Note(
        note.start_step, note.pitch, note.end_step, velocity, note.program, offset=note.offset
    )
