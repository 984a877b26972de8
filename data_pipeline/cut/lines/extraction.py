"""Chooses the parts of a piece that carry a melody, and makes one line of each part.

`CutSettings.melody` names the choice::

    every          each part that carries a melody by the rules (the default)
    likeliest      the part that is most likely the melody, by its score
    top-line       as `every`, but a part in several voices is reduced to its highest notes
    track:NAME     the parts of this name
    program:0-31   the parts with these General MIDI programs, or with one program: `program:40`

Every part of a piece gets a `Choice`: its line, or the reason why the part is not taken.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Int32

from musicvae.data_pipeline.cut.rules import Rules
from musicvae.data_pipeline.grid.grid import GridPart, GridPiece
from musicvae.data_pipeline.rejections import Rejection
from musicvae.errors import SettingError
from musicvae.identity import compare_by_identity
from musicvae.music.instruments import HIGHEST_PITCH, LOWEST_PITCH
from musicvae.music.notes import PROGRAMS

from .lanes import Lanes, lay_lanes
from .melody_score import score_parts

MELODY_NAME = "MELODY"
"""In a file with a part of this name, no other part is the melody."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Choices:
    """The parts of some pieces, and whether excerpts are cut from them.

    Attributes:
        lanes: A lane for each pitched part, with small overlaps cut, or reduced to its highest
            notes; None if all parts are drums.
        choices: For each piece, the choice of each part, in the piece's order.
    """

    lanes: Lanes | None
    choices: tuple[tuple["Choice", ...], ...]


class Choice(NamedTuple):
    """A part, and whether excerpts are cut from it.

    Attributes:
        lane: The number of the part's lane; -1 for drums, which have no lane.
        rejection: The reason why the part is not chosen, or None.
    """

    lane: int
    rejection: Rejection | None


def choose_parts(
    pieces: Sequence[GridPiece], melody: str, rules: Rules, *, room_steps: int = 0
) -> Choices:
    """Chooses among the parts of each piece.

    Args:
        pieces: At least one piece.
        melody: The choice.
        rules: The rules that a melody must keep.
        room_steps: The empty steps behind each lane.

    Raises:
        SettingError: If `melody` names no known choice.
    """
    check_melody(melody)
    pitched = [(piece, part) for piece in pieces for part in piece.parts if not part.is_drum]
    lanes = _make_lanes(pitched, melody, rules, room_steps) if pitched else None
    cases = iter(_measure(lanes, pitched, rules) if lanes else ())
    choices: list[tuple[Choice, ...]] = []
    for piece in pieces:
        judges = _judges_of(piece, melody)
        row: list[Choice] = []
        for part in piece.parts:
            case = _Case.of_drums(piece, part) if part.is_drum else next(cases)
            rejection = None
            for judge in judges:
                if rejection := judge(case, rules):
                    break
            row.append(Choice(case.lane, rejection))
        choices.append(tuple(row))
    return Choices(lanes=lanes, choices=tuple(choices))


def _make_lanes(
    pitched: Sequence[tuple[GridPiece, GridPart]], melody: str, rules: Rules, room_steps: int
) -> Lanes:
    lines = [part for _, part in pitched]
    if melody == "top-line":
        lines = [reduce_to_top_line(line) for line in lines]
    lanes = lay_lanes(lines, [piece.length_steps + room_steps for piece, _ in pitched])
    return lanes if melody == "top-line" else replace(lanes, line=cut_overlaps(lanes.line, rules))


def _measure(
    lanes: Lanes, pitched: Sequence[tuple[GridPiece, GridPart]], rules: Rules
) -> list["_Case"]:
    """The case of each part that has a lane."""
    bounds = lanes.bounds.tolist()
    sizes = np.diff(lanes.bounds)
    line = lanes.line
    is_sounding = np.zeros(len(line.starts), bool)
    # Nothing sounds at the start of a lane: see `melody_score.share_of_polyphony`.
    np.less(line.starts[1:], np.maximum.accumulate(line.ends[:-1]), out=is_sounding[1:])
    shares = lanes.count(is_sounding) / np.maximum(sizes - 1, 1)
    are_low = 2 * lanes.count(line.pitches < rules.bass_below) >= sizes
    return [
        _Case(piece, part, lane, line.pitches[bounds[lane] : bounds[lane + 1]], is_low, share)
        for lane, ((piece, part), is_low, share) in enumerate(
            zip(pitched, are_low.tolist(), shares.tolist(), strict=True)
        )
    ]


def check_melody(melody: str) -> None:
    """Checks the name of a choice.

    Raises:
        SettingError: If the name is not known.
    """
    if not _FORM.fullmatch(melody) or (melody.startswith("program:") and not _programs(melody)):
        raise SettingError(
            f"melody={melody!r}",
            expected="every, likeliest, top-line, track:NAME, program:NUMBER or "
            "program:FIRST-LAST with programs 0 to 127",
            action="Choose one of them.",
            field="melody",
        )


_FORM = re.compile(r"every|likeliest|top-line|track:.+|program:\d{1,3}(-\d{1,3})?")


def _programs(melody: str) -> range:
    """The programs that `program:FIRST-LAST` names; empty if General MIDI lacks one of them."""
    first, _, last = melody.removeprefix("program:").partition("-")
    programs = range(int(first), int(last or first) + 1)
    return programs if programs and programs[-1] in PROGRAMS else range(0)


def cut_overlaps(part: GridPart, rules: Rules) -> GridPart:
    """Cuts small overlaps (see `Rules.most_overlap_steps`) from the earlier note."""
    starts, ends = part.starts, part.ends
    overlaps = ends[:-1] - starts[1:]
    is_cut = (overlaps > 0) & (overlaps <= rules.most_overlap_steps) & (starts[:-1] < starts[1:])
    if not is_cut.any():
        return part
    ends = ends.copy()
    ends[:-1][is_cut] = starts[1:][is_cut]
    return part._replace(ends=ends)


