"""Reads pieces, puts them on the grid and cuts them into excerpts.

Whatever a piece holds, its result is excerpts, or the reason why there are none.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

from musicvae.data_pipeline.grid.grid import GridPiece, put_on_grid
from musicvae.data_pipeline.grid.spans import count_other_bars
from musicvae.data_pipeline.grid.tempo_runs import split_at_tempos
from musicvae.data_pipeline.readers import ParsedFile, finish_pieces, parse_piece
from musicvae.data_pipeline.readers.piece import ReadPiece
from musicvae.data_pipeline.rejections import INTERNAL_ERROR, REPAIRED, Rejection
from musicvae.data_pipeline.sources.corpus import Piece
from musicvae.errors import MusicVAEError
from musicvae.faults import describe_fault
from musicvae.music.notes import Meter

from .chord_excerpts import cut_chords
from .drum_excerpts import cut_drums, cut_grooves
from .excerpts import CutPiece, CutSettings
from .lead_sheets import cut_lead_sheets
from .likeness import find_signatures
from .melodies import cut_melodies
from .trios import cut_trios

Result = TypeVar("Result")


@dataclass(frozen=True)
class Cutter:
    """Cuts the pieces of one grid for a representation.

    Attributes:
        cut: Gives a `CutPiece` for each piece.
        is_together: Whether cutting many pieces at once is quicker. Otherwise a piece is cut before
            the next is read, so that a piece that takes too long is known.
    """

    cut: Callable[[Sequence[GridPiece], CutSettings], list[CutPiece]]
    is_together: bool = False


def _one_by_one(cut: Callable[[GridPiece, CutSettings], CutPiece]) -> Cutter:
    return Cutter(lambda pieces, settings: [cut(piece, settings) for piece in pieces])


CUTTERS: dict[str, Cutter] = {
    "melody": Cutter(cut_melodies, is_together=True),
    "drums": _one_by_one(cut_drums),
    "drum_hits": _one_by_one(cut_drums),
    "groove": _one_by_one(cut_grooves),
    "trio": _one_by_one(cut_trios),
    "chords": _one_by_one(cut_chords),
    "lead_sheet": _one_by_one(cut_lead_sheets),
}
"""The cutter of each representation, by its name."""

_MOST_NOTES = 1 << 16
"""The number of notes that are cut together: they fit a processor's cache."""

_MOST_ROOM = 1 << 19
"""The limit of notes and steps that a cutter gets at once: about 100 MB."""

_MOST_FOUND = 200
"""The limit of characters of a finding."""


def cut_pieces(
    pieces: Sequence[Piece],
    settings: CutSettings,
    *,
    known: Mapping[int, CutPiece] = MappingProxyType({}),
    one_by_one: bool = False,
    begin: Callable[[int], None] = lambda _: None,
) -> Iterator[CutPiece]:
    """Reads pieces and cuts them. No error leaves this function: a piece that fails is rejected.

    Pieces are read one by one, and cut in groups where groups are quicker. The result of a piece
    depends on no other piece. Results come in the pieces' order, as soon as they are known.

    Args:
        pieces: The pieces.
        settings: The settings of cutting.
        known: The results that are known already, by the number of the piece.
        one_by_one: Whether to cut each piece before the next is read, so that the last call of
            `begin` always names the piece at fault.
        begin: Called with the number of each piece before any work on it, and with the number of
            pieces before work on several.
    """
    results: dict[int, CutPiece] = {}
    group: dict[int, ReadPiece | ParsedFile] = {}
    is_together = CUTTERS[settings.representation.name].is_together and not one_by_one

    def close_group() -> Iterator[CutPiece]:
        if is_together:
            begin(len(pieces))
        results.update(cut_group(group, settings, begin))
        group.clear()
        for number in sorted(results):
            yield results.pop(number)

    notes = 0
    for number, piece in enumerate(pieces):
        begin(number)
        read = known[number] if number in known else _read(piece, settings.drums)
        if isinstance(read, CutPiece):
            results[number] = read
        else:
            group[number] = read
            notes += _count_notes(read)
        if not is_together or notes > _MOST_NOTES:
            yield from close_group()
            notes = 0
    yield from close_group()


def _read(piece: Piece, drums: str) -> ReadPiece | ParsedFile | CutPiece:
    """The piece as `parse_piece` gives it, or its rejection."""

    def parse() -> ReadPiece | ParsedFile | CutPiece:
        try:
            read = parse_piece(piece.read_bytes(), piece.kind, piece.read_side(), drums)
        except MusicVAEError as error:
            return reject_piece("unreadable", error.found)
        return read._replace(style=piece.style) if piece.style else read

    return _attempt(parse)


def _attempt(work: Callable[[], Result]) -> Result | CutPiece:
    """Works on pieces; no error leaves this function: it becomes the rejection of a piece."""
    try:
        return work()
    except MemoryError:
        return reject_for_memory()
    except Exception as error:  # noqa: BLE001  # our fault in one piece must not end the run
        return reject_piece(INTERNAL_ERROR, describe_fault(error))


