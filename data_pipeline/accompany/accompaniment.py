"""Makes trios from lead sheets: a melody with written chords gets a bass and drums.

Real trios are rare. So each piece becomes a MIDI file of its melody, with a bass and drums that MMA
plays (see `mma`); `prepare` reads the file like any other.

Conventions: the file holds the piece's longest run of regular bars of 4/4, from the bar of its
first chord on. The melody is the likeliest melody part, as played. Each beat has the chord at its
start; the file marks each change of chord. Only the seed and the piece's id decide the groove and
MMA's random choices.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np
from jaxtyping import Int64
from rich.console import Console
from rich.progress import MofNCompleteColumn, TextColumn

from musicvae.data_pipeline.cut.lines.extraction import choose_parts
from musicvae.data_pipeline.cut.rules import Rules
from musicvae.data_pipeline.grid.grid import GridPiece, put_on_grid
from musicvae.data_pipeline.readers import read_piece
from musicvae.data_pipeline.readers.piece import ChordLine
from musicvae.data_pipeline.rejections import Rejection, merge_rejections
from musicvae.data_pipeline.sources.corpus import CorpusSource, Piece, open_sources
from musicvae.errors import DataError, MusicVAEError
from musicvae.files import write_file
from musicvae.music import midi
from musicvae.music.chords import QUALITIES, Chord, ParsedChord
from musicvae.music.notes import Meter, Note, NoteSequence
from musicvae.work.progress import progress_bar

from .mma import BEATS_PER_BAR, GROOVES, find_command, play, write_song

FEWEST_BARS = 8
"""A piece of fewer bars, from its first chord on, gets no accompaniment."""

_STEPS_PER_QUARTER = 4


@dataclass(frozen=True, kw_only=True)
class Accompaniments:
    """The outcome for the pieces of some inputs.

    Attributes:
        written: The number of written files.
        kept: The number of files that were there already.
        rejections: The reasons why other pieces have no file.
    """

    written: int
    kept: int
    rejections: tuple[Rejection, ...]


def accompany(
    inputs: Sequence[str], out: Path, *, seed: int = 0, console: Console | None = None
) -> Accompaniments:
    """Writes a MIDI file of melody, bass and drums for each piece with a melody and chords.

    A file is named after its piece's id. An existing file stays as it is, so that a new run goes
    on where an interrupted run stopped.

    Args:
        inputs: The inputs, as `corpus.open_sources` takes them.
        out: The folder of the files; made if it is missing.
        seed: Decides the grooves and MMA's random choices.
        console: Shows the progress.

    Raises:
        SettingError: If MMA is not installed.
        ScoreError: If an input is no music that can be read.
        DataError: If an input is missing, or no piece has a melody and chords.
    """
    command = find_command()
    sources = open_sources(inputs, leave_out=out)
    out.mkdir(parents=True, exist_ok=True)
    _write_licence(sources, out)
    written = kept = 0
    rejections: list[Rejection] = []
    with progress_bar(console, MofNCompleteColumn(), TextColumn("pieces")) as progress:
        total = sum(source.piece_count for source in sources)
        files = _name_files(sources, out)
        for piece, path in progress.track(files, total=total, description="accompanying"):
            if path.exists():
                kept += 1
                continue
            data = _accompany_piece(piece, seed, command)
            if isinstance(data, Rejection):
                rejections.append(data)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            write_file(path, data)
            written += 1
    result = Accompaniments(written=written, kept=kept, rejections=merge_rejections(rejections))
    if not written + kept:
        reasons = ", ".join(
            f"{each.count} {each.reason} ({each.found})" for each in result.rejections
        )
        raise DataError(
            f"no piece to accompany: {reasons}",
            expected="pieces in 4/4 with a melody and written chords, such as lead sheets",
            action="Give other music, such as the corpora pop909 and openewld.",
            field="inputs",
        )
    return result


def _write_licence(sources: Sequence[CorpusSource], out: Path) -> None:
    """Writes the melodies' licences as one line, where `prepare` looks for it."""
    path = out / "LICENSE"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    known = lines[0].split(" | ") if lines else []
    added = [f"{source.name}: {source.licence or 'unknown'}" for source in sources]
    text = " | ".join(dict.fromkeys([*known, *added]))
    write_file(path, f"{text}\n\nThe bass and the drums were played by MMA.\n")


def _name_files(sources: Sequence[CorpusSource], out: Path) -> Iterator[tuple[Piece, Path]]:
    """Each piece with its file, which is named after the piece's id."""
    taken: set[str] = set()
    for source in sources:
        for piece in source.pieces():
            is_tune = piece.kind == "abc"  # one of many in its file
            name = piece.id if is_tune else str(PurePosixPath(piece.id).with_suffix(""))
            if name in taken:
                name = piece.id
            taken.add(name)
            yield piece, out / f"{name.replace(':', '-')}.mid"


def _accompany_piece(piece: Piece, seed: int, command: str) -> bytes | Rejection:
    """The bytes of a piece's file, or its rejection."""
    sheet = _read_sheet(piece)
    if isinstance(sheet, Rejection):
        return sheet
    draw = hashlib.blake2b(f"{seed}/{piece.id}".encode(), digest_size=8).digest()
    groove = GROOVES[int.from_bytes(draw[:4], "big") % len(GROOVES)]
    song = write_song(sheet.beats, groove, seed=int.from_bytes(draw[4:], "big"))
    backing = play(song, command, length_steps=sheet.melody.length_steps)
    if isinstance(backing, Rejection):
        return Rejection("piece", backing.reason, f"{groove.name}: {backing.found}")
    chords = tuple(mark_changes(sheet.beats))
    return midi.write(
        replace(
            sheet.melody,
            notes=tuple(sorted((*sheet.melody.notes, *start_chords(backing, chords)))),
            chords=chords,
        ),
        name=PurePosixPath(piece.id).stem,
        provenance={
            "made": f"synthetic accompaniment by MMA, groove {groove.name}",
            "groove": groove.name,
            "piece": piece.id,
            "seed": seed,
        },
    )


