"""Histograms of a sample of excerpts, with a series for each split.

Conventions: a chart counts notes or excerpts, and says so. Time is in quarter notes. A measure that
a representation lacks (such as the pitch of drums) has no chart.
"""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TypeVar

import numpy as np

from musicvae.music.attributes import ATTRIBUTES
from musicvae.music.chords import QUALITIES
from musicvae.music.instruments import CLASS_OF_PITCH, DRUM_CLASSES
from musicvae.report.charts import Bars, Series
from musicvae.report.names import MAJOR_TONICS, MINOR_TONICS, NAMES, pitch_name

from .sample import SampledExcerpt

Bin = TypeVar("Bin")
Sample = Mapping[str, Sequence[SampledExcerpt]]

_LENGTHS = {
    "1/32": 0.125, "1/16": 0.25, "1/8": 0.5, "3/16": 0.75, "1/4": 1.0,
    "3/8": 1.5, "1/2": 2.0, "3/4": 3.0, "1": 4.0,
}  # fmt: skip
"""Lengths in quarter notes by their names. A note counts for the shortest length that holds it."""

_LONGER = "longer"
_SLOWEST, _FASTEST, _TEMPO_WIDTH = 40, 240, 10
_NUMBER_BINS = 20
_DENSITY_WIDTH = 0.5
_MOST_DENSITY = 12.0
_MOST_METERS = 5


def draw_histograms(sample: Sample) -> tuple[Bars, ...]:
    """All charts that apply to the excerpts."""
    charts = (
        _pitches(sample),
        _drums(sample),
        _chord_roots(sample),
        _chord_qualities(sample),
        _lengths(sample),
        _densities(sample),
        _tempos(sample),
        _keys(sample, is_minor=False),
        _keys(sample, is_minor=True),
        _velocities(sample),
        _offsets(sample),
        *_attributes(sample),
    )
    return tuple(chart for chart in charts if chart is not None)


def draw_meters(meters: Mapping[str, int]) -> Bars | None:
    """The bars of all pieces by their meter; None without any bars."""
    if not meters:
        return None
    kept = dict(list(meters.items())[:_MOST_METERS])
    rest = sum(meters.values()) - sum(kept.values())
    kept |= {"others": rest} if rest else {}
    return Bars(
        title="Meter",
        about="Bars of all pieces that could be read, rejected pieces included.",
        bins=tuple(kept),
        series=(Series(name="bars", values=tuple(map(float, kept.values()))),),
    )


