"""What is done for pieces: they are read, put on the grid, and cut into excerpts.

Whatever a piece holds, something comes of it: excerpts, or the reason why there are none.
"""

import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt32

from musicvae.data_pipeline.grid.grid import GridPiece, put_all_on_grid
from musicvae.data_pipeline.grid.spans import count_other_bars
from musicvae.data_pipeline.grid.tempo_runs import split_at_tempos
from musicvae.data_pipeline.readers import ParsedFile, finish_pieces, parse_piece
from musicvae.data_pipeline.readers.piece import ReadPiece
from musicvae.data_pipeline.sources.corpus import Piece
from musicvae.errors import MusicVAEError
from musicvae.music.notes import Meter

from .chord_excerpts import cut_chords
from .drum_excerpts import cut_drums, cut_grooves
from .excerpts import CutPiece, CutSettings, Left
from .lead_sheets import cut_lead_sheets
from .likeness import signatures
from .melodies import cut_melodies
from .trios import cut_trios

_Cutter = Callable[[Sequence[GridPiece], CutSettings], list[CutPiece]]


def _one_by_one(cut: Callable[[GridPiece, CutSettings], CutPiece]) -> _Cutter:
    return lambda pieces, settings: [cut(piece, settings) for piece in pieces]


_cut_hits = _one_by_one(cut_drums)

CUTTERS: dict[str, _Cutter] = {
    "melody": cut_melodies,
    "drums": _cut_hits,
    "drum_hits": _cut_hits,
    "groove": _one_by_one(cut_grooves),
    "trio": _one_by_one(cut_trios),
    "chords": _one_by_one(cut_chords),
    "lead_sheet": _one_by_one(cut_lead_sheets),
}
"""What cuts for each representation, by its name: pieces on one grid."""

TOGETHER = frozenset({"melody"})
"""The representations whose cutters gain from many pieces at once. With the others a piece is done
with before the next is read, so that one that takes too long is known."""

_MOST_NOTES = 1 << 15
_MOST_ROOM = 1 << 19
"""How many notes are read, and how many notes and steps are then worked on, before the rest: the
notes fit a processor's cache, and what the steps take is some 100 MB at the most."""

INTERNAL_ERROR = "internal_error"
"""The reason of a piece that we failed on by our own mistake."""


class PieceResult(NamedTuple):
    """What came of one piece.

    Attributes:
        cut: Its excerpts, and what was left out.
        bars: Its bars by their meter; empty where that is not known.
        style: What its corpus or the file itself calls its style; may be empty.
        signature: What it is compared with other pieces by; None where nothing came of it.
    """

    cut: CutPiece
    bars: Mapping[str, int]
    style: str = ""
    signature: UInt32[np.ndarray, " hash"] | None = None


def cut_pieces(
    pieces: Sequence[Piece],
    settings: CutSettings,
    *,
    known: Mapping[int, PieceResult] = MappingProxyType({}),
    one_by_one: bool = False,
    begin: Callable[[int], None] = lambda _: None,
) -> Iterator[PieceResult]:
    """Reads pieces and cuts them; no error of theirs leaves this function.

    They are read one by one, and then cut together as far as that is quicker. What comes of one
    hangs on no other; it is given in the pieces' order, as soon as it is there.

    Args:
        pieces: The pieces.
        settings: How they are cut.
        known: What is known already of the pieces of these numbers.
        one_by_one: Whether each is cut before the next is read, so that `begin` names the one that
            is at fault for whatever happens.
        begin: Is called with the number of each piece before anything is done for it, and with the
            number of pieces before something is done for many.
    """
    results: dict[int, PieceResult] = {}
    group: dict[int, ReadPiece | ParsedFile] = {}
    is_together = settings.representation.name in TOGETHER and not one_by_one

    def close_group() -> Iterator[PieceResult]:
        if is_together:
            begin(len(pieces))
        results.update(cut_group(group, settings, begin))
        group.clear()
        for number in sorted(results):
            yield results.pop(number)

    notes = 0
    for number, piece in enumerate(pieces):
        begin(number)
        read = known[number] if number in known else _read(piece)
        if isinstance(read, PieceResult):
            results[number] = read
        else:
            group[number] = read
            notes += _count_notes(read)
        if not is_together or notes > _MOST_NOTES:
            yield from close_group()
            notes = 0
    yield from close_group()


def _read(piece: Piece) -> ReadPiece | ParsedFile | PieceResult:
    """What a piece holds, as `parse_piece` gives it, or why it can't be read."""
    try:
        read = parse_piece(piece.read_bytes(), piece.kind, piece.read_side())
    except MusicVAEError as error:
        return refuse("unreadable", error.found)
    except MemoryError:
        return refuse_memory()
    except Exception as error:  # noqa: BLE001  (one piece that we fail on is not the end of all)
        return refuse(INTERNAL_ERROR, _describe(error))
    return read._replace(style=piece.style) if piece.style else read


def _count_notes(read: ReadPiece | ParsedFile) -> int:
    if isinstance(read, ReadPiece):
        return sum([len(part.onsets) for part in read.parts])
    return sum([track.size for pattern in read.patterns for track in pattern.tracks])


