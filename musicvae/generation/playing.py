"""Plays notes: gives each line its program, and each note its velocity by the bundle's touch."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch

from musicvae.bundle.format import Bundle
from musicvae.generation.sounds import Sound, set_programs
from musicvae.model.noise import row_seed
from musicvae.music.line_features import describe_line
from musicvae.music.notes import Note, NoteSequence


def play(
    bundle: Bundle,
    notes: NoteSequence,
    sounds: Mapping[str, Sound],
    *,
    seed: int,
    temperature: float,
) -> NoteSequence:
    """Plays the notes that a model made; without touch they keep velocity 80.

    The noise of a note depends on the seed, its line and its step alone.

    Args:
        bundle: The model.
        notes: The notes.
        sounds: See `Clip.sounds`.
        seed: The seed of the clip's noise.
        temperature: Multiplies the width of the distributions of velocities; 0 takes their middle.
    """
    kind = bundle.representation.kind
    notes = set_programs(kind, notes, sounds)
    lines: dict[str, list[Note]] = {}
    for note in notes.notes:
        if not note.is_drum:
            lines.setdefault(kind.line_of(note), []).append(note)
    if bundle.touch is None or not lines:
        return notes
    steps_per_bar = notes.meter.steps_per_bar(notes.steps_per_quarter)
    assert steps_per_bar is not None, "a representation's bar is a whole number of steps"
    played = [note for note in notes.notes if note.is_drum]
    for line, own in lines.items():
        starts = np.array([note.start_step for note in own])
        features = describe_line(
            starts,
            np.array([note.end_step for note in own]),
            np.array([note.pitch for note in own]),
            steps_per_bar=steps_per_bar,
            steps_per_quarter=notes.steps_per_quarter,
        )
        random = np.random.Generator(np.random.Philox(key=row_seed(seed, 0, f"touch {line}")))
        uniform = random.random(notes.length_steps, dtype=np.float32)[starts]
        velocities = bundle.touch.play(
            torch.from_numpy(features),
            torch.from_numpy(uniform),
            level=sounds.get(line, Sound()).velocity,
            temperature=temperature,
        )
        played += map(_with_velocity, own, velocities)
    return replace(notes, notes=tuple(sorted(played)))


def _with_velocity(note: Note, velocity: int) -> Note:
    return replace(note, velocity=velocity)
