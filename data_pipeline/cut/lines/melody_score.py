"""Scores how likely each part of a piece is its melody, by rules that a person can read.

Conventions: a score is a sum of components, one for each rule. A component above 0 speaks for a
melody, a component below 0 against it; a clear sign counts about 1. The part with the highest score
is the likeliest melody. Drums have no score.

The weights were set on half of the songs of POP909 and of the OpenScore Lieder, with the names of
the parts hidden, and checked on the other half and, by eye, on music of games.
"""

import re
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int32

from musicvae.data_pipeline.grid.grid import GridPart, GridPiece


@dataclass(frozen=True, kw_only=True)
class Component:
    """The judgement of one rule on a part.

    Attributes:
        name: The rule's name.
        value: The number that the rule adds to the score.
        why: The finding, in plain words.
    """

    name: str
    value: float
    why: str


@dataclass(frozen=True, kw_only=True)
class PartScore:
    """The score of a part as the melody, with reasons.

    Attributes:
        part: The part's name.
        components: The judgement of each rule; empty for drums.
    """

    part: str
    components: tuple[Component, ...]

    @property
    def total(self) -> float:
        """The sum of the components; minus infinity for drums."""
        if not self.components:
            return -np.inf
        return sum(component.value for component in self.components)


def score_parts(piece: GridPiece) -> tuple[PartScore, ...]:
    """Scores the parts of a piece, in the piece's order."""
    return tuple(
        PartScore(part=part.name, components=() if part.is_drum else _score(piece, part))
        for part in piece.parts
    )


def _score(piece: GridPiece, part: GridPart) -> tuple[Component, ...]:
    return tuple(rule(piece, part) for rule in _RULES)


def share_of_polyphony(part: GridPart) -> float:
    """The share of the onsets, without the first, that fall on a sounding note."""
    sounding = np.maximum.accumulate(part.ends[:-1])
    return float(np.count_nonzero(part.starts[1:] < sounding) / max(len(sounding), 1))


_MELODY_WORDS = re.compile(
    r"melod|vocal|vox|voice|voc\b|lead|sing|solo|soprano|tune", re.IGNORECASE
)
_OTHER_WORDS = re.compile(
    r"bass|drum|perc|chord|accomp|pad\b|rhythm|arp|back|harmon|bridge|left", re.IGNORECASE
)


def _judge_name(_: GridPiece, part: GridPart) -> Component:
    says_melody = bool(_MELODY_WORDS.search(part.name))
    says_other = bool(_OTHER_WORDS.search(part.name))
    if says_melody == says_other:
        return Component(name="name", value=0.0, why=f"its name, {part.name!r}, says neither")
    if says_melody:
        return Component(name="name", value=2.0, why=f"its name, {part.name!r}, says melody")
    return Component(name="name", value=-2.0, why=f"its name, {part.name!r}, says accompaniment")


def _judge_voices(_: GridPiece, part: GridPart) -> Component:
    share = share_of_polyphony(part)
    value = _between(share, {0.0: 2.5, 0.5: -2.5})
    return Component(
        name="voices", value=value, why=f"{share:.0%} of its onsets on a sounding note"
    )


def _judge_register(_: GridPiece, part: GridPart) -> Component:
    middle = float(np.median(part.pitches))
    value = _between(middle, {36.0: -3.5, 62.0: 1.0, 79.0: 1.0, 103.0: -2.0})
    return Component(name="register", value=value, why=f"around pitch {middle:g}")


def _judge_range(_: GridPiece, part: GridPart) -> Component:
    low, high = np.percentile(part.pitches, (5, 95))
    value = _between(high - low, {0.0: -1.0, 6.0: 0.5, 18.0: 0.5, 34.0: -2.0})
    return Component(name="range", value=value, why=f"{high - low:.0f} semitones from low to high")


