"""Estimates the key of music from the length of each pitch class and from the last notes.

Conventions: a column of weights holds 12 numbers, 0 or more, for the pitch classes from C; only
their proportions matter. Keys are counted 0 to 11 for C major to B major, 12 to 23 for C minor to B
minor. The weights of bars are steps, whole numbers, so that sums of them are exact in any order.

Six pairs of profiles were compared (Krumhansl and Kessler, Temperley, Bellman and Budge, Aarden and
Essen, the simple profiles of Sapp, Albrecht and Shanahan), with notes weighted by length. Albrecht
and Shanahan's named the right key of more songs of POP909 and of more Irish tunes than any other
pair. With these profiles, lengths of notes did better than counts of notes.

The key of an excerpt is the key of its phrase: two bars alone often suggest a relative or a
neighbouring key, and a whole piece hides its modulations. `benchmarks/keys.py` measures the
estimates.

Source: Krumhansl 1990, Cognitive Foundations of Musical Pitch, chapter 4 (the correlation with key
profiles); Albrecht and Shanahan 2013, The Use of Large Corpora to Train a New Type of Key-Finding
Algorithm (the profiles).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int, Int64

from musicvae.music.notes import Key

_MAJOR = (0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081)
_MINOR = (0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052)

_KEYS = 24

PHRASE_BARS = 4
"""The phrase of an excerpt is the excerpt with this many bars before and after it."""

_PIECE_SHARE = 0.6
"""The fit of the whole piece counts this much beside the fit of the phrase."""

_SIGNATURE_BONUS = 0.3
"""Added to the fit of the two keys with the written signature."""

_MODE_BONUS = 0.1
"""Added to the fit of the written key where the mode is written, too."""

_ENDS = 10
"""The lowest note of the end gets an extra weight, the weight of the whole piece divided by this
number: most music ends on its tonic. This weight tells relative keys apart where a melody plays
alone."""

_PIECE_MARGIN = 0.12
"""A key that fits no better than the second best is right about every second time. With each margin
of this much correlation between the two keys, e times fewer estimates are wrong. Fitted on POP909,
OpenEWLD, the OpenScore Lieder and Irish dance tunes."""

EXCERPT_MARGIN = 0.16
"""The same margin for the fits of excerpts, whose sums are larger: fitted without the written keys
on POP909; OpenEWLD has 0.12, Irish dance tunes 0.25."""

_WHOLE = 1 << 24
"""The factor that makes the profiles whole numbers."""

_ROWS = 128
"""The number of rows in one product of matrices; for more, NumPy would start threads."""


def _standardise(rows: Float64[np.ndarray, "_ 12"]) -> Float64[np.ndarray, "_ 12"]:
    """Rows of mean 0 and length 1."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    standard: Float64[np.ndarray, "_ 12"] = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    return standard


_PROFILES = np.rint(
    _WHOLE
    * _standardise(
        np.array([np.roll(profile, tonic) for profile in (_MAJOR, _MINOR) for tonic in range(12)])
    )
).T.copy()
"""The profile of each key, a column a key."""


@dataclass(frozen=True, slots=True)
class EstimatedKey:
    """A key that was estimated from notes.

    Attributes:
        key: The key that fits best.
        confidence: The share of equally clear estimates that are right, 0 to 1.
    """

    key: Key
    confidence: float


def correlate(weights: Float64[np.ndarray, "12 batch"]) -> Float64[np.ndarray, "batch 24"]:
    """Correlates each column of weights with each of the 24 keys: -1 to 1.

    A column of equal weights correlates 0 with every key. Columns of whole numbers have the same
    fits alone and together with other columns.
    """
    centred = 12 * weights
    centred -= weights.sum(axis=0)
    lengths = np.sqrt((centred * centred).sum(axis=0))
    fits = np.empty((weights.shape[1], _KEYS))
    for low in range(0, len(fits), _ROWS):
        rows = slice(low, low + _ROWS)
        np.matmul(centred[:, rows].T, _PROFILES, out=fits[rows])
    fits /= np.maximum(_WHOLE * lengths, 1e-12)[:, None]
    return fits


def estimate_key(weights: Float64[np.ndarray, " 12"]) -> EstimatedKey | None:
    """The key that fits 12 weights best; None for equal weights.

    >>> estimate_key(np.array([2.0, 0, 1, 0, 1, 1, 0, 2, 0, 1, 0, 1])).key
    Key(tonic=0, is_minor=False)
    """
    return choose_keys(correlate(weights[:, None]))[0]


