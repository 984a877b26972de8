"""The rules of what is kept, by their names, units and defaults.

A rule is a field of `Rules`; the manifest shows all of them with the values that were used.
"""

import math
from dataclasses import asdict, dataclass

from musicvae.errors import SettingError


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What parts and excerpts must be like to be kept.

    Attributes:
        fewest_notes: Notes of a melody's excerpt, of any length.
        fewest_pitches: Different pitches of a melody's excerpt: a single repeated note is none.
        longest_gap_bars: An excerpt with a silence this long, in bars, is left out.
        most_overlap_steps: Notes played legato overlap a little: that much, in steps, is cut from
            the earlier note.
        most_polyphony: A part in which more than this share of the onsets falls on a sounding note
            is no melody; below it, only the excerpts that hold such an onset are left out.
        bass_below: Where half of a part's notes are below this MIDI pitch, and it does not play
            alone, it is the bass and no melody.
        most_tempo_change: No excerpt holds two tempos of which one is faster than the other by more
            than this share.
        most_offset_quarters: An onset further than this from the grid, in quarter notes, is off it.
        fewest_hits: Hits of an excerpt of drums, of any length: fewer are a count-in.
        fewest_drums: Different classes of drums in an excerpt: one alone is a click or a shaker.
        most_off_grid: Drums are put on the grid, but an excerpt of which more than this share of
            the hits is off it (see `most_offset_quarters`) is left out; a groove never is.
        longest_trio_gap_bars: A trio in which a line is silent this long, in bars, is left out.
        most_trios: Combinations of a melody, a bass and drums that are taken from one piece.
        fewest_chords: Different chords of an excerpt of chords.

    Raises:
        SettingError: If a value is not finite or is below 0.
    """

    fewest_notes: int = 3
    fewest_pitches: int = 2
    longest_gap_bars: float = 1.0
    most_overlap_steps: int = 1
    most_polyphony: float = 0.1
    bass_below: int = 48
    most_tempo_change: float = 0.1
    most_offset_quarters: float = 1 / 16
    fewest_hits: int = 4
    fewest_drums: int = 2
    most_off_grid: float = 0.4
    longest_trio_gap_bars: float = 2.0
    most_trios: int = 16
    fewest_chords: int = 2

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not 0 <= value < math.inf:
                raise SettingError(
                    f"{name}={value}",
                    expected="a number of at least 0",
                    action="Give one; a large one switches a rule of the most or longest off.",
                    field="rule",
                )
