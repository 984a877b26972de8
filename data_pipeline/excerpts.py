"""The fourth stage: one piece becomes its excerpts, as tensors.

With the stages before it, this is what a worker process does for each piece.
"""

import hashlib
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int16

from musicvae.errors import RepresentationError
from musicvae.notes import Key, NoteSequence
from musicvae.representation import Representation, top_line

from .bars import regular_spans
from .corpus import Piece
from .filters import Reason, cut_overlaps, judge_excerpt, judge_part, judge_piece
from .parts import Part, ReadPiece
from .read import read_piece

SHAPE_BYTES = 16


@dataclass(frozen=True, kw_only=True)
class CutPart:
    """The excerpts of one part of a piece.

    Attributes:
        name: The part's name.
        qpm: Quarter notes a minute.
        key: The key, where it is known.
        start_bars: The bar at which each excerpt starts.
        events: Their tensors.
        shapes: `SHAPE_BYTES` bytes for each excerpt, equal for excerpts that are the same up to
            transposition.
    """

    name: str
    qpm: float
    key: Key | None
    start_bars: tuple[int, ...]
    events: Int16[np.ndarray, "batch step stream"]
    shapes: tuple[bytes, ...]


@dataclass(frozen=True, kw_only=True)
class Left:
    """What was left out of one piece for one reason.

    Attributes:
        stage: `piece`, `part`, `bar` or `excerpt`.
        reason: The reason's name.
        count: How many of them.
        found: What was found in the first.
    """

    stage: str
    reason: str
    count: int
    found: str


@dataclass(frozen=True, kw_only=True)
class CutPiece:
    """Everything that came of one piece."""

    parts: tuple[CutPart, ...] = ()
    left: tuple[Left, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Cutter:
    """Reads a piece and cuts it into excerpts that start at every bar.

    Attributes:
        representation: What the tensors are of.
        reduces_to_top_line: Whether music in several voices is reduced to its highest.
    """

    representation: Representation
    reduces_to_top_line: bool = False

    def __call__(self, piece: Piece) -> CutPiece:
        """Cuts one piece.

        Raises:
            MusicVAEError: If it can't be read.
        """
        return self.cut(read_piece(piece))

    def cut(self, piece: ReadPiece) -> CutPiece:
        """Cuts a piece that was read."""
        reason = judge_piece(piece, self.representation.meter)
        if reason is not None:
            return CutPiece(
                left=(Left(stage="piece", reason=reason.name, count=1, found=reason.found),)
            )
        left = _Tally()
        parts = [self._cut_part(piece, part, left) for part in piece.parts]
        return CutPiece(parts=tuple(part for part in parts if part), left=left.entries())

    def _cut_part(self, piece: ReadPiece, part: Part, left: "_Tally") -> CutPart | None:
        if not part.is_drums:
            notes = replace(part.notes, meter=self.representation.meter)
            notes = top_line(notes) if self.reduces_to_top_line else cut_overlaps(notes)
            part = replace(part, notes=notes)
        if reason := judge_part(piece, part):
            left.add("part", reason)
            return None
        start_bars: list[int] = []
        events: list[Int16[np.ndarray, "step stream"]] = []
        shapes: list[bytes] = []
        for start_bar, excerpt in self._windows(part, left):
            tensor = self._examine(excerpt)
            if isinstance(tensor, Reason):
                left.add("excerpt", tensor)
                continue
            start_bars.append(start_bar)
            events.append(tensor)
            shapes.append(shape_of(excerpt))
        if not events:
            return None
        return CutPart(
            name=part.name,
            qpm=part.notes.qpm,
            key=part.notes.key,
            start_bars=tuple(start_bars),
            events=np.stack(events),
            shapes=tuple(shapes),
        )

    def _windows(self, part: Part, left: "_Tally") -> Iterator[tuple[int, NoteSequence]]:
        bar_steps = self.representation.steps_per_bar
        spans = regular_spans(part.bar_lines, bar_steps)
        regular_steps = sum(span.bars for span in spans) * bar_steps
        irregular_steps = part.bar_lines[-1] - part.bar_lines[0] - regular_steps
        if irregular_steps:
            count = -(-irregular_steps // bar_steps)
            left.add("bar", Reason("irregular_bar", f"{irregular_steps} steps"), count)
        bars = self.representation.bars
        long_enough = [span for span in spans if span.bars >= bars]
        longest = max((span.bars for span in spans), default=0)
        if not long_enough:
            left.add("part", Reason("too_short", f"{longest} regular bars in a row"))
        elif rest := sum(span.bars for span in spans if span.bars < bars):
            left.add("bar", Reason("short_run", f"fewer than {bars} regular bars in a row"), rest)
        starts = [note.start_step for note in part.notes.notes]
        length = self.representation.length_steps
        for span in long_enough:
            for bar in range(span.bars - bars + 1):
                start = span.start_step + bar * bar_steps
                # Only the notes within are looked at: pieces have thousands.
                chosen = slice(bisect_left(starts, start), bisect_left(starts, start + length))
                around = replace(part.notes, notes=part.notes.notes[chosen])
                yield span.first_bar + bar, around.window(start, length)

    def _examine(self, excerpt: NoteSequence) -> Int16[np.ndarray, "step stream"] | Reason:
        if reason := judge_excerpt(excerpt, self.representation.steps_per_bar):
            return reason
        try:
            return self.representation.to_tensor(excerpt)
        except RepresentationError as error:
            return Reason(error.cause, error.found)


def shape_of(excerpt: NoteSequence) -> bytes:
    """A digest of an excerpt that transposing it leaves as it is; drums are not transposed."""
    pitches = [note.pitch for note in excerpt.notes if not note.is_drum]
    lowest = min(pitches, default=0)
    numbers = [
        (note.start_step, note.end_step, note.is_drum, note.pitch - lowest * (not note.is_drum))
        for note in excerpt.notes
    ]
    data = np.array(numbers, dtype="<i4").tobytes()
    return hashlib.blake2b(data, digest_size=SHAPE_BYTES).digest()


class _Tally:
    """Counts reasons, and keeps what was found the first time."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._found: dict[tuple[str, str], str] = {}

    def add(self, stage: str, reason: Reason, count: int = 1) -> None:
        self._counts[stage, reason.name] += count
        self._found.setdefault((stage, reason.name), reason.found)

    def entries(self) -> tuple[Left, ...]:
        return tuple(
            Left(stage=stage, reason=name, count=count, found=self._found[stage, name])
            for (stage, name), count in self._counts.items()
        )