def mark_changes(beats: Sequence[ParsedChord]) -> Iterator[Chord]:
    """The chords of beats, each where it starts."""
    for beat, chord in enumerate(beats):
        if beat == 0 or chord != beats[beat - 1]:
            yield Chord(beat * _STEPS_PER_QUARTER, chord.root, chord.quality, chord.bass)


def start_chords(backing: Sequence[Note], chords: Sequence[Chord]) -> Iterator[Note]:
    """Moves the first bass note of each chord to its root, or to the bass that is written.

    MMA plays the pattern of a bar whatever chords the bar has, such as the root and then the fifth:
    of a chord that starts in the middle of a bar the bass would never play the root.
    """
    starts = [chord.start_step for chord in chords]
    has_begun: set[int] = set()
    for note in backing:
        place = bisect_right(starts, note.start_step) - 1
        chord = chords[place]
        if note.is_drum or chord.root is None or place in has_begun:
            yield note
            continue
        has_begun.add(place)
        lowest = chord.root if chord.bass is None else chord.bass
        yield replace(note, pitch=note.pitch + (lowest - note.pitch + 6) % 12 - 6)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A lead sheet: a melody, and the chord of each beat."""

    melody: NoteSequence
    beats: tuple[ParsedChord, ...]


def _read_sheet(piece: Piece) -> _Sheet | Rejection:
    try:
        read = read_piece(piece.read_bytes(), piece.kind, piece.read_side())
    except MusicVAEError as error:
        return Rejection("piece", "unreadable", error.found)
    if not read.parts:
        return Rejection("piece", "no_notes", "no notes in any part")
    if read.missing_meter:
        return Rejection("piece", "no_meter", read.missing_meter)
    if read.chords is None:
        return Rejection("piece", "no_chords", "no chord symbols")
    (grid,) = put_on_grid([read], Meter(), _STEPS_PER_QUARTER)
    return _make_sheet(grid, read.chords)


def _make_sheet(grid: GridPiece, line: ChordLine) -> _Sheet | Rejection:
    if not grid.spans:
        return Rejection("piece", "wrong_meter", "no regular bar of 4/4")
    span = max(grid.spans, key=lambda span: span.bars)
    steps = span.start_step + np.arange(0, span.bars * grid.steps_per_bar, _STEPS_PER_QUARTER)
    beats = _find_chords(grid, line, steps)
    first = next((beat for beat, chord in enumerate(beats) if chord.root is not None), len(beats))
    first_bar = first // BEATS_PER_BAR
    bars = span.bars - first_bar
    if bars < FEWEST_BARS:
        return Rejection(
            "piece", "too_short", f"{bars} regular bars in a row from the first chord on"
        )
    start_step = span.start_step + first_bar * grid.steps_per_bar
    melody = _take_melody(grid, start_step, bars * grid.steps_per_bar)
    if isinstance(melody, Rejection):
        return melody
    return _Sheet(melody, tuple(beats[first_bar * BEATS_PER_BAR :]))


def _find_chords(
    grid: GridPiece, line: ChordLine, steps: Int64[np.ndarray, " step"]
) -> list[ParsedChord]:
    """The chord at each of the given steps."""
    # A chord starts at the step that it is nearest to.
    times = grid.quarters(steps) + 0.5 / grid.steps_per_quarter
    at = np.searchsorted(line.onsets, times) - 1
    qualities = list(QUALITIES)
    chords: list[ParsedChord] = []
    for index in at.tolist():
        root = -1 if index < 0 else int(line.roots[index])
        if root < 0:
            chords.append(ParsedChord())
        else:
            bass = int(line.basses[index])
            quality = qualities[line.qualities[index]]
            chords.append(ParsedChord(root, quality, None if bass == root else bass))
    return chords


def _take_melody(grid: GridPiece, start_step: int, length_steps: int) -> NoteSequence | Rejection:
    """The melody of a stretch of a piece, for the piano, at its median tempo."""
    choices = choose_parts([grid], "likeliest", Rules())
    taken = [choice for choice in choices.choices[0] if choice.rejection is None]
    if not taken or choices.lanes is None:
        rejections = [choice.rejection for choice in choices.choices[0] if choice.rejection]
        return Rejection(
            "piece", "no_melody", ", ".join(f"{each.reason}: {each.found}" for each in rejections)
        )
    line = choices.lanes.line_of(taken[0].lane)
    starts, ends = line.starts - start_step, line.ends - start_step
    is_inside = (starts >= 0) & (starts < length_steps)
    if not is_inside.any():
        return Rejection("piece", "no_melody", f"no note of {line.name!r} from the first chord on")
    columns = (starts, line.pitches, np.minimum(ends, length_steps), line.velocities, line.offsets)
    notes = [
        Note(start, pitch, end, velocity, offset=offset)
        for start, pitch, end, velocity, offset in zip(
            *(column[is_inside].tolist() for column in columns), strict=True
        )
    ]
    bars = np.arange(start_step, start_step + length_steps, grid.steps_per_bar)
    return NoteSequence(
        notes=tuple(sorted(notes)),
        length_steps=length_steps,
        qpm=float(np.median(grid.qpms(bars))),
    )