def _judge_motion(_: GridPiece, part: GridPart) -> Component:
    mean = float(np.abs(np.diff(part.pitches)).mean()) if len(part.pitches) > 1 else 0.0
    value = _between(mean, {0.0: -1.0, 1.0: 1.5, 2.5: 1.5, 7.5: -2.0})
    return Component(name="motion", value=value, why=f"{mean:.1f} semitones from note to note")


def _judge_repetition(_: GridPiece, part: GridPart) -> Component:
    share = float((np.diff(part.pitches) == 0).mean()) if len(part.pitches) > 1 else 0.0
    value = _between(share, {0.0: -0.5, 0.1: 0.5, 0.45: 0.5, 0.8: -1.5})
    return Component(
        name="repetition", value=value, why=f"{share:.0%} of its notes repeat the last"
    )


def _judge_density(piece: GridPiece, part: GridPart) -> Component:
    onsets = np.unique(part.starts)
    bars = len(np.unique(onsets // piece.steps_per_bar))
    density = len(onsets) / (bars * piece.steps_per_bar / piece.steps_per_quarter)
    value = _between(density, {0.2: -1.0, 0.7: 0.5, 2.0: 0.5, 4.0: -1.0})
    return Component(
        name="density", value=value, why=f"{density:.1f} onsets a quarter note where it plays"
    )


def _judge_presence(piece: GridPiece, part: GridPart) -> Component:
    bars = len(np.unique(part.starts // piece.steps_per_bar))
    share = bars * piece.steps_per_bar / piece.length_steps
    value = _between(share, {0.0: -3.0, 0.6: 0.75})
    return Component(name="presence", value=value, why=f"starts notes in {share:.0%} of the bars")


def _judge_place(piece: GridPiece, part: GridPart) -> Component:
    above = np.full(piece.length_steps, -1)
    for other in piece.parts:
        if other is not part and not other.is_drum:
            np.maximum(above, _top_pitches(other, piece.length_steps), out=above)
    share = float((part.pitches >= above[part.starts]).mean())
    value = _between(share, {0.0: -0.5, 1.0: 0.5})
    return Component(
        name="place", value=value, why=f"nothing sounds above {share:.0%} of its onsets"
    )


def _judge_program(_: GridPiece, part: GridPart) -> Component:
    family = part.program // 8
    name, value = _FAMILIES[family]
    return Component(name="program", value=value, why=f"program {part.program}, {name}")


_FAMILIES = (
    ("piano", 0.0),
    ("chromatic percussion", 0.0),
    ("organ", 0.0),
    ("guitar", 0.0),
    ("bass", -3.0),
    ("strings", 0.0),
    ("ensemble", -0.5),
    ("brass", 0.25),
    ("reed", 0.75),
    ("pipe", 0.75),
    ("synth lead", 0.75),
    ("synth pad", -0.75),
    ("synth effects", -1.0),
    ("world", 0.0),
    ("percussive", -1.5),
    ("sound effects", -2.0),
)
"""The families of General MIDI, eight programs each, with their value for a melody."""


def _top_pitches(part: GridPart, length_steps: int) -> Int32[np.ndarray, " step"]:
    """The highest pitch that sounds at each step; -1 for silence."""
    top = np.full(length_steps, -1, np.int32)
    lengths = part.ends - part.starts
    # Each step of each note, note by note.
    first = np.repeat(part.starts - np.cumsum(lengths) + lengths, lengths)
    np.maximum.at(top, first + np.arange(len(first)), np.repeat(part.pitches, lengths))
    return top


def _between(value: float, points: dict[float, float]) -> float:
    """Interpolates between points; constant before the first point and after the last."""
    return float(np.interp(value, list(points), list(points.values())))


_RULES = (
    _judge_name,
    _judge_voices,
    _judge_register,
    _judge_range,
    _judge_motion,
    _judge_repetition,
    _judge_density,
    _judge_presence,
    _judge_place,
    _judge_program,
)