def cut_group(
    group: Mapping[int, ReadPiece | ParsedFile],
    settings: CutSettings,
    begin: Callable[[int], None],
) -> dict[int, PieceResult]:
    """Cuts pieces together; where that fails, one by one, to find which it fails on."""
    try:
        results_of_all = cut_reads(finish_pieces(group.values()), settings)
        return dict(zip(group, results_of_all, strict=True))
    except MemoryError:
        failure = refuse_memory()
    except Exception as error:  # noqa: BLE001  (as in `_read`)
        failure = refuse(INTERNAL_ERROR, _describe(error))
    if len(group) == 1:
        return dict.fromkeys(group, failure)
    results: dict[int, PieceResult] = {}
    for number, read in group.items():
        begin(number)
        results |= cut_group({number: read}, settings, begin)
    return results


def cut_read(read: ReadPiece, settings: CutSettings) -> PieceResult:
    """Cuts a piece that was read."""
    return cut_reads([read], settings)[0]


def cut_reads(
    reads: Sequence[ReadPiece | MusicVAEError], settings: CutSettings
) -> list[PieceResult]:
    """Cuts pieces that were read, or could not be; together as far as there is room."""
    representation = settings.representation
    results: dict[int, PieceResult] = {}
    known: dict[int, ReadPiece] = {}
    for number, read in enumerate(reads):
        if isinstance(read, MusicVAEError):
            results[number] = refuse("unreadable", read.found)
        elif refused := _refuse_read(read, representation.meter):
            results[number] = refused
        else:
            known[number] = read
    for run in _divide(known, representation.steps_per_quarter):
        on_grid = put_all_on_grid(
            list(run.values()), representation.meter, representation.steps_per_quarter
        )
        pieces = [split_at_tempos(piece, settings.rules.most_tempo_change) for piece in on_grid]
        cuts = CUTTERS[representation.name](pieces, settings)
        compared = iter(
            signatures([piece for piece, cut in zip(pieces, cuts, strict=True) if cut.excerpts])
        )
        for number, piece, cut in zip(run, pieces, cuts, strict=True):
            results[number] = PieceResult(
                cut=_with_other_bars(cut, piece),
                style=piece.piece.style,
                signature=next(compared) if cut.excerpts else None,
                bars=_count_bars(piece),
            )
    return [results[number] for number in range(len(reads))]


def _divide(
    reads: Mapping[int, ReadPiece], steps_per_quarter: int
) -> Iterator[dict[int, ReadPiece]]:
    """Divides pieces into runs of about `_MOST_ROOM`."""
    run: dict[int, ReadPiece] = {}
    room = 0
    for number, read in reads.items():
        run[number] = read
        room += int(read.bar_lines[-1] * steps_per_quarter) * len(read.parts) + _count_notes(read)
        if room > _MOST_ROOM:
            yield run
            run, room = {}, 0
    if run:
        yield run


def _refuse_read(read: ReadPiece, meter: Meter) -> PieceResult | None:
    """Why nothing can be cut from a piece, or None."""
    if not read.parts:
        return refuse("no_notes", "no notes in any part")
    if read.missing_meter:
        return refuse("no_meter", read.missing_meter)
    others = count_other_bars(read, meter)
    if sum(others.values()) == len(read.bar_lines) - 1:
        return refuse("wrong_meter", f"bars: {_list_bars(others)}", bars=others)
    return None


def _with_other_bars(cut: CutPiece, piece: GridPiece) -> CutPiece:
    """What was cut, with the bars in other meters counted before all else that was left out."""
    if not piece.other_bars:
        return cut
    left = Left(
        stage="bar",
        reason="wrong_meter",
        count=sum(piece.other_bars.values()),
        found=_list_bars(piece.other_bars),
    )
    return cut._replace(left=(left, *cut.left))


def _list_bars(others: Mapping[str, int]) -> str:
    return ", ".join(f"{count} in {meter}" for meter, count in others.items())


def _count_bars(piece: GridPiece) -> dict[str, int]:
    count = len(piece.bar_steps) - 1 - sum(piece.other_bars.values())
    return {str(piece.meter): count, **piece.other_bars}


def refuse(
    reason: str, found: str, *, bars: Mapping[str, int] = MappingProxyType({})
) -> PieceResult:
    """A piece of which nothing came."""
    left = Left(stage="piece", reason=reason, count=1, found=found[:200])
    return PieceResult(cut=CutPiece(left=(left,)), bars=dict(bars))


def refuse_memory() -> PieceResult:
    """A piece that there was no room for."""
    return refuse("out_of_memory", "more memory than one piece may use")


def _describe(error: Exception) -> str:
    """The error and the place in our code where it came up, without the machine's paths."""
    places = list(traceback.walk_tb(error.__traceback__))
    ours = [
        place for place in places if place[0].f_globals.get("__name__", "").startswith("musicvae.")
    ]
    frame, line = (ours or places)[-1]
    place = f"{Path(frame.f_code.co_filename).name}:{line}"
    return f"{type(error).__name__} at {place}: {error}"
