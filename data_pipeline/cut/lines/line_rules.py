"""The rules for windows of a line: one note after the other, such as a melody or a bass."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int32, Int64

from musicvae.data_pipeline.cut.candidates import Candidates
from musicvae.data_pipeline.cut.rules import Rules
from musicvae.data_pipeline.grid.grid import GridPart
from musicvae.music.instruments import HIGHEST_PITCH, LOWEST_PITCH
from musicvae.music.notes import PITCHES


@dataclass(frozen=True, kw_only=True, eq=False)
class LineWindows:
    """The windows of a line, or of many lines end to end, with the notes of each window.

    Attributes:
        candidates: The windows.
        line: The notes.
        low: The index of the first note of each window.
        high: The index of the first note after each window.
    """

    candidates: Candidates
    line: GridPart
    low: Int64[np.ndarray, " batch"]
    high: Int64[np.ndarray, " batch"]

    @classmethod
    def find(cls, candidates: Candidates, line: GridPart) -> "LineWindows":
        """Finds the notes of each window."""
        # In the type of the notes: to search for 64 bits, numpy would turn all notes into 64 bits.
        firsts = candidates.first_steps.astype(np.int32)
        return cls(
            candidates=candidates,
            line=line,
            low=line.starts.searchsorted(firsts),
            high=line.starts.searchsorted(firsts + np.int32(candidates.length_steps)),
        )

    def notes_of(self, window: int) -> slice:
        """The notes of one window."""
        return slice(int(self.low[window]), int(self.high[window]))

    def step_of(self, note: int, window: int) -> int:
        """The step of a note's onset, counted from the start of a window."""
        return int(self.line.starts[note] - self.candidates.first_steps[window])

    def hold(self, marked: Bool[np.ndarray, " note"]) -> Bool[np.ndarray, " batch"]:
        """Marks the windows that hold a marked note."""
        return self._hold(marked, self.high)

    def hold_pair(self, marked: Bool[np.ndarray, " note"]) -> Bool[np.ndarray, " batch"]:
        """Marks the windows with both notes of a marked pair; pair i is note i and the next."""
        return self._hold(marked, self.high - 1)

    def _hold(
        self, marked: Bool[np.ndarray, " note"], high: Int64[np.ndarray, " batch"]
    ) -> Bool[np.ndarray, " batch"]:
        if not marked.any():
            return np.zeros(len(high), bool)
        sums = np.zeros(len(marked) + 2, np.int64)
        np.cumsum(marked, out=sums[1:-1])
        hold: Bool[np.ndarray, " batch"] = sums[high] > sums[self.low]
        return hold


