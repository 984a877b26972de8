"""The measures that a listener hears first, and which of them a kind of music has.

A line with pitches has the measures of pitches, and from eight bars on the measures of form; with
chords it has the measures of harmony, and under another line with pitches the measures of a bass.
Drums have their own.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from musicvae.evaluation.lines import Line, lines_of
from musicvae.evaluation.listener import drums, form, harmony, pitched
from musicvae.evaluation.listener.keys import is_onset
from musicvae.representation import Representation
from musicvae.representation.chords import Chords

_CHORDS = Chords.streams[0].name


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """A line of many excerpts, with the music that it sounds with.

    Attributes:
        representation: The representation of the excerpts.
        events: The events of the line.
        chords: The chords that it sounds over; None where there are none.
        melody: The first line with pitches, if the line is another line with pitches.
    """

    representation: Representation
    events: Int[np.ndarray, "batch step"]
    chords: Int[np.ndarray, "batch step"] | None = None
    melody: Int[np.ndarray, "batch step"] | None = None

    @property
    def bars(self) -> int:
        """The number of bars of an excerpt."""
        return self.representation.bars

    @property
    def half_bar(self) -> int:
        """The length of two quarter notes, in steps."""
        return 2 * self.representation.steps_per_quarter


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A measure of a line.

    Attributes:
        caption: The caption, in a few words.
        about: The definition, a sentence or two.
        values: Takes the values; the figure is their mean.
        form: The format of the figure.
    """

    caption: str
    about: str
    values: Callable[
        [Part], Bool[np.ndarray, " _"] | Int[np.ndarray, " _"] | Float[np.ndarray, " _"]
    ]
    form: str = ".3f"


OF_PITCHES = {
    "in_key": Measure(
        caption="wholly in key",
        about="Excerpts whose notes all belong to the key that the profiles of Krumhansl and "
        "Kessler name by how long each pitch class sounds; minor is natural, with the leading "
        "note.",
        values=lambda part: pitched.are_in_key(part.events),
    ),
    "notes_in_key": Measure(
        caption="notes in key",
        about="The share of an excerpt's notes that belong to the same key, the mean over all "
        "excerpts.",
        values=lambda part: pitched.shares_in_key(part.events),
    ),
    "in_scale": Measure(
        caption="wholly in a scale",
        about="Excerpts whose notes all belong to one diatonic scale, whichever it is.",
        values=lambda part: pitched.are_in_scale(part.events),
    ),
    "leaps": Measure(
        caption="with a leap",
        about="Excerpts with an interval of more than 12 semitones.",
        values=lambda part: pitched.have_leaps(part.events),
    ),
    "stepwise": Measure(
        caption="stepwise intervals",
        about="The share of all intervals that are 1 or 2 semitones.",
        values=lambda part: pitched.are_steps(part.events),
    ),
    "interval": Measure(
        caption="mean interval, semitones",
        about="The mean size of all intervals, repeated notes included.",
        values=lambda part: pitched.interval_sizes(part.events),
        form=".2f",
    ),
    "pitch_classes": Measure(
        caption="pitch classes",
        about="The number of different pitch classes of an excerpt.",
        values=lambda part: pitched.class_counts(part.events),
        form=".2f",
    ),
}
"""The measures of a line with pitches."""

_BAR_BEFORE = Measure(
    caption="bars equal to the bar before",
    about="Bars, from the second on, that have the same events as the bar before. Bars in which "
    "nothing starts do not count.",
    values=lambda part: form.equal_bar_before(part.events, is_onset(part.events), bars=part.bars),
)

OF_FORM = {
    "halves_agree": Measure(
        caption="halves share a signature",
        about="Excerpts whose two halves are in keys of the same signature.",
        values=lambda part: form.halves_agree(part.events, bars=part.bars),
    ),
    "ends_on_tonic": Measure(
        caption="ends on the tonic",
        about="Excerpts whose last note is the tonic of their key.",
        values=lambda part: form.end_on_tonic(part.events),
    ),
    "repeats": Measure(
        caption="bars repeated exactly",
        about="Bars, from the second on, that have the same events as any earlier bar of the "
        "excerpt.",
        values=lambda part: form.repeat_exactly(part.events, bars=part.bars),
    ),
    "repeats_rhythm": Measure(
        caption="bars repeated in rhythm",
        about="Bars, from the second on, whose notes start and stop at the same steps as in any "
        "earlier bar.",
        values=lambda part: form.repeat_rhythm(part.events, bars=part.bars),
    ),
    "repeats_bar_before": _BAR_BEFORE,
}
"""The measures of a line with pitches in long excerpts."""

