"""Infers the chords of a piece from its notes.

Every bar is divided into beats. For each beat each chord gets a score: how well the tones of the
chord explain the pitch classes that sound, and how well its root or another tone explains the
lowest note. The best sequence of chords is then found over the whole piece (Viterbi's algorithm). A
change of chord has a cost: the highest within a half bar, a lower cost in the middle of a bar, the
lowest at a bar line; a chord outside the key costs more.

Scores are logarithms of probabilities; only their differences count. The constants were tuned on
half of the songs of POP909; `benchmarks/chords.py` measures the other half.

Source: Magenta's `chord_inference` has the same form (pitch profiles, a key, Viterbi); the bass,
the beats and the constants are our own.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float64, Int, Int16, Int64

from musicvae.music.chords import QUALITIES
from musicvae.music.notes import Key, Meter
from musicvae.music.scales import KEY_STEPS

from .keys import estimate_key

_OUTSIDE = 0.25
"""The share of the sound that is no tone of the chord: passing notes, melodies."""

_BASS_ROOT, _BASS_TONE, _BASS_OTHER = 1.0, 0.2, 0.015
"""How often the lowest note is the root, each other tone of the chord, each other pitch class."""

_BASS_WEIGHT = 0.75
"""How much the lowest note counts beside a note that fills the beat."""

_BASS_BELOW = 55
"""A lowest note from this MIDI pitch on, the G below middle C, is no bass."""

_BASS_SHARE = 0.25
"""A note that sounds for less of a beat is no bass."""

_LENGTH_POWER = 0.7
"""A pitch class that fills a share of the beat (all its notes added) counts as this power of the
share: a short note counts for more than its share of a long note."""

_MOST_WEIGHT = 2.0
"""More than two voices on a pitch class count as two."""

_RARITIES = {
    "maj": 0.0,
    "min": 0.0,
    "7": 0.75,
    "maj7": 0.75,
    "min7": 0.75,
    "aug7": 3.0,
    "5": 4.5,
}
_OTHER_RARITY = 1.25
"""The cost of a beat by its quality: rare chords must show more of their tones."""

_CHANGE = 3.5
_HALF_BAR_DISCOUNT = 1.5
_BAR_DISCOUNT = 2.5
"""The cost of a change of chord, and the discounts in the middle of a bar and at its start."""

_OUT_OF_KEY = 0.3
"""The cost that each tone outside the key adds to a change to a chord."""

_NO_CHORD_GAIN = 0.75
"""A silent beat may have no chord, and gains so much; any other beat has a chord."""

_IMPOSSIBLE = -1e6

_SCORE_DECIMALS = 6
"""Scores are rounded to this many decimals."""

_PITCHES = 132
"""The MIDI pitches, filled up to whole octaves."""

FIRST_NOISE = 112
"""The first of General MIDI's programs of percussion and effects, which have no harmony."""

_CHORDS = 12 * len(QUALITIES)
"""Chords are numbered root by root; the number after the last chord stands for no chord."""


@dataclass(frozen=True, kw_only=True, eq=False)
class InferredChords:
    """The chords of a piece, as columns; each chord holds until the next.

    Attributes:
        steps: The step of each chord, ascending.
        roots: Pitch classes, 0 to 11; -1 for no chord.
        qualities: Indices into `musicvae.music.chords.QUALITIES`; -1 for no chord.
        basses: Pitch class of the lowest note: the root, or another tone of a slash chord; -1 for
            no chord.
    """

    steps: Int64[np.ndarray, " chord"]
    roots: Int16[np.ndarray, " chord"]
    qualities: Int16[np.ndarray, " chord"]
    basses: Int16[np.ndarray, " chord"]


