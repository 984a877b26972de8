"""Cuts pieces into excerpts of their melodies.

A line is written once as events, and the excerpts are windows of it: at every `hop_bars` within a
run of regular bars. A note that began before a window is left out of it, and a note that ends after
it is cut; so each excerpt equals the representation of its window of notes. The lines of many
pieces are processed together: see `lines.lanes`.

Our rules beside the rules of Magenta's converter of melodies:

| rule | Magenta | here | why |
| --- | --- | --- | --- |
| grid | nearest step, half to the later; a step at least | the same | |
| off the grid | moved | refused; `most_offset_quarters=0.125` moves | else triplets change rhythm |
| chords | highest note | refused; `top-line` as Magenta | chords are no melody |
| overlaps | later note cuts, even a lower one | a step is cut, more refused | else two voices mix |
| the same, `top-line` | | the higher note stays | a low note is not the line |
| gaps | a bar of silence ends the melody | `longest_gap_bars` in no excerpt | the same excerpts |
| held from before | silence of any length | silence, counted as a gap | else excerpts are silent |
| end | padded to a bar line | whole bars | the same excerpts |
| pitches | 1 is enough | 2: `fewest_pitches` | one repeated pitch is no melody |
| notes | 1 is enough | 3: `fewest_notes` | two notes are no melody |
| grid of 12 | | any; `fewest_fine_onsets=1` refuses straight music | else it is learnt again |
| length | 1 bar at least, 100 at most | any | the end of a long piece is music too |
| range | others than 21 to 108 dropped | refused; `top-line` moves octaves | else a false rest |
| programs | 0 to 31 | no bass or drums; `program:0-31` | flutes and violins play melodies |
| parts | all | `most_polyphony`, a part called MELODY alone | accompaniment is no melody |
| bars | from the start of the piece | bar lines | pickups and cut bars |
| changes | split at tempo and meter | split at meter | no note hangs on the tempo |
| number | 5 a piece, at random | all | all can be learnt from |
| duplicates | out within a piece | out of the whole set | a tune comes in many files |

Source: Roberts et al. 2018, section 5.1; the behaviour of Magenta's code, which the golden cases of
the tests hold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Int, Int8, Int16, Int32, Int64, UInt64
from numpy.lib.stride_tricks import sliding_window_view

from musicvae.data_pipeline.cut.lines.lanes import Lanes
from musicvae.data_pipeline.grid.grid import GridPiece
from musicvae.data_pipeline.rejections import Rejection, merge_rejections
from musicvae.music.notes import VELOCITIES
from musicvae.representation.melody import FIRST_PITCH_EVENT, HOLD, write_line

from .candidates import Candidates
from .excerpts import CutPiece, CutSettings, Excerpts, digest
from .labels import Stretch, label
from .lines.extraction import Choice, Choices, choose_parts
from .lines.line_rules import LineWindows, judge_line
from .windows import Windows, find_windows, number_within, reject_bars

FEWEST_VELOCITIES = 8
"""A part with fewer different velocities has no dynamics. Programs that play scores, such as
abc2midi, use one to five; of the melodies of POP909 nearly all have eleven or more."""

_ROWS = 1 << 13
"""The number of excerpts that are digested at once: their memory fits a cache."""


def cut_melodies(pieces: Sequence[GridPiece], settings: CutSettings) -> list[CutPiece]:
    """Cuts the melodies of each piece; `lines.extraction` chooses the parts.

    Args:
        pieces: Pieces on one grid. Each piece is cut independently of the others.
        settings: The settings of cutting.

    Raises:
        SettingError: If `settings.melody` names no known choice.
    """
    if not pieces:
        return []
    representation = settings.representation
    room_steps = representation.length_steps
    choices = choose_parts(pieces, settings.melody, settings.rules, room_steps=room_steps)
    windows = find_windows(pieces, representation.bars, settings.hop_bars)
    taken = _take(choices, windows)
    rejections: dict[int, list[Rejection]] = {}
    excerpts: dict[int, Excerpts] = {}
    if choices.lanes is not None and len(taken.first_steps):
        candidates = Candidates(
            taken.first_steps + choices.lanes.bases[taken.lanes],
            representation.length_steps,
            taken.lanes,
        )
        held = LineWindows.find(candidates, choices.lanes.line)
        judge_line(
            held,
            settings.rules,
            steps_per_bar=pieces[0].steps_per_bar,
            steps_per_quarter=pieces[0].steps_per_quarter,
        )
        rejections = candidates.rejections
        if candidates.is_kept.any():
            excerpts = _cut(pieces, choices.lanes, held, taken)
    return [
        CutPiece(
            excerpts=tuple([excerpts[each.lane] for each in row if each.lane in excerpts]),
            rejections=_merge_rejections(piece, row, rejections, representation.bars),
        )
        for piece, row in zip(pieces, choices.choices, strict=True)
    ]


def _merge_rejections(
    piece: GridPiece, row: Sequence[Choice], of_lanes: Mapping[int, list[Rejection]], bars: int
) -> tuple[Rejection, ...]:
    rejections = reject_bars(piece, bars)
    for choice in row:
        if choice.rejection:
            rejections.append(choice.rejection)
        else:
            rejections += of_lanes.get(choice.lane, ())
    return merge_rejections(rejections)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Taken:
    """The windows of all lanes that excerpts are cut from.

    Attributes:
        lanes: The number of the lane of each window, ascending.
        pieces: The number of the piece of each window.
        first_steps: The first step of each window, in the steps of its piece.
        start_bars: The number of the first bar of each window in its piece.
    """

    lanes: Int64[np.ndarray, " batch"]
    pieces: Int64[np.ndarray, " batch"]
    first_steps: Int64[np.ndarray, " batch"]
    start_bars: Int32[np.ndarray, " batch"]

    def keep(self, is_kept: Bool[np.ndarray, " batch"]) -> "_Taken":
        return _Taken(
            lanes=self.lanes[is_kept],
            pieces=self.pieces[is_kept],
            first_steps=self.first_steps[is_kept],
            start_bars=self.start_bars[is_kept],
        )


def _take(choices: Choices, windows: Windows) -> _Taken:
    """Gives each chosen lane the windows of its piece."""
    taken = [
        (each.lane, number)
        for number, row in enumerate(choices.choices)
        for each in row
        if each.rejection is None
    ]
    lanes, numbers = np.array(taken, np.int64).reshape(-1, 2).T
    sizes = windows.sizes[numbers]
    firsts = (np.cumsum(windows.sizes) - windows.sizes)[numbers]
    at = np.repeat(firsts, sizes) + number_within(sizes)
    return _Taken(
        lanes=np.repeat(lanes, sizes),
        pieces=np.repeat(numbers, sizes),
        first_steps=windows.first_steps[at],
        start_bars=windows.start_bars[at],
    )


def _cut(
    pieces: Sequence[GridPiece],
    lanes: Lanes,
    held: LineWindows,
    taken: _Taken,
) -> dict[int, Excerpts]:
    """The excerpts of each lane that has any."""
    candidates = held.candidates
    length, is_kept = candidates.length_steps, candidates.is_kept
    line, first_steps = lanes.line, candidates.first_steps[is_kept]
    kept = taken.keep(is_kept)
    whole = write_line(line.starts, line.ends, line.pitches, lanes.length_steps)
    events = render(whole, line.starts, first_steps, held.low[is_kept], length)
    firsts = np.flatnonzero(np.diff(kept.lanes, prepend=-1))
    bounds = [*firsts.tolist(), len(first_steps)]
    labels = label(
        [
            Stretch(pieces[number], kept.first_steps[low:high], int(lanes.bases[lane]))
            for lane, number, (low, high) in zip(
                kept.lanes[firsts].tolist(),
                kept.pieces[firsts].tolist(),
                pairwise(bounds),
                strict=True,
            )
        ],
        line.starts,
        line.pitches,
        is_drum=False,
        length_steps=length,
    )
    shapes = _digest_shapes(events)
    velocities = sliding_window_view(_write_velocities(lanes), length)[first_steps]
    return {
        lane: Excerpts(
            part=lanes.parts[lane].name,
            program=lanes.parts[lane].program,
            start_bars=kept.start_bars[low:high],
            events=events[low:high, :, None],
            shapes=shapes[low:high],
            labels=labels.rows(low, high),
            velocities=velocities[low:high],
        )
        for lane, (low, high) in zip(kept.lanes[firsts].tolist(), pairwise(bounds), strict=True)
    }


def _write_velocities(lanes: Lanes) -> Int8[np.ndarray, " step"]:
    """The velocity at each onset of the lanes of parts with dynamics, and 0 elsewhere."""
    line, sizes = lanes.line, np.diff(lanes.bounds)
    is_used = np.zeros((len(sizes), VELOCITIES.stop), bool)
    is_used[np.repeat(np.arange(len(sizes)), sizes), line.velocities] = True
    has_dynamics = (is_used.sum(axis=1) >= FEWEST_VELOCITIES).repeat(sizes)
    velocities = np.zeros(lanes.length_steps, np.int8)
    velocities[line.starts[has_dynamics]] = line.velocities[has_dynamics]
    return velocities


def render(
    whole: Int16[np.ndarray, " step"],
    starts: Int[np.ndarray, " note"],
    first_steps: Int64[np.ndarray, " batch"],
    low: Int[np.ndarray, " batch"],
    length_steps: int,
) -> Int16[np.ndarray, "batch _"]:
    """The events of each window of a line.

    Args:
        whole: The line's events, as `write_line` gives them.
        starts: The onsets of the line's notes.
        first_steps: The first step of each window.
        low: The index of the first note of each window; past the last note for a window after it.
        length_steps: The length of every window.
    """
    events: Int16[np.ndarray, "batch _"] = sliding_window_view(whole, length_steps)[first_steps]
    # Before its first onset, a window can hold only the end of an earlier note.
    onsets = np.append(starts, len(whole))[low] - first_steps
    events[np.arange(length_steps) < onsets[:, None]] = HOLD
    return events


def _digest_shapes(events: Int16[np.ndarray, "batch step"]) -> UInt64[np.ndarray, " batch"]:
    """A digest that is equal for a melody in every key."""
    shapes = np.empty(len(events), np.uint64)
    for start in range(0, len(events), _ROWS):
        rows = events[start : start + _ROWS]
        is_pitch = rows >= FIRST_PITCH_EVENT
        lowest = np.where(is_pitch, rows, np.int16(128)).min(axis=1, keepdims=True)
        relative = np.where(is_pitch, rows - lowest + FIRST_PITCH_EVENT, rows)
        shapes[start : start + _ROWS] = digest(relative.astype(np.int32))
    return shapes
