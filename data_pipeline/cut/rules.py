"""The rules of cutting: their names, units and defaults.

A rule is a field of `Rules`; the manifest shows all of them with the values that were used.
"""

import math
from dataclasses import asdict, dataclass

from musicvae.errors import SettingError


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The limits within which parts and excerpts are kept.

    Attributes:
        fewest_notes: A melody's excerpt of fewer notes is rejected.
        fewest_pitches: A melody's excerpt of fewer different pitches is rejected: a single repeated
            pitch is no melody.
        longest_gap_bars: An excerpt with a silence of this length, in bars, is rejected.
        most_overlap_steps: Legato notes overlap a little: an overlap of up to this many steps is
            cut from the earlier note.
        most_polyphony: A part with a larger share of onsets on a sounding note is no melody. In any
            other part, only the excerpts that hold such an onset are rejected.
        bass_below: A part with half of its notes below this MIDI pitch is a bass and no melody,
            unless it plays alone.
        most_tempo_change: An excerpt whose fastest tempo is further above its slowest than this
            share is never cut.
        most_offset_quarters: An onset further than this from the grid, in quarter notes, is off the
            grid.
        fewest_fine_onsets: A melody's excerpt with fewer onsets between the sixteenths is rejected:
            a set on a finer grid can so hold only music that needs the grid, such as triplets and
            swing.
        fewest_hits: An excerpt of drums with fewer hits is rejected as a count-in.
        fewest_drums: An excerpt of drums with fewer classes is rejected as a click or a shaker.
        most_off_grid: An excerpt of drums with a larger share of hits off the grid (see
            `most_offset_quarters`) is rejected; a groove never is.
        longest_trio_gap_bars: A trio with a line that is silent this long, in bars, is rejected.
        fewest_trio_lines: A trio with fewer of its three lines is rejected; a line that the piece
            lacks is silent. Less than 3 is for training data: see `recombination.mix_trios`.
        most_trios: The most combinations of melody, bass and drums that one piece gives.
        fewest_chords: An excerpt with fewer different chords is rejected.

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
    fewest_fine_onsets: int = 0
    fewest_hits: int = 4
    fewest_drums: int = 2
    most_off_grid: float = 0.4
    longest_trio_gap_bars: float = 2.0
    fewest_trio_lines: int = 3
    most_trios: int = 16
    fewest_chords: int = 2

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not 0 <= value < math.inf:
                raise SettingError(
                    f"{name}={value}",
                    expected="a number of at least 0",
                    action="Give such a number; a large limit switches a rule off.",
                    field="rule",
                )