def infer_chords(
    starts: Int[np.ndarray, " note"],
    ends: Int[np.ndarray, " note"],
    pitches: Int[np.ndarray, " note"],
    *,
    bar_steps: Int64[np.ndarray, " line"],
    meter: Meter,
    steps_per_quarter: int,
) -> InferredChords:
    """Infers a chord for every beat. A chord whose first beat has another bass is a slash chord.

    Args:
        starts: The step of each onset, of the notes that have a harmony: no drums, no noises (see
            `FIRST_NOISE`). At least one.
        ends: The step at which each note ends.
        pitches: The MIDI number of each note.
        bar_steps: The step of each bar line, and the end of the last bar.
        meter: The meter, which says how a bar is divided into beats.
        steps_per_quarter: The resolution of the steps.
    """
    beats = _find_beats(bar_steps, _beat_steps(meter, steps_per_quarter))
    lengths = _measure_pitches(starts, ends, pitches, beats.edges)
    sounding = lengths.reshape(len(lengths), -1, 12).sum(axis=1)
    weights = np.minimum(sounding, _MOST_WEIGHT) ** _LENGTH_POWER
    basses = _find_basses(lengths)
    scores = _score_beats(weights, basses)
    path = _find_path(scores, _price_chords(weights.sum(axis=0)), beats.change_costs)
    is_change = np.append(True, path[1:] != path[:-1])
    chords = path[is_change]
    roots, qualities = np.divmod(chords, len(QUALITIES))
    is_none = chords == _CHORDS
    has_tone = np.pad(_tables().has_tone, ((0, 1), (0, 1)))
    basses = np.where(has_tone[basses[is_change], chords] > 0, basses[is_change], roots)
    return InferredChords(
        steps=beats.edges[:-1][is_change],
        roots=np.where(is_none, -1, roots).astype(np.int16),
        qualities=np.where(is_none, -1, qualities).astype(np.int16),
        basses=np.where(is_none, -1, basses).astype(np.int16),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Beats:
    """The beats of a piece, from its first bar line to its last.

    Attributes:
        edges: The step of each beat, and the end of the last beat.
        change_costs: The cost of a change of chord at each beat.
    """

    edges: Int64[np.ndarray, " _"]
    change_costs: Float64[np.ndarray, " slot"]


def _find_beats(bars: Int64[np.ndarray, " line"], beat_steps: int) -> _Beats:
    """Divides each bar into beats; the last beat of a bar may be short."""
    counts = -(-np.diff(bars) // beat_steps)
    offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    costs = np.full(len(offsets), _CHANGE)
    costs[offsets == 0] -= _BAR_DISCOUNT
    costs[(offsets * 2 == np.repeat(counts, counts)) & (offsets > 0)] -= _HALF_BAR_DISCOUNT
    edges = np.repeat(bars[:-1], counts) + offsets * beat_steps
    return _Beats(edges=np.append(edges, bars[-1]), change_costs=costs)


def _beat_steps(meter: Meter, steps_per_quarter: int) -> int:
    """A dotted quarter in 6/8, 9/8 and 12/8, an eighth in other meters of eighths."""
    if meter.denominator < 8:
        return steps_per_quarter
    return steps_per_quarter // 2 * (3 if meter.numerator % 3 == 0 else 1)


def _measure_pitches(
    starts: Int[np.ndarray, " note"],
    ends: Int[np.ndarray, " note"],
    pitches: Int[np.ndarray, " note"],
    edges: Int64[np.ndarray, " _"],
) -> Float64[np.ndarray, "slot 132"]:
    """The share of each beat that each MIDI pitch fills (several notes added)."""
    first = np.maximum(edges.searchsorted(starts, side="right") - 1, 0)
    last = np.minimum(edges.searchsorted(ends) - 1, len(edges) - 2)
    counts = np.maximum(last - first + 1, 0)
    notes = np.repeat(np.arange(len(starts)), counts)
    beats = np.arange(len(notes)) - np.repeat(np.cumsum(counts) - counts - first, counts)
    overlaps = np.minimum(ends[notes], edges[beats + 1]) - np.maximum(starts[notes], edges[beats])
    shares = overlaps / (edges[beats + 1] - edges[beats])
    cells = np.bincount(beats * _PITCHES + pitches[notes], shares, (len(edges) - 1) * _PITCHES)
    return cells.reshape(-1, _PITCHES)


def _find_basses(lengths: Float64[np.ndarray, "slot 132"]) -> Int64[np.ndarray, " slot"]:
    """The pitch class of the bass of each beat; 12 where there is none."""
    is_bass = lengths[:, :_BASS_BELOW] >= _BASS_SHARE
    return np.where(is_bass.any(axis=1), is_bass.argmax(axis=1) % 12, 12)


def _score_beats(
    weights: Float64[np.ndarray, "slot 12"], basses: Int64[np.ndarray, " slot"]
) -> Float64[np.ndarray, "slot chord"]:
    """The score of each chord, and of no chord, in each beat."""
    tables = _tables()
    scores = np.empty((len(weights), _CHORDS + 1))
    # Not @: it starts threads that cost more time than they save.
    np.einsum("sp,pc->sc", weights, tables.tones, out=scores[:, :-1])
    scores[:, :-1] += tables.basses[basses]
    scores[:, -1] = np.where(weights.any(axis=1), _IMPOSSIBLE, _NO_CHORD_GAIN)
    # Machines differ in the last bits of a logarithm or a sum: rounded, equal scores are equal.
    return np.round(scores, _SCORE_DECIMALS, out=scores)


def _price_chords(sums: Float64[np.ndarray, " 12"]) -> Float64[np.ndarray, " chord"]:
    """The cost of a change to each chord, for its tones outside the key."""
    costs = np.zeros(_CHORDS + 1)
    if estimated := estimate_key(sums):
        costs[:-1] = _OUT_OF_KEY * (_outside(estimated.key) @ _tables().has_tone)
    return costs


def _outside(key: Key) -> Float64[np.ndarray, " 12"]:
    outside = np.ones(12)
    outside[(key.tonic + np.array(KEY_STEPS[key.is_minor])) % 12] = 0
    return outside


def _find_path(
    scores: Float64[np.ndarray, "slot chord"],
    entry_costs: Float64[np.ndarray, " chord"],
    change_costs: Float64[np.ndarray, " slot"],
) -> Int64[np.ndarray, " slot"]:
    """The sequence of chords with the highest sum of scores less costs."""
    totals = scores[0] - entry_costs
    bests = np.zeros(len(scores), np.int64)
    is_new = np.zeros(scores.shape, bool)
    for slot in range(1, len(scores)):
        best = totals.argmax()
        entering = totals[best] - change_costs[slot] - entry_costs
        bests[slot] = best
        np.greater(entering, totals, out=is_new[slot])
        totals = np.maximum(totals, entering) + scores[slot]
    path = np.empty(len(scores), np.int64)
    chord = int(totals.argmax())
    for slot in range(len(scores) - 1, -1, -1):
        path[slot] = chord
        if is_new[slot, chord]:
            chord = int(bests[slot])
    return path


@dataclass(frozen=True, kw_only=True, eq=False)
class _Tables:
    """Constants of all music; a column a chord.

    Attributes:
        has_tone: 1 for the pitch classes of each chord.
        tones: The score of each pitch class that fills a beat.
        basses: The score of each bass, and of no bass, less the cost of a beat of the chord.
    """

    has_tone: Float64[np.ndarray, "12 chord"]
    tones: Float64[np.ndarray, "12 chord"]
    basses: Float64[np.ndarray, "13 chord"]


@cache
def _tables() -> _Tables:
    has_tone = np.zeros((len(QUALITIES), 12))
    for index, intervals in enumerate(QUALITIES.values()):
        has_tone[index, list(intervals)] = 1
    tones = has_tone * (1 - _OUTSIDE) / has_tone.sum(axis=1, keepdims=True)
    basses = np.where(has_tone > 0, _BASS_TONE, _BASS_OTHER)
    basses[:, 0] = _BASS_ROOT
    basses /= basses.sum(axis=1, keepdims=True)
    costs = [_RARITIES.get(quality, _OTHER_RARITY) for quality in QUALITIES]
    return _Tables(
        has_tone=_turn(has_tone),
        tones=np.log(_turn(tones + _OUTSIDE / 12)),
        basses=np.pad(_BASS_WEIGHT * np.log(_turn(basses)), ((0, 1), (0, 0))) - np.tile(costs, 12),
    )


def _turn(rows: Float64[np.ndarray, "_ 12"]) -> Float64[np.ndarray, "12 chord"]:
    """Transposes a row of intervals for each quality to every root: a column for each chord."""
    return np.concatenate([np.roll(rows, root, axis=1) for root in range(12)]).T