def reduce_to_top_line(part: GridPart) -> GridPart:
    """Keeps the highest notes, as `musicvae.music.top_line` does."""
    kept: list[int] = []
    ends = part.ends.copy()
    last_end, last_pitch = 0, -1
    is_new_step = part.starts[1:] != part.starts[:-1]
    is_new = np.append(True, is_new_step | (part.pitches[1:] != part.pitches[:-1]))
    groups = is_new.nonzero()[0]  # the first of each group of notes of one step and pitch
    candidates = groups[np.append(is_new_step[groups[1:] - 1], True)]
    # A loop over plain numbers: each decision depends on the notes kept before.
    rows = zip(
        candidates.tolist(),
        part.starts[candidates].tolist(),
        part.ends[candidates].tolist(),
        part.pitches[candidates].tolist(),
        strict=True,
    )
    for index, start, end, pitch in rows:
        if start < last_end:
            if pitch < last_pitch:
                continue
            ends[kept[-1]] = start
        kept.append(index)
        last_end, last_pitch = end, pitch
    pitches = part.pitches[kept]
    # By octaves: 20 to 32, 109 to 97.
    below = np.maximum(LOWEST_PITCH - pitches + 11, 0) // 12
    above = np.maximum(pitches - HIGHEST_PITCH + 11, 0) // 12
    return part._replace(
        starts=part.starts[kept],
        ends=ends[kept],
        pitches=pitches + 12 * (below - above),
        velocities=part.velocities[kept],
        offsets=part.offsets[kept],
    )


_NO_PITCHES = np.zeros(0, np.int32)


@compare_by_identity
class _Case(NamedTuple):
    """A part that may be chosen, with measures of its line.

    Attributes:
        piece: The piece.
        part: The part of the piece.
        lane: The number of the part's lane; -1 for drums, which are not measured.
        pitches: The MIDI numbers of the line.
        is_low: Whether half of the notes of the line are as low as a bass.
        polyphony: The share of the onsets of the line that fall on a sounding note.
    """

    piece: GridPiece
    part: GridPart
    lane: int
    pitches: Int32[np.ndarray, " note"]
    is_low: bool
    polyphony: float

    @classmethod
    def of_drums(cls, piece: GridPiece, part: GridPart) -> "_Case":
        return cls(piece, part, -1, _NO_PITCHES, is_low=False, polyphony=0.0)


_Judge = Callable[[_Case, Rules], Rejection | None]


def _judges_of(piece: GridPiece, melody: str) -> tuple[_Judge, ...]:
    """The judges that a part has to pass, in order: the first rejection counts."""
    if melody in ("every", "top-line"):
        return (_find_drums, _find_accompaniment, _find_bass, _find_polyphony)
    if melody == "likeliest":
        return (_find_drums, _make_find_less_likely(piece), _find_polyphony)
    if melody.startswith("track:"):
        name = melody.removeprefix("track:")
        return (_make_find_other_track(name), _find_drums, _find_polyphony)
    programs = _programs(melody)
    return (_find_drums, _make_find_other_program(programs), _find_bass, _find_polyphony)


def _find_drums(case: _Case, _: Rules) -> Rejection | None:
    return Rejection("part", "drums", f"drums in {case.part.name!r}") if case.part.is_drum else None


def _find_accompaniment(case: _Case, _: Rules) -> Rejection | None:
    if len(case.piece.parts) == 1 or case.part.name == MELODY_NAME:
        return None
    if all(part.name != MELODY_NAME for part in case.piece.parts):
        return None
    return Rejection("part", "accompaniment", f"{case.part.name!r} beside {MELODY_NAME}")


def _find_bass(case: _Case, _: Rules) -> Rejection | None:
    if len(case.piece.parts) == 1 or not case.is_low:
        return None
    return Rejection("part", "bass", f"{case.part.name!r}, around pitch {_median(case.pitches):g}")


def _median(pitches: Int32[np.ndarray, " note"]) -> float:
    """The median, in a tenth of the time of `np.median`."""
    ordered = np.sort(pitches)
    return float(ordered[len(ordered) // 2] + ordered[(len(ordered) - 1) // 2]) / 2


def _find_polyphony(case: _Case, rules: Rules) -> Rejection | None:
    if case.polyphony <= rules.most_polyphony:
        return None
    return Rejection("part", "polyphonic", f"{case.polyphony:.0%} of the onsets on a sounding note")


def _make_find_less_likely(piece: GridPiece) -> _Judge:
    scores = score_parts(piece)
    # Of equal scores, max keeps the first.
    best = max(range(len(scores)), key=lambda index: scores[index].total, default=0)

    def find(case: _Case, _: Rules) -> Rejection | None:
        if case.part is piece.parts[best]:
            return None
        (score,) = (s for s, part in zip(scores, piece.parts, strict=True) if part is case.part)
        found = f"{case.part.name!r} scores {score.total:.1f}, {scores[best].part!r} "
        return Rejection("part", "less_likely", f"{found}{scores[best].total:.1f}")

    return find


def _make_find_other_track(name: str) -> _Judge:
    def find(case: _Case, _: Rules) -> Rejection | None:
        return (
            None
            if case.part.name == name
            else Rejection("part", "other_track", repr(case.part.name))
        )

    return find


def _make_find_other_program(programs: range) -> _Judge:
    def find(case: _Case, _: Rules) -> Rejection | None:
        program = case.part.program
        return (
            None
            if program in programs
            else Rejection("part", "other_program", f"program {program}")
        )

    return find
