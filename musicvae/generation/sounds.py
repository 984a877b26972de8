"""The sound of each line of a clip: its program and its mean loudness.

A model's events hold neither. A clip that comes from an excerpt has the sounds of the excerpt's
lines; a draw has the programs of the representation, and velocity 80.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from musicvae.errors import SettingError
from musicvae.music.notes import DEFAULT_VELOCITY, PROGRAMS, VELOCITIES, Note, NoteSequence
from musicvae.problems import Problems, check_type, is_whole_within
from musicvae.representation.kind import Kind

_MOST_LINES = 8
_MOST_NAME = 32  # characters of a line's name that an error repeats


@dataclass(frozen=True, kw_only=True)
class Sound:
    """The sound of a line.

    Attributes:
        program: General MIDI program, 0 to 127.
        velocity: Mean velocity of the notes, 1 to 127. Only models with touch use it; the notes of
            other models have velocity 80.
    """

    program: int = 0
    velocity: int = DEFAULT_VELOCITY


def find_sounds(kind: Kind, notes: NoteSequence) -> dict[str, Sound]:
    """The sound of each line of pitched notes: the program of most notes, and the mean velocity."""
    lines: dict[str, list[Note]] = {}
    for note in notes.notes:
        if not note.is_drum:
            lines.setdefault(kind.line_of(note), []).append(note)
    return {
        line: Sound(
            program=Counter(note.program for note in own).most_common(1)[0][0],
            velocity=round(sum(note.velocity for note in own) / len(own)),
        )
        for line, own in sorted(lines.items())
    }


def set_programs(kind: Kind, notes: NoteSequence, sounds: Mapping[str, Sound]) -> NoteSequence:
    """Gives the pitched notes of each line the program of its sound."""
    if not sounds:
        return notes
    changed = [
        note
        if note.is_drum or (sound := sounds.get(kind.line_of(note))) is None
        else replace(note, program=sound.program)
        for note in notes.notes
    ]
    return replace(notes, notes=tuple(sorted(changed)))


def check_sounds(problems: Problems, sounds: Mapping[str, Sound], path: str) -> None:
    """Notes errors of sounds that need no model to be found."""
    is_short = len(sounds) <= _MOST_LINES
    problems.require(is_short, path, f"{len(sounds)} lines", f"at most {_MOST_LINES}")
    for line, sound in list(sounds.items())[:_MOST_LINES]:
        where = sound_path(path, line)
        with problems.gather():
            check_type(where, sound, Sound, "a Sound")
            is_program = is_whole_within(sound.program, PROGRAMS)
            problems.require(is_program, f"{where}.program", sound.program, "0 to 127")
            is_velocity = is_whole_within(sound.velocity, VELOCITIES)
            problems.require(is_velocity, f"{where}.velocity", sound.velocity, "1 to 127")


def check_lines(kind: Kind, sounds: Mapping[str, Sound], path: str) -> None:
    """Checks that a model has the lines, and that the programs belong to them.

    Raises:
        SettingError: If a line is missing, or would be read as another line by its program.
    """
    for line, sound in sounds.items():
        note = Note(0, 60, 1, program=sound.program)
        if kind.line_of(note) != line:
            raise SettingError(
                f"program {sound.program} for a line {line[:_MOST_NAME]!r}",
                expected=f"a line of the model, and a program of that line: {sound.program} is "
                f"played by the {kind.line_of(note)}",
                action="Give the sounds of an earlier reply of the same model.",
                field=sound_path(path, line),
            )


def sound_path(path: str, line: str) -> str:
    """The path of the sound of a line in a request."""
    return f'{path}["{line[:_MOST_NAME]}"]'
