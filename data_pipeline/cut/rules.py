"""Why music is left out: the rules by their names, units and defaults, and the reasons they give.

A rule is a field of `Rules`; the manifest shows all of them with the values that were used.
"""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from operator import attrgetter
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int32, Int64

from musicvae.data_pipeline.grid.grid import GridPart
from musicvae.errors import SettingError
from musicvae.music.instruments import HIGHEST_PITCH, LOWEST_PITCH
from musicvae.music.notes import PITCHES


class Reason(NamedTuple):
    """Why something was left out: the reason's name, and what was found."""

    name: str
    found: str


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


@dataclass(frozen=True, kw_only=True, eq=False)
class Candidates:
    """The windows of one line, or of many end to end, before they are judged.

    Attributes:
        line: The notes.
        lanes: The number of the lane of each window, ascending; all 0 for one line.
        first_steps: Where each window starts.
        low: For each window, the index of its first note.
        high: And of the first note after it.
        length_steps: The length of every window.
        steps_per_bar: Of the meter.
        steps_per_quarter: The resolution.
    """

    line: GridPart
    lanes: Int64[np.ndarray, " batch"]
    first_steps: Int64[np.ndarray, " batch"]
    low: Int64[np.ndarray, " batch"]
    high: Int64[np.ndarray, " batch"]
    length_steps: int
    steps_per_bar: int
    steps_per_quarter: int

    @classmethod
    def find(
        cls,
        line: GridPart,
        lanes: Int64[np.ndarray, " batch"],
        first_steps: Int64[np.ndarray, " batch"],
        *,
        length_steps: int,
        steps_per_bar: int,
        steps_per_quarter: int,
    ) -> "Candidates":
        """Finds the notes of windows."""
        # numpy would turn all notes into 64 bits to search them for such.
        firsts = first_steps.astype(np.int32)
        return cls(
            line=line,
            lanes=lanes,
            first_steps=first_steps,
            low=line.starts.searchsorted(firsts),
            high=line.starts.searchsorted(firsts + np.int32(length_steps)),
            length_steps=length_steps,
            steps_per_bar=steps_per_bar,
            steps_per_quarter=steps_per_quarter,
        )

    def notes_of(self, window: int) -> slice:
        """The notes of one window."""
        return slice(int(self.low[window]), int(self.high[window]))

    def hold(self, is_one: Bool[np.ndarray, " note"]) -> Bool[np.ndarray, " batch"] | None:
        """Which windows hold a note of these, or None where there are no such notes."""
        return self._sum(is_one, self.high) > 0 if is_one.any() else None

    def hold_pair(self, is_one: Bool[np.ndarray, " note"]) -> Bool[np.ndarray, " batch"] | None:
        """Which windows hold a pair of these, or None; a pair is a note and the next."""
        return self._sum(is_one, self.high - 1) > 0 if is_one.any() else None

    def _sum(
        self, is_one: Bool[np.ndarray, " note"], high: Int64[np.ndarray, " batch"]
    ) -> Int64[np.ndarray, " batch"]:
        sums = np.zeros(len(is_one) + 2, np.int64)
        np.cumsum(is_one, out=sums[1:-1])
        counts: Int64[np.ndarray, " batch"] = sums[high] - sums[self.low]
        return counts


@dataclass(frozen=True, slots=True)
class Refusal:
    """Windows of one lane that are refused for one reason.

    Attributes:
        lane: The number of the lane.
        reason: What the first of them was refused for.
        count: How many there are.
    """

    lane: int
    reason: Reason
    count: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Verdict:
    """What the rules say of windows.

    Attributes:
        is_kept: Of each window.
        refused: By lane, and then in the order of the rules.
    """

    is_kept: Bool[np.ndarray, " batch"]
    refused: tuple[Refusal, ...]


def judge(candidates: Candidates, rules: Rules) -> Verdict:
    """Asks every rule in order; a window is refused for the first that it breaks."""
    is_kept = np.ones(len(candidates.first_steps), bool)
    refused: list[Refusal] = []
    for name, rule in _RULES.items():
        is_broken = rule.find(candidates, rules)
        if is_broken is None:
            continue
        broken = (is_broken & is_kept).nonzero()[0]
        is_kept[broken] = False
        if not len(broken):
            continue
        lanes = candidates.lanes[broken]
        firsts = np.flatnonzero(np.append(True, lanes[1:] != lanes[:-1]))
        counts = np.diff(firsts, append=len(lanes)).tolist()
        for lane, window, count in zip(
            lanes[firsts].tolist(), broken[firsts].tolist(), counts, strict=True
        ):
            found = rule.tell(candidates, rules, window)
            refused.append(Refusal(lane, Reason(name, found), count))
    refused.sort(key=attrgetter("lane"))
    return Verdict(is_kept=is_kept, refused=tuple(refused))


@dataclass(frozen=True, slots=True)
class _Rule:
    """A rule of excerpts.

    Attributes:
        find: Which windows break it, or None where it is clear that none does.
        tell: What was found in the window of this number.
    """

    find: Callable[[Candidates, Rules], Bool[np.ndarray, " batch"] | None]
    tell: Callable[[Candidates, Rules, int], str]


def _find_silent(candidates: Candidates, _: Rules) -> Bool[np.ndarray, " batch"]:
    is_silent: Bool[np.ndarray, " batch"] = candidates.high == candidates.low
    return is_silent


def _tell_silent(_: Candidates, __: Rules, ___: int) -> str:
    return "no notes"


