"""Chord progressions as text: bars are divided by `|`, and the chords of a bar share the bar.

    C | Am . . G | F | N.C.

The cells of a bar, divided by spaces, are equally long; where a cell's start is no whole number of
steps, its chord starts on the nearest step. A cell is a chord symbol, `N.C.` for no chord, or a dot
where the chord before goes on. A line may begin and end with `|`.

Source: the grids of ChordPro have the same cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from musicvae.errors import MusicVAEError, SettingError
from musicvae.music.chords import Chord, ParsedChord, parse_symbol, symbol
from musicvae.music.notes import Key
from musicvae.music.spelling import spell

MOST_CHARACTERS = 4_000
"""The limit of a progression's length: 64 bars with a chord on every quarter note."""

_HOLD = "."
_MOST_NAMED = 3  # wrong cells that an error repeats
_MOST_CELL = 16  # characters of a wrong cell that an error repeats
_USUAL_CHORDS = 2  # of a bar; more chords without a bar line are likely bars


@dataclass(frozen=True, slots=True)
class Progression:
    """Chords bar by bar.

    Attributes:
        bars: The cells of each bar, at least one bar and one cell; None where the chord before
            goes on.
    """

    bars: tuple[tuple[ParsedChord | None, ...], ...]


@lru_cache(maxsize=256)  # the check of a request and the engine read the same text
def parse(text: str) -> Progression:
    """Reads a progression.

    Raises:
        SettingError: If the text is too long, has an empty bar, or a cell that is no chord symbol.

    >>> len(parse("| C | Am7 . D/F# |").bars)
    2
    """
    if len(text) > MOST_CHARACTERS:
        found = f"chords of {len(text)} characters"
        raise wrong_chords(found, f"at most {MOST_CHARACTERS:,}")
    inner = text.strip().removeprefix("|").removesuffix("|")
    bars = [bar.split() for bar in inner.split("|")]
    wrong = [f"bar {number} without a chord" for number, bar in enumerate(bars, 1) if not bar]
    read: list[tuple[ParsedChord | None, ...]] = []
    for number, bar in enumerate(bars, 1):
        cells = [None if cell == _HOLD else parse_symbol(cell) for cell in bar]
        wrong += [
            f"{cell[:_MOST_CELL]!r} in bar {number}"
            for cell, chord in zip(bar, cells, strict=True)
            if chord is None and cell != _HOLD
        ]
        read.append(tuple(cells))
    if wrong:
        more = f" and {len(wrong) - _MOST_NAMED} more" if len(wrong) > _MOST_NAMED else ""
        raise wrong_chords(
            f"{', '.join(wrong[:_MOST_NAMED])}{more}",
            "chord symbols such as C, F#m7, Bb7/D or N.C. in every bar",
        )
    return Progression(tuple(read))


def hint_at_bars(text: str) -> str | None:
    """A hint for chords that look as if their bar lines were forgotten, else None.

    >>> hint_at_bars("C Am F G")
    'C Am F G is one bar; write C | Am | F | G for a bar each'
    """
    cells = text.split()
    if "|" in text or len(cells) <= _USUAL_CHORDS or not all(map(parse_symbol, cells)):
        return None
    return f"{' '.join(cells)} is one bar; write {' | '.join(cells)} for a bar each"


def lay_out(progression: Progression, *, bars: int, steps_per_bar: int) -> tuple[Chord, ...]:
    """Puts a progression on the grid of an excerpt; a shorter progression is repeated to the end.

    Args:
        progression: The chords.
        bars: The length of the excerpt.
        steps_per_bar: The length of a bar.

    Raises:
        SettingError: If the progression has more bars than the excerpt, or a bar has more cells
            than steps.
    """
    if len(progression.bars) > bars:
        raise wrong_chords(f"{len(progression.bars)} bars of chords", f"1 to {bars} bars")
    laid: list[Chord] = []
    for index in range(bars):
        number = index % len(progression.bars)
        cells = progression.bars[number]
        if len(cells) > steps_per_bar:
            found = f"{len(cells)} cells in bar {number + 1}"
            raise wrong_chords(found, f"at most the {steps_per_bar} steps of a bar")
        starts = _cell_starts(len(cells), steps_per_bar)
        laid += [
            Chord(index * steps_per_bar + start, chord.root, chord.quality, chord.bass)
            for start, chord in zip(starts, cells, strict=True)
            if chord is not None
        ]
    return tuple(laid)


def write(chords: Sequence[Chord], *, bars: int, steps_per_bar: int, key: Key | None = None) -> str:
    """Writes the chords of an excerpt as a progression, which `lay_out` reads back.

    A chord that goes on over a bar line is written again.

    Args:
        chords: The chords of the excerpt, in order of onset.
        bars: The length of the excerpt.
        steps_per_bar: The length of a bar.
        key: The key that says how notes are spelled.

    >>> write([Chord(0, 0, "maj"), Chord(28, 9, "min")], bars=2, steps_per_bar=16)
    'C | C . . Am'
    """
    names = spell(key)
    changes = {chord.start_step: symbol(chord, names) for chord in chords}
    holding, written = symbol(ParsedChord()), []
    for bar in range(bars):
        first = bar * steps_per_bar
        within = {step - first for step in changes if first < step < first + steps_per_bar}
        cells = next(
            cells
            for count in range(1, steps_per_bar + 1)
            if within <= set(cells := _cell_starts(count, steps_per_bar))
        )
        holding = changes.get(first, holding)
        texts = [holding, *(changes.get(first + start, _HOLD) for start in cells[1:])]
        holding = next(text for text in reversed(texts) if text != _HOLD)
        written.append(" ".join(texts))
    return " | ".join(written)


def wrong_chords(found: str, expected: str) -> MusicVAEError:
    """Makes the error for chords that can't be used."""
    return SettingError(
        found,
        expected=expected,
        action='Write them like "C | Am | F G7/B | C".',
        field="chords",
    )


def _cell_starts(count: int, steps_per_bar: int) -> list[int]:
    """The step nearest to the start of each cell of a bar."""
    return [(2 * cell * steps_per_bar + count) // (2 * count) for cell in range(count)]