@dataclass(frozen=True, kw_only=True, eq=False)
class ChosenKeys:
    """The key that fits each row of weights best.

    Attributes:
        tonics: The pitch class of each tonic; -1 where the notes tell no key.
        are_minor: 1 for a minor key, 0 for a major key; -1 where the notes tell no key.
        confidences: The share of equally clear choices that are right; NaN where there is none.
    """

    tonics: Int64[np.ndarray, " batch"]
    are_minor: Int64[np.ndarray, " batch"]
    confidences: Float64[np.ndarray, " batch"]

    def __getitem__(self, row: int) -> EstimatedKey | None:
        if self.tonics[row] < 0:
            return None
        key = Key(int(self.tonics[row]), bool(self.are_minor[row]))
        return EstimatedKey(key, float(self.confidences[row]))


def choose_keys(
    fits: Float64[np.ndarray, "batch 24"],
    is_known: Bool[np.ndarray, " batch"] | None = None,
    *,
    margin: float = _PIECE_MARGIN,
) -> ChosenKeys:
    """Chooses the best key of each row.

    Args:
        fits: The fit of each key.
        is_known: The rows that get a key; by default the rows that correlate with any key.
        margin: See `EXCERPT_MARGIN`.
    """
    rows = np.arange(len(fits))
    best = fits.argmax(axis=1)
    highest = fits[rows, best]
    others = fits.copy()
    others[rows, best] = -np.inf
    margins = highest - others[rows, others.argmax(axis=1)]
    known = highest > 0 if is_known is None else is_known
    minor, tonics = np.divmod(best, 12)
    confidences = 1 - 0.5 * np.exp(margins / -margin)
    return ChosenKeys(
        tonics=np.where(known, tonics, -1),
        are_minor=np.where(known, minor, -1),
        confidences=np.where(known, confidences, np.nan),
    )


def fit_pieces(
    weights: Float64[np.ndarray, "12 batch"], lasts: Int64[np.ndarray, " batch"]
) -> Float64[np.ndarray, "batch 24"]:
    """The fit of each key to whole pieces.

    Args:
        weights: The weights of each piece, whole numbers.
        lasts: The lowest pitch class of the end of each piece.
    """
    with_ends = _ENDS * weights
    with_ends[lasts, np.arange(len(lasts))] += weights.sum(axis=0)
    return correlate(with_ends)


def expect_keys(
    piece_fits: Float64[np.ndarray, "_ 24"], written: Int64[np.ndarray, " batch"]
) -> Float64[np.ndarray, "batch 24"]:
    """The fit of each key to the rest of the piece: its notes, and its written key.

    Args:
        piece_fits: The fit of each key to the whole piece: a row for each excerpt, or one for all.
        written: The written key, by `number_written`.
    """
    expected: Float64[np.ndarray, "batch 24"] = _PIECE_SHARE * piece_fits + _BONUSES[written]
    return expected


@dataclass(frozen=True, kw_only=True, eq=False)
class BarRanges:
    """Runs of bars on a line of the bars of one or several pieces.

    Attributes:
        firsts: The number of the first bar of each run.
        ends: The number of the first bar after each run.
    """

    firsts: Int[np.ndarray, " batch"]
    ends: Int[np.ndarray, " batch"]


def fit_phrases(
    weights: Float64[np.ndarray, "12 bar"], excerpts: BarRanges, pieces: BarRanges
) -> Float64[np.ndarray, "batch 24"]:
    """The fit of each key to the phrases of excerpts.

    The excerpt's own bars count twice, the other bars of its phrase once.

    Args:
        weights: The weights of each bar, whole numbers.
        excerpts: The bars of each excerpt.
        pieces: The bars of the piece of each excerpt.
    """
    sums = np.zeros((12, weights.shape[1] + 1))
    weights.cumsum(axis=1, out=sums[:, 1:])
    phrase_firsts = np.maximum(excerpts.firsts - PHRASE_BARS, pieces.firsts)
    phrase_ends = np.minimum(excerpts.ends + PHRASE_BARS, pieces.ends)
    phrases = sums.take(excerpts.ends, axis=1)
    phrases -= sums.take(excerpts.firsts, axis=1)
    phrases += sums.take(phrase_ends, axis=1)
    phrases -= sums.take(phrase_firsts, axis=1)
    return correlate(phrases)


NOT_WRITTEN = 0


def number_written(key: Key, *, has_mode: bool) -> int:
    """The number of a written key for `expect_keys`; `NOT_WRITTEN` stands for none.

    Args:
        key: The key; without a mode, the major key of the signature.
        has_mode: Whether the mode is written, not only the signature.
    """
    return 1 + key.tonic + 12 * (key.is_minor if has_mode else 2)


def _weigh_written() -> Float64[np.ndarray, "_ 24"]:
    """The bonus of each key for each number of `number_written`."""
    keys = np.arange(_KEYS)
    signatures = np.where(keys < 12, keys, (keys + 3) % 12)
    same = (signatures[:, None] == signatures) * _SIGNATURE_BONUS
    with_mode = same + np.eye(_KEYS) * _MODE_BONUS
    return np.concatenate([np.zeros((1, _KEYS)), with_mode, same[:12]])


_BONUSES = _weigh_written()