def judge_line(
    windows: LineWindows, rules: Rules, *, steps_per_bar: int, steps_per_quarter: int
) -> None:
    """Rejects the windows that break a rule, rule by rule."""
    reject, notes = windows.candidates.reject, windows.high - windows.low
    reject("silent", notes == 0, lambda _: "no notes")
    _reject_long_gaps(windows, rules.longest_gap_bars * steps_per_bar)
    reject("few_notes", notes < rules.fewest_notes, lambda window: f"{notes[window]} notes")
    _reject_few_pitches(windows, rules.fewest_pitches)
    _reject_off_grid(windows, rules.most_offset_quarters * steps_per_quarter)
    _reject_polyphonic(windows)
    _reject_out_of_range(windows)
    _reject_straight(windows, rules.fewest_fine_onsets, steps_per_quarter // 4)


def _reject_long_gaps(windows: LineWindows, longest: float) -> None:
    line, first = windows.line, windows.candidates.first_steps
    length = windows.candidates.length_steps
    # A silent window has no first note: any note will do, as the window is rejected.
    before = line.starts[np.minimum(windows.low, len(line.starts) - 1)] - first >= longest
    after = first + length - line.ends[windows.high - 1] >= longest
    between = windows.hold_pair(line.starts[1:] - line.ends[:-1] >= longest)

    def tell(window: int) -> str:
        notes, start = windows.notes_of(window), int(first[window])
        ends = [start, *line.ends[notes].tolist()]
        starts = [*line.starts[notes].tolist(), start + length]
        gap = max(start - end for start, end in zip(starts, ends, strict=True))
        return f"{gap} steps of silence"

    windows.candidates.reject("long_gap", before | after | between, tell)


def _reject_few_pitches(windows: LineWindows, fewest: int) -> None:
    def tell(window: int) -> str:
        count = len(set(windows.line.pitches[windows.notes_of(window)].tolist()))
        return f"{count} pitch" if count == 1 else f"{count} pitches"

    windows.candidates.reject("few_pitches", _count_pitches(windows) < fewest, tell)


def _count_pitches(windows: LineWindows) -> Int64[np.ndarray, " batch"]:
    """The number of different pitches in each window that is not silent."""
    bits = np.zeros((len(windows.line.pitches) + 1, 2), np.uint64)
    bits[:-1] = _PITCH_BITS.take(windows.line.pitches, axis=0)
    ranges = np.stack([windows.low, windows.high], axis=1).ravel()
    together = np.bitwise_or.reduceat(bits, ranges, axis=0)[::2]
    counts: Int64[np.ndarray, " batch"] = np.bitwise_count(together).sum(axis=1, dtype=np.int64)
    return counts


_PITCH_BITS = np.array(
    [[1 << pitch if pitch < 64 else 0, 1 << pitch - 64 if pitch >= 64 else 0] for pitch in PITCHES],
    np.uint64,
)
"""A bit for each pitch, in two words."""


def _reject_off_grid(windows: LineWindows, most: float) -> None:
    offsets = windows.line.offsets
    is_off = np.abs(offsets) > most

    def tell(window: int) -> str:
        note = _find_first(is_off, windows.notes_of(window))
        step = windows.step_of(note, window)
        return f"an onset {offsets[note]:+.2f} steps off the grid at step {step}"

    windows.candidates.reject("off_grid", windows.hold(is_off), tell)


def _reject_polyphonic(windows: LineWindows) -> None:
    pitches = windows.line.pitches
    overlaps = windows.line.starts[1:] < windows.line.ends[:-1]

    def tell(window: int) -> str:
        note = _find_first(overlaps, windows.notes_of(window))
        step = windows.step_of(note + 1, window)
        return f"pitches {pitches[note]} and {pitches[note + 1]} together at step {step}"

    windows.candidates.reject("polyphonic", windows.hold_pair(overlaps), tell)


def _reject_out_of_range(windows: LineWindows) -> None:
    pitches: Int32[np.ndarray, " note"] = windows.line.pitches
    is_outside = (pitches < LOWEST_PITCH) | (pitches > HIGHEST_PITCH)

    def tell(window: int) -> str:
        note = _find_first(is_outside, windows.notes_of(window))
        return f"pitch {pitches[note]} at step {windows.step_of(note, window)}"

    windows.candidates.reject("out_of_range", windows.hold(is_outside), tell)


def _reject_straight(windows: LineWindows, fewest: int, sixteenth_steps: int) -> None:
    if not fewest:
        return
    phases = windows.line.starts % sixteenth_steps
    sums = np.zeros((sixteenth_steps, len(phases) + 1), np.int64)
    np.cumsum(phases == np.arange(sixteenth_steps)[:, None], axis=1, out=sums[:, 1:])
    own = windows.candidates.first_steps % sixteenth_steps
    straight = sums[own, windows.high] - sums[own, windows.low]
    fine = windows.high - windows.low - straight
    windows.candidates.reject(
        "straight", fine < fewest, lambda window: f"{fine[window]} onsets between the sixteenths"
    )


def _find_first(marked: Bool[np.ndarray, " note"], notes: slice) -> int:
    """The index of the first marked note among these notes."""
    return int(notes.start) + int(marked[notes].argmax())