def _find_long_gaps(candidates: Candidates, rules: Rules) -> Bool[np.ndarray, " batch"]:
    longest = rules.longest_gap_bars * candidates.steps_per_bar
    line, first = candidates.line, candidates.first_steps
    # Silent windows have no first note: any stands for it, as they are refused before.
    before = line.starts[np.minimum(candidates.low, len(line.starts) - 1)] - first >= longest
    after = first + candidates.length_steps - line.ends[candidates.high - 1] >= longest
    has_gap: Bool[np.ndarray, " batch"] = before | after
    between = candidates.hold_pair(line.starts[1:] - line.ends[:-1] >= longest)
    return has_gap if between is None else has_gap | between


def _tell_long_gap(candidates: Candidates, _: Rules, window: int) -> str:
    line, first = candidates.line, int(candidates.first_steps[window])
    notes = candidates.notes_of(window)
    ends = [first, *line.ends[notes].tolist()]
    starts = [*line.starts[notes].tolist(), first + candidates.length_steps]
    longest = max(start - end for start, end in zip(starts, ends, strict=True))
    return f"{longest} steps of silence"


def _find_few_notes(candidates: Candidates, rules: Rules) -> Bool[np.ndarray, " batch"]:
    has_few: Bool[np.ndarray, " batch"] = candidates.high - candidates.low < rules.fewest_notes
    return has_few


def _tell_few_notes(candidates: Candidates, _: Rules, window: int) -> str:
    return f"{candidates.high[window] - candidates.low[window]} notes"


def _find_few_pitches(candidates: Candidates, rules: Rules) -> Bool[np.ndarray, " batch"]:
    has_few: Bool[np.ndarray, " batch"] = _count_pitches(candidates) < rules.fewest_pitches
    return has_few


def _tell_few_pitches(candidates: Candidates, _: Rules, window: int) -> str:
    count = len(np.unique(candidates.line.pitches[candidates.notes_of(window)]))
    return f"{count} pitch" if count == 1 else f"{count} pitches"


def _count_pitches(candidates: Candidates) -> Int64[np.ndarray, " batch"]:
    """The number of different pitches in each window that is not silent."""
    bits = np.zeros((len(candidates.line.pitches) + 1, 2), np.uint64)
    bits[:-1] = _PITCH_BITS[candidates.line.pitches]
    ranges = np.stack([candidates.low, candidates.high], axis=1).ravel()
    together = np.bitwise_or.reduceat(bits, ranges, axis=0)[::2]
    counts: Int64[np.ndarray, " batch"] = np.bitwise_count(together).sum(axis=1, dtype=np.int64)
    return counts


_PITCH_BITS = np.array(
    [[1 << pitch if pitch < 64 else 0, 1 << pitch - 64 if pitch >= 64 else 0] for pitch in PITCHES],
    np.uint64,
)
"""A bit for each pitch, in two words."""


def _find_off_grid(candidates: Candidates, rules: Rules) -> Bool[np.ndarray, " batch"] | None:
    most = rules.most_offset_quarters * candidates.steps_per_quarter
    return candidates.hold(np.abs(candidates.line.offsets) > most)


def _tell_off_grid(candidates: Candidates, rules: Rules, window: int) -> str:
    notes = candidates.notes_of(window)
    most = rules.most_offset_quarters * candidates.steps_per_quarter
    note = notes.start + int((np.abs(candidates.line.offsets[notes]) > most).argmax())
    step = candidates.line.starts[note] - candidates.first_steps[window]
    return f"an onset {candidates.line.offsets[note]:+.2f} steps off the grid at step {step}"


def _find_polyphonic(candidates: Candidates, _: Rules) -> Bool[np.ndarray, " batch"] | None:
    return candidates.hold_pair(candidates.line.starts[1:] < candidates.line.ends[:-1])


def _tell_polyphonic(candidates: Candidates, _: Rules, window: int) -> str:
    line, notes = candidates.line, candidates.notes_of(window)
    starts, ends = line.starts[notes], line.ends[notes]
    note = notes.start + int((starts[1:] < ends[:-1]).argmax())
    step = line.starts[note + 1] - candidates.first_steps[window]
    return f"pitches {line.pitches[note]} and {line.pitches[note + 1]} together at step {step}"


def _find_out_of_range(candidates: Candidates, _: Rules) -> Bool[np.ndarray, " batch"] | None:
    return candidates.hold(_are_out_of_range(candidates.line.pitches))


def _tell_out_of_range(candidates: Candidates, _: Rules, window: int) -> str:
    line, notes = candidates.line, candidates.notes_of(window)
    note = notes.start + int(_are_out_of_range(line.pitches[notes]).argmax())
    step = line.starts[note] - candidates.first_steps[window]
    return f"pitch {line.pitches[note]} at step {step}"


def _are_out_of_range(pitches: Int32[np.ndarray, " note"]) -> Bool[np.ndarray, " note"]:
    return (pitches < LOWEST_PITCH) | (pitches > HIGHEST_PITCH)


_RULES = {
    "silent": _Rule(_find_silent, _tell_silent),
    "long_gap": _Rule(_find_long_gaps, _tell_long_gap),
    "few_notes": _Rule(_find_few_notes, _tell_few_notes),
    "few_pitches": _Rule(_find_few_pitches, _tell_few_pitches),
    "off_grid": _Rule(_find_off_grid, _tell_off_grid),
    "polyphonic": _Rule(_find_polyphonic, _tell_polyphonic),
    "out_of_range": _Rule(_find_out_of_range, _tell_out_of_range),
}
"""In the order in which they are asked: the first that is broken counts."""
