"""Infers the chords of a piece from its notes.

Every bar is divided into beats, and for each beat each chord gets a score: how well its tones
explain the pitch classes that sound, and its root or another tone of it the lowest one. The best
sequence of chords is then found over the whole piece (Viterbi's algorithm), where each change
costs something: most within a half bar, less in its middle, least at a bar line, and more for a
chord outside the key.

Scores are logarithms of probabilities, of which only differences count. The constants were tuned
on half of the songs of POP909; `benchmarks/chords.py` tells what they reach on the other half.

Source: the form is that of Magenta's `chord_inference` (pitch profiles, a key, Viterbi); the bass,
the beats and the constants are our own.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float64, Int, Int64

from musicvae.data_pipeline.grid.grid import GridPiece
from musicvae.data_pipeline.readers.piece import ChordLine
from musicvae.music.chords import QUALITIES
from musicvae.music.notes import Key, Meter

from .keys import estimate_key

_OUTSIDE = 0.25
"""The share of what sounds that is no tone of the chord: passing notes, melodies."""

_BASS_ROOT, _BASS_TONE, _BASS_OTHER = 1.0, 0.2, 0.015
"""How often the lowest note is the root, each other tone of the chord, and each other note."""

_BASS_WEIGHT = 0.75
"""How much the lowest note counts beside a note that fills the beat."""

_BASS_BELOW = 55
"""A lowest note from this MIDI pitch on, the G below middle C, is no bass."""

_BASS_SHARE = 0.25
"""A note that sounds for less of a beat is no bass."""

_LENGTH_POWER = 0.7
"""A pitch class that sounds for a share of the beat (all its notes added) counts that share to this
power, so that a short note is more than a part of a long one."""

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
"""What a beat of each quality costs: rare chords must show more of their tones."""

_CHANGE = 3.5
_HALF_BAR_DISCOUNT = 1.5
_BAR_DISCOUNT = 2.5
"""What a change of chord costs, and how much less in the middle of a bar and at its start."""

_OUT_OF_KEY = 0.3
"""What each tone outside the key adds to the cost of a change to a chord."""

_NO_CHORD_NOTE = 3.5
_NO_CHORD_GAIN = 0.75
"""What a note costs where there is no chord, and how much a beat without chord is better else: only
a beat of silence is likelier without."""

_SCALES = {False: (0, 2, 4, 5, 7, 9, 11), True: (0, 2, 3, 5, 7, 8, 10, 11)}
"""The pitch classes of a key above its tonic, by whether it is minor, with the leading note."""

_SCORE_DECIMALS = 6
"""What scores are rounded to."""

_PITCHES = 132
"""The MIDI pitches, filled up to whole octaves."""

_FIRST_NOISE = 112
"""The first of General MIDI's programs of percussion and effects, which have no harmony."""

_CHORDS = 12 * len(QUALITIES)
"""Chords are counted root by root; the number after the last stands for no chord."""


def infer_chords(piece: GridPiece) -> ChordLine | None:
    """Infers a chord for every beat; None where a piece has no pitched notes.

    A chord is a slash chord where another tone of it is the bass of its first beat.
    """
    parts = [part for part in piece.parts if not part.is_drum and part.program < _FIRST_NOISE]
    if not parts:
        return None
    starts = np.concatenate([part.starts for part in parts])
    ends = np.concatenate([part.ends for part in parts])
    pitches = np.concatenate([part.pitches for part in parts])
    beats = _find_beats(piece)
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
    return ChordLine(
        onsets=piece.quarters(beats.edges[:-1][is_change]),
        roots=np.where(is_none, -1, roots).astype(np.int16),
        qualities=np.where(is_none, -1, qualities).astype(np.int16),
        basses=np.where(is_none, -1, basses).astype(np.int16),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Beats:
    """The beats of a piece, from its first bar line to its last.

    Attributes:
        edges: The step of each beat, and the end of the last.
        change_costs: What a change of chord costs at each.
    """

    edges: Int64[np.ndarray, " _"]
    change_costs: Float64[np.ndarray, " slot"]


def _find_beats(piece: GridPiece) -> _Beats:
    """Divides each bar into beats: quarters, or what the wanted meter counts in."""
    beat_steps = _beat_steps(piece.meter, piece.steps_per_quarter)
    bars = piece.bar_steps
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
    """How much of each beat each MIDI pitch fills (several notes added), to whole octaves."""
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
    is_heard = lengths[:, :_BASS_BELOW] >= _BASS_SHARE
    return np.where(is_heard.any(axis=1), is_heard.argmax(axis=1) % 12, 12)


def _score_beats(
    weights: Float64[np.ndarray, "slot 12"], basses: Int64[np.ndarray, " slot"]
) -> Float64[np.ndarray, "slot chord"]:
    """The score of each chord, and of none, in each beat."""
    tables = _tables()
    scores = np.empty((len(weights), _CHORDS + 1))
    # Not @, which starts threads that cost more than they bring.
    np.einsum("sp,pc->sc", weights, tables.tones, out=scores[:, :-1])
    scores[:, :-1] += tables.basses[basses]
    scores[:, -1] = _NO_CHORD_GAIN - _NO_CHORD_NOTE * weights.sum(axis=1)
    # Machines differ in the last bits of a logarithm or a sum: rounded, equal scores are equal.
    return np.round(scores, _SCORE_DECIMALS, out=scores)


def _price_chords(sums: Float64[np.ndarray, " 12"]) -> Float64[np.ndarray, " chord"]:
    """What it costs to change to each chord, for its tones outside the key."""
    costs = np.zeros(_CHORDS + 1)
    if estimated := estimate_key(sums):
        costs[:-1] = _OUT_OF_KEY * (_outside(estimated.key) @ _tables().has_tone)
    return costs


def _outside(key: Key) -> Float64[np.ndarray, " 12"]:
    outside = np.ones(12)
    outside[(key.tonic + np.array(_SCALES[key.is_minor])) % 12] = 0
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
    """What is the same for all music; a column a chord.

    Attributes:
        has_tone: 1 for the pitch classes of each chord.
        tones: The score of each pitch class that fills a beat.
        basses: The score of each bass, and of no bass, less what a beat of the chord costs.
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
    """Moves a row a quality, of intervals above the root, to every root: a column a chord."""
    return np.concatenate([np.roll(rows, root, axis=1) for root in range(12)]).T