def _pitches(sample: Sample) -> Bars | None:
    counts = _count(
        sample,
        lambda excerpt: (note.pitch for note in excerpt.music.notes if not note.is_drum),
    )
    seen = sorted(set().union(*counts.values()))
    if not seen:
        return None
    bins = range(seen[0] // 12 * 12, seen[-1] // 12 * 12 + 13)
    return Bars(
        title="Pitch",
        about="Notes by pitch; C4 is middle C.",
        bins=tuple(map(pitch_name, bins)),
        marks={i + 0.5: pitch_name(pitch) for i, pitch in enumerate(bins) if pitch % 12 == 0},
        series=_series(counts, bins),
    )


def _drums(sample: Sample) -> Bars | None:
    counts = _count(
        sample,
        lambda excerpt: (
            int(CLASS_OF_PITCH[note.pitch]) for note in excerpt.music.notes if note.is_drum
        ),
    )
    if not any(counts.values()):
        return None
    short = ("kick", "snare", "hat", "open", "low", "mid", "high", "crash", "ride")
    return Bars(
        title="Drums",
        about="Hits by class of drum: kick, snare, closed and open hi-hat, toms, cymbals.",
        bins=tuple(drum.name for drum in DRUM_CLASSES),
        marks={i + 0.5: name for i, name in enumerate(short)},
        series=_series(counts, range(len(DRUM_CLASSES))),
    )


def _chord_roots(sample: Sample) -> Bars | None:
    counts = _count(sample, lambda excerpt: (chord.root for chord in excerpt.music.chords))
    if not any(counts.values()):
        return None
    return Bars(
        title="Roots of chords",
        about="Chords by root, where they change.",
        bins=(*NAMES, "no chord"),
        marks={i + 0.5: name for i, name in enumerate((*NAMES, "none"))},
        series=_series(counts, (*range(12), None)),
    )


def _chord_qualities(sample: Sample) -> Bars | None:
    counts = _count(
        sample,
        lambda excerpt: (chord.quality for chord in excerpt.music.chords if chord.root is not None),
    )
    if not any(counts.values()):
        return None
    total = sum(counts.values(), Counter())
    names = [name for name in sorted(QUALITIES, key=lambda name: -total[name]) if total[name]]
    return Bars(
        title="Kinds of chords",
        about="Chords by kind, the most frequent first.",
        bins=tuple(names),
        series=_series(counts, names),
    )


def _lengths(sample: Sample) -> Bars | None:
    edges = list(_LENGTHS.values())

    def of(excerpt: SampledExcerpt) -> Iterator[int]:
        per_quarter = excerpt.music.steps_per_quarter
        for note in excerpt.music.notes:
            if not note.is_drum:
                quarters = (note.end_step - note.start_step) / per_quarter
                yield bisect_left(edges, quarters - 1e-6)

    counts = _count(sample, of)
    if not any(counts.values()):
        return None
    bins = (*_LENGTHS, _LONGER)
    return Bars(
        title="Length of notes",
        about="Notes up to each length, in parts of a whole note.",
        bins=bins,
        marks={i + 0.5: name for i, name in enumerate(bins)},
        series=_series(counts, range(len(bins))),
    )


def _densities(sample: Sample) -> Bars | None:
    def of(excerpt: SampledExcerpt) -> Iterator[int]:
        quarters = excerpt.music.length_steps / excerpt.music.steps_per_quarter
        density = len(excerpt.music.notes) / quarters
        if excerpt.music.notes:
            yield int(min(density, _MOST_DENSITY) / _DENSITY_WIDTH)

    counts = _count(sample, of)
    if not any(counts.values()):
        return None
    bins = range(max(set().union(*counts.values())) + 1)
    return Bars(
        title="Density",
        about="Excerpts by notes or hits a quarter note.",
        bins=tuple(
            f"{_MOST_DENSITY:g} or more"
            if i * _DENSITY_WIDTH == _MOST_DENSITY
            else f"{i * _DENSITY_WIDTH:g} to {(i + 1) * _DENSITY_WIDTH:g}"
            for i in bins
        ),
        marks={float(i): f"{i * _DENSITY_WIDTH:g}" for i in bins if i % 2 == 0},
        series=_series(counts, bins),
    )


def _tempos(sample: Sample) -> Bars | None:
    last = (_FASTEST - _SLOWEST) // _TEMPO_WIDTH

    def of(excerpt: SampledExcerpt) -> Iterator[int]:
        yield min(max(int((excerpt.qpm - _SLOWEST) // _TEMPO_WIDTH), 0), last)

    counts = _count(sample, of)
    if not any(counts.values()):
        return None
    edges = [_SLOWEST + i * _TEMPO_WIDTH for i in range(last + 1)]
    named = {_SLOWEST: f"below {_SLOWEST + _TEMPO_WIDTH}", _FASTEST: f"{_FASTEST} or more"}
    return Bars(
        title="Tempo",
        about="Excerpts by quarter notes a minute; 120 where the source says nothing.",
        bins=tuple(named.get(edge, f"{edge} to {edge + _TEMPO_WIDTH}") for edge in edges),
        marks={float(i): str(edge) for i, edge in enumerate(edges) if edge % 40 == 0},
        series=_series(counts, range(last + 1)),
    )


def _keys(sample: Sample, *, is_minor: bool) -> Bars | None:
    """The keys of one mode, as shares of the excerpts that have a key of that mode."""
    counts = _count(
        sample,
        lambda excerpt: (
            [excerpt.key.tonic] if excerpt.key and excerpt.key.is_minor == is_minor else []
        ),
    )
    if not any(counts.values()):
        return None
    total = sum(map(len, sample.values()))
    share = 100 * sum(count.total() for count in counts.values()) / total
    mode = "minor" if is_minor else "major"
    return Bars(
        title=f"Keys in {mode}",
        about=f"Excerpts in {mode} by tonic; {share:.0f} % of all are in {mode}.",
        bins=MINOR_TONICS if is_minor else MAJOR_TONICS,
        series=_series(counts, range(12)),
    )


def _velocities(sample: Sample) -> Bars | None:
    counts = _count(sample, lambda excerpt: (note.velocity // 8 for note in excerpt.music.notes))
    if len(set().union(*counts.values())) < 2:
        return None  # the representation holds no loudness
    bins = range(16)
    return Bars(
        title="Loudness",
        about="Notes or hits by velocity, 1 to 127.",
        bins=tuple(f"{8 * i} to {8 * i + 7}" for i in bins),
        marks={float(i): str(8 * i) for i in bins if i % 4 == 0},
        series=_series(counts, bins),
    )


def _offsets(sample: Sample) -> Bars | None:
    bins = range(-10, 11)
    counts = _count(
        sample, lambda excerpt: (round(20 * note.offset) for note in excerpt.music.notes)
    )
    if len(set().union(*counts.values())) < 2:
        return None  # the representation holds no timing
    return Bars(
        title="Microtiming",
        about="Hits by their distance from the step, in steps; below 0 is early.",
        bins=tuple(f"{i / 20:+.2f}" for i in bins),
        marks={i + 10.5: f"{i / 20:+.2g}" for i in bins if i % 5 == 0},
        series=_series(counts, bins),
    )


def _attributes(sample: Sample) -> Iterator[Bars]:
    """The attributes in the shards."""
    for number, attribute in enumerate(ATTRIBUTES.values()):
        values = {
            name: [
                excerpt.attributes[number]
                for excerpt in excerpts
                if number < len(excerpt.attributes) and math.isfinite(excerpt.attributes[number])
            ]
            for name, excerpts in sample.items()
        }
        everything = [value for each in values.values() for value in each]
        if not everything:
            continue
        is_share = attribute.unit.startswith("share")
        top = 1.0 if is_share else max(1.0, math.ceil(float(np.quantile(everything, 0.995))))
        edges = np.linspace(0, top, _NUMBER_BINS + 1)
        yield Bars(
            title=attribute.name.replace("_", " ").capitalize(),
            about=f"Excerpts by {attribute.unit}. {attribute.definition}",
            bins=(
                *(f"{a:.3g} to {b:.3g}" for a, b in pairwise(edges[:-1])),
                f"{edges[-2]:.3g} to {top:.3g}" if is_share else f"{edges[-2]:.3g} or more",
            ),
            marks={float(i): f"{edges[i]:.3g}" for i in range(0, _NUMBER_BINS + 1, 4)},
            series=tuple(
                Series(
                    name=name,
                    values=tuple(
                        np.histogram(np.clip(each, 0, top), edges)[0].astype(float).tolist()
                    ),
                )
                for name, each in values.items()
            ),
        )


def _count(
    sample: Sample, of: Callable[[SampledExcerpt], Iterable[Bin]]
) -> dict[str, Counter[Bin]]:
    return {
        name: Counter(value for excerpt in excerpts for value in of(excerpt))
        for name, excerpts in sample.items()
    }


def _series(counts: Mapping[str, Counter[Bin]], bins: Iterable[Bin]) -> tuple[Series, ...]:
    order = tuple(bins)
    return tuple(
        Series(name=name, values=tuple(float(count[each]) for each in order))
        for name, count in counts.items()
    )