def _count_notes(read: ReadPiece | ParsedFile) -> int:
    if isinstance(read, ReadPiece):
        return sum([len(part.onsets) for part in read.parts])
    return sum([track.size for pattern in read.patterns for track in pattern.tracks])


def cut_group(
    group: Mapping[int, ReadPiece | ParsedFile],
    settings: CutSettings,
    begin: Callable[[int], None] = lambda _: None,
) -> dict[int, CutPiece]:
    """Cuts pieces together. If that fails, cuts them singly, and rejects each piece that fails."""
    results = _attempt(lambda: cut_reads(finish_pieces(group.values()), settings))
    if not isinstance(results, CutPiece):
        return dict(zip(group, results, strict=True))
    if len(group) == 1:
        return dict.fromkeys(group, results)
    singly: dict[int, CutPiece] = {}
    for number, read in group.items():
        begin(number)
        singly |= cut_group({number: read}, settings, begin)
    return singly


def cut_reads(reads: Sequence[ReadPiece | MusicVAEError], settings: CutSettings) -> list[CutPiece]:
    """Cuts pieces that were read, and rejects those that could not be read."""
    representation = settings.representation
    results: dict[int, CutPiece] = {}
    usable: dict[int, ReadPiece] = {}
    for number, read in enumerate(reads):
        if isinstance(read, MusicVAEError):
            results[number] = reject_piece("unreadable", read.found)
        elif rejected := _reject_read(read, representation.meter):
            results[number] = rejected
        else:
            usable[number] = read
    for run in _divide(usable, representation.steps_per_quarter):
        on_grid = put_on_grid(
            list(run.values()), representation.meter, representation.steps_per_quarter
        )
        pieces = [split_at_tempos(piece, settings.rules.most_tempo_change) for piece in on_grid]
        cuts = CUTTERS[representation.name].cut(pieces, settings)
        compared = iter(
            find_signatures(
                [piece for piece, cut in zip(pieces, cuts, strict=True) if cut.excerpts]
            )
        )
        for number, piece, cut in zip(run, pieces, cuts, strict=True):
            results[number] = CutPiece(
                excerpts=cut.excerpts,
                rejections=(*_account_for_bars(piece), *cut.rejections),
                style=piece.piece.style,
                signature=next(compared) if cut.excerpts else None,
                bars=_count_bars(piece),
            )
    for number, read in enumerate(reads):
        if isinstance(read, ReadPiece) and read.remarks:
            results[number] = _with_remarks(results[number], read)
    return [results[number] for number in range(len(reads))]


def _with_remarks(cut: CutPiece, read: ReadPiece) -> CutPiece:
    """The result of a piece, with a rejection for each kind of repair while reading."""
    repairs = (Rejection(REPAIRED, each.reason, each.found, each.count) for each in read.remarks)
    return cut._replace(rejections=(*repairs, *cut.rejections))


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


def _reject_read(read: ReadPiece, meter: Meter) -> CutPiece | None:
    """The rejection of a piece that has nothing to cut; None for any other piece."""
    if not read.parts:
        return reject_piece("no_notes", "no notes in any part")
    if read.missing_meter:
        return reject_piece("no_meter", read.missing_meter)
    others = count_other_bars(read, meter)
    if sum(others.values()) == len(read.bar_lines) - 1:
        return reject_piece("wrong_meter", f"bars: {_list_bars(others)}", bars=others)
    return None


def _account_for_bars(piece: GridPiece) -> Iterable[Rejection]:
    """Counts the joined bars, and rejects the bars of other meters that stay unused."""
    for meter, short in piece.short_bars.items():
        if short.joined:
            found = f"{short.joined} bars in {meter} read as {piece.meter}"
            yield Rejection(REPAIRED, "joined_bar", found, short.joined)
        if short.left:
            reason = short.doubt or f"no whole {piece.meter} with the bars beside"
            found = f"{short.left} in {meter}: {reason}"
            yield Rejection("bar", "unjoined_bar", found, short.left)
    if count := sum(piece.other_bars.values()):
        yield Rejection("bar", "wrong_meter", _list_bars(piece.other_bars), count)


def _list_bars(others: Mapping[str, int]) -> str:
    return ", ".join(f"{count} in {meter}" for meter, count in others.items())


def _count_bars(piece: GridPiece) -> dict[str, int]:
    others = {name: sum(short[:2]) for name, short in piece.short_bars.items()} | piece.other_bars
    count = len(piece.bar_steps) - 1 - sum(others.values())
    return ({str(piece.meter): count} if count else {}) | others


def reject_piece(
    reason: str, found: str, *, bars: Mapping[str, int] = MappingProxyType({})
) -> CutPiece:
    """The result of a piece that is rejected as a whole."""
    return CutPiece(rejections=(Rejection("piece", reason, found[:_MOST_FOUND]),), bars=dict(bars))


def reject_for_memory() -> CutPiece:
    """The result of a piece that needed too much memory."""
    return reject_piece("out_of_memory", "more memory than one piece may use")
