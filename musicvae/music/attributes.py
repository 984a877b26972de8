"""Musical measures of notes.

Conventions: a measure maps a `NoteSequence` to one finite number, 0 for music without the notes
that count for it. Positions are counted in 16th notes from the start, which is a bar line, four to
a quarter note, in any meter; several notes on one position are one onset. Syncopation depends on
the position in the bar, with quarters and eighths counted from each bar line. In compound meters
quarters are not the beats: the second beat of 6/8 is halfway between two quarters, and counts as
syncopated if nothing starts on the eighth before it. Pitch is measured without drums, rhythm on all
notes.

Source: Roberts et al. 2018, A Hierarchical Latent Vector Model for Learning Long-Term Structure in
Music, section on attribute vector arithmetic and figures 6 to 11 of its appendix, for the five
measures. The paper names and plots them without exact definitions; the definitions are our own.
"""

import itertools
from collections.abc import Callable, Collection
from dataclasses import dataclass

from musicvae.errors import AttributeNameError
from musicvae.music.notes import NoteSequence
from musicvae.music.scales import SCALES

C_MAJOR_SCALE = frozenset(SCALES["major"])


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """A musical measure.

    Attributes:
        name: Its name in requests, bundles and reports.
        unit: The unit of its numbers.
        definition: The definition, in one sentence.
        is_of_pitch: Whether it depends on pitches, which drums do not have.
        measure: Measures music.
    """

    name: str
    unit: str
    definition: str
    is_of_pitch: bool = False
    measure: Callable[[NoteSequence], float]


def get_attribute(name: str, names: Collection[str] | None = None) -> Attribute:
    """Finds an attribute by its name, among `names` if given.

    Raises:
        AttributeNameError: If there is no such attribute.
    """
    known = [each for each in ATTRIBUTES if names is None or each in names]
    if name not in known:
        raise AttributeNameError(
            f"attribute {name!r}",
            expected=", ".join(known) or "none: this model has no attributes",
            action="Choose one of those names.",
            field="amounts",
        )
    return ATTRIBUTES[name]


def _c_diatonic(sequence: NoteSequence) -> float:
    pitches = [note.pitch for note in sequence.notes if not note.is_drum]
    return _share(sum(pitch % 12 in C_MAJOR_SCALE for pitch in pitches), len(pitches))


def _note_density(sequence: NoteSequence) -> float:
    return _share(len(_onsets(sequence)) * sequence.steps_per_quarter, sequence.length_steps * 4)


def _average_interval(sequence: NoteSequence) -> float:
    # Notes of one onset are sorted by pitch: the highest stays.
    line = {note.start_step: note.pitch for note in sequence.notes if not note.is_drum}
    pitches = list(line.values())
    intervals = [abs(b - a) for a, b in itertools.pairwise(pitches)]
    return _share(sum(intervals), len(intervals))


def _syncopation_16th(sequence: NoteSequence) -> float:
    onsets, bar = _onsets(sequence), _bar(sequence)
    return _share(sum(at % bar % 2 == 1 and at - 1 not in onsets for at in onsets), len(onsets))


def _syncopation_8th(sequence: NoteSequence) -> float:
    onsets, bar = _onsets(sequence), _bar(sequence)
    return _share(sum(at % bar % 4 == 2 and at - 2 not in onsets for at in onsets), len(onsets))


def _onsets(sequence: NoteSequence) -> set[float]:
    """The positions in 16th notes on which something starts."""
    return {note.start_step * 4 / sequence.steps_per_quarter for note in sequence.notes}


def _bar(sequence: NoteSequence) -> float:
    """The length of a bar in 16th notes."""
    return 16 * sequence.meter.numerator / sequence.meter.denominator


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


ATTRIBUTES: dict[str, Attribute] = {
    attribute.name: attribute
    for attribute in (
        Attribute(
            name="c_diatonic",
            is_of_pitch=True,
            unit="share of the notes, 0 to 1",
            definition="Notes whose pitch is a white key of the piano (the scale of C major).",
            measure=_c_diatonic,
        ),
        Attribute(
            name="note_density",
            unit="share of the 16th-note positions, 0 to 1",
            definition="16th-note positions on which a note starts.",
            measure=_note_density,
        ),
        Attribute(
            name="average_interval",
            is_of_pitch=True,
            unit="semitones",
            definition="Mean distance in pitch, up or down, from each onset to the next; of notes "
            "that start together the highest counts.",
            measure=_average_interval,
        ),
        Attribute(
            name="syncopation_16th",
            unit="share of the onsets, 0 to 1",
            definition="Onsets between two eighths (the 2nd, 4th, 6th ... 16th note) without an "
            "onset on the eighth just before.",
            measure=_syncopation_16th,
        ),
        Attribute(
            name="syncopation_8th",
            unit="share of the onsets, 0 to 1",
            definition="Onsets halfway between two quarters (the 2nd, 4th, 6th ... eighth) without "
            "an onset on the quarter just before.",
            measure=_syncopation_8th,
        ),
    )
}
"""Every attribute by its name."""

RHYTHM = tuple(attribute for attribute in ATTRIBUTES.values() if not attribute.is_of_pitch)
"""The attributes that do not depend on pitch, so that drums have them too."""