OF_HARMONY = {
    "chord_tones": Measure(
        caption="chord tones on strong beats",
        about="Strong beats (1 and 3 in 4/4) with a note and a chord, at which the sounding note "
        "is a tone of the chord.",
        values=lambda part: _over_chords(part, harmony.are_chord_tones),
    ),
    "semitone_above": Measure(
        caption="a semitone above a chord tone",
        about="The same beats, at which the sounding note is no tone of the chord and stands a "
        "semitone above a tone of the chord.",
        values=lambda part: _over_chords(part, harmony.are_semitone_above),
    ),
}
"""The measures of a line with pitches over chords."""

OF_BASS = {
    "consonant": Measure(
        caption="consonant with the melody",
        about="Quarter beats at which both sound, with the melody a unison, third, fifth or sixth "
        "above the bass, octaves apart or not.",
        values=lambda part: _under_melody(part, harmony.are_consonant),
    ),
    "harsh": Measure(
        caption="harsh with the melody",
        about="The same beats, with the melody a minor second, tritone or major seventh above the "
        "bass.",
        values=lambda part: _under_melody(part, harmony.are_harsh),
    ),
    "in_key_of_melody": Measure(
        caption="notes in the melody's key",
        about="The share of an excerpt's bass notes that belong to the key of its melody.",
        values=lambda part: harmony.shares_in_key_of(_given(part.melody), part.events),
    ),
}
"""The measures of a line with pitches under a melody."""

OF_DRUMS = {
    "periodic_cymbals": Measure(
        caption="cymbals fully periodic",
        about="Excerpts in which the hits of hi-hats and ride, taken together, repeat from "
        "beginning to end with a period of at most two quarter notes.",
        values=lambda part: drums.have_periodic_cymbals(part.events, longest=part.half_bar),
    ),
    "changed_steps": Measure(
        caption="steps that differ from the bar before",
        about="Steps, from the second bar on, that differ from the step a bar before.",
        values=lambda part: drums.steps_changed(part.events, bars=part.bars),
    ),
    "repeats_bar_before": replace(
        _BAR_BEFORE,
        values=lambda part: form.equal_bar_before(part.events, part.events > 0, bars=part.bars),
    ),
    "crashes": Measure(
        caption="crashes a bar",
        about="The hits of the crash cymbal in a bar.",
        values=lambda part: drums.crashes(part.events, bars=part.bars),
    ),
}
"""The measures of drums."""

MEASURES: dict[str, Measure] = {**OF_PITCHES, **OF_FORM, **OF_HARMONY, **OF_BASS, **OF_DRUMS}
"""Every measure by its key. Two groups share a key where the definition is the same."""


def measure(
    representation: Representation, events: Int[np.ndarray, "batch step stream"]
) -> dict[str, dict[str, float | None]]:
    """Takes the measures of every line, by the names of line and measure.

    A figure is None where there is nothing to measure, as in silence.
    """
    return {
        line.name: {
            name: _mean(measure.values(part)) for name, measure in _measures_of(line, part).items()
        }
        for line, part in _parts(representation, events)
    }


def _parts(
    representation: Representation, events: Int[np.ndarray, "batch step stream"]
) -> Iterator[tuple[Line, Part]]:
    chords = [
        events[..., column]
        for column, stream in enumerate(representation.streams)
        if stream.is_condition and stream.name == _CHORDS
    ]
    melody = None
    for line in lines_of(representation):
        symbols = line.symbols(events)
        yield (
            line,
            Part(
                representation=representation,
                events=symbols,
                chords=chords[0] if chords else None,
                melody=melody,
            ),
        )
        if line.is_pitched and melody is None:
            melody = symbols


def _measures_of(line: Line, part: Part) -> dict[str, Measure]:
    if not line.is_pitched:
        return OF_DRUMS
    return {
        **OF_PITCHES,
        **(OF_FORM if part.bars >= form.FEWEST_BARS else {}),
        **(OF_HARMONY if part.chords is not None else {}),
        **(OF_BASS if part.melody is not None else {}),
    }


def _over_chords(
    part: Part,
    take: Callable[..., Bool[np.ndarray, " _"]],
) -> Bool[np.ndarray, " _"]:
    grid = part.representation
    steps = harmony.strong_steps(grid.meter, bars=grid.bars, steps_per_bar=grid.steps_per_bar)
    return take(part.events, _given(part.chords), steps)


def _under_melody(
    part: Part, take: Callable[..., Bool[np.ndarray, " _"]]
) -> Bool[np.ndarray, " _"]:
    quarter = part.representation.steps_per_quarter
    return take(_given(part.melody), part.events, steps_per_quarter=quarter)


def _given(events: Int[np.ndarray, "batch step"] | None) -> Int[np.ndarray, "batch step"]:
    assert events is not None
    return events


def _mean(
    values: Bool[np.ndarray, " _"] | Int[np.ndarray, " _"] | Float[np.ndarray, " _"],
) -> float | None:
    return float(values.mean()) if values.size else None
