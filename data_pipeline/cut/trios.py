"""Cuts a piece into trios: a melody, a bass and drums that play together.

Parts are chosen by program; if no part has a bass program, the bass is chosen by register. Every
legal combination of a melody, a bass and the kit gives its own excerpts. A line in several voices
is reduced to its highest notes. A line that a piece lacks is silent if the rule `fewest_trio_lines`
allows it. Chords, where trios have them, are the written chords; if the source writes none, they
are inferred from all parts with a harmony.

Our rules beside the behaviour of Magenta::

    rule                  Magenta                         here
    melody                programs 0 to 31                also solo strings, brass, reeds, pipes,
                                                          leads, and the world's lutes and fiddles,
                                                          unless most of the part is bass
    bass                  programs 32 to 39               else a low part that plays one note at a
                                                          time
    drums                 each drum track                 all drum tracks together, as one kit
    several voices        the highest note of each onset  the top line, which goes on above a note
                                                          that starts below it
    silence of a line     4 bars, 2 at either end         2 bars anywhere (`longest_trio_gap_bars`)
    timing                any goes to the grid            excerpts with a note off the grid are
                                                          rejected; for drums, with many hits
    number                5 of a piece, at random         all of 16 combinations (`most_trios`)
"""

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from jaxtyping import Bool, Int16, UInt64

from musicvae.data_pipeline.grid.grid import GridPart, GridPiece
from musicvae.data_pipeline.rejections import Rejection, merge_rejections
from musicvae.music.instruments import BASS_PROGRAMS
from musicvae.representation import Representation
from musicvae.representation.hits import join_hits, write_hits
from musicvae.representation.melody import EVENTS, FIRST_PITCH_EVENT, write_line

from .candidates import Candidates
from .chord_excerpts import write_steps
from .drum_excerpts import join_kit, judge_hits, judge_timing
from .excerpts import CutPiece, CutSettings, Excerpts, digest
from .inference import infer_piece_chords
from .labels import Stretch, label
from .lines.extraction import cut_overlaps, reduce_to_top_line
from .lines.line_rules import LineWindows, judge_line
from .lines.melody_score import share_of_polyphony
from .melodies import render
from .rules import Rules
from .windows import Windows, find_windows, reject_bars

_MELODY_PROGRAMS = frozenset(
    program
    for programs in (range(32), range(40, 43), range(56, 61), range(64, 88), range(104, 112))
    for program in programs
)
"""The programs that carry tunes: all but basses, ensembles, pads, effects and percussion."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Cast:
    """The parts that can play each line of a piece; none for a line that is silent."""

    melodies: tuple[GridPart, ...]
    basses: tuple[GridPart, ...]
    kit: GridPart | None


@dataclass(frozen=True, kw_only=True, eq=False)
class _Stream:
    """One stream of trios, in every window.

    Attributes:
        part: The notes; None if the line is silent.
        events: The events of each window.
        is_kept: Whether each window keeps the rules.
    """

    part: GridPart | None
    events: Int16[np.ndarray, "batch step"]
    is_kept: Bool[np.ndarray, " batch"]


def cut_trios(piece: GridPiece, settings: CutSettings) -> CutPiece:
    """Cuts every trio of a piece.

    A window of a line is counted once for the rule that it breaks, however many combinations the
    line is part of.
    """
    rejections: list[Rejection] = []
    cast = _cast_parts(piece, settings.rules, rejections)
    if cast is None:
        return CutPiece(rejections=merge_rejections(rejections))
    rejections += reject_bars(piece, settings.representation.bars)
    windows = find_windows([piece], settings.representation.bars, settings.hop_bars)
    if not len(windows.first_steps):
        return CutPiece(rejections=merge_rejections(rejections))
    rules = settings.rules
    rules = replace(rules, longest_gap_bars=rules.longest_trio_gap_bars)
    length = settings.representation.length_steps
    chords = _write_chords(piece, windows, settings.representation)
    melodies = [
        _write_line(piece, windows, line, length, "melody", rules, rejections)
        for line in cast.melodies
    ]
    # A bass may well stay on one note, and on the sixteenths.
    rules = replace(rules, fewest_pitches=1, fewest_fine_onsets=0)
    basses = [
        _write_line(piece, windows, line, length, "bass", rules, rejections) for line in cast.basses
    ]
    silence = _write_silence(windows, length)
    kit = _write_kit(piece, windows, cast.kit, length, rules, rejections) if cast.kit else silence
    pairs = list(product(melodies or [silence], basses or [silence]))
    if len(pairs) > rules.most_trios:
        found = f"{len(pairs)} combinations of a melody and a bass"
        rejections.append(Rejection("part", "many_trios", found, len(pairs) - rules.most_trios))
    trios: list[Excerpts] = []
    for melody, bass in pairs[: rules.most_trios]:
        is_kept = melody.is_kept & bass.is_kept & kit.is_kept
        if is_kept.any():
            trios.append(_join(piece, windows, is_kept, (melody, bass, kit), chords, length))
    return CutPiece(excerpts=tuple(trios), rejections=merge_rejections(rejections))


def _cast_parts(piece: GridPiece, rules: Rules, rejections: list[Rejection]) -> _Cast | None:
    """Chooses the parts; None, with a rejection for each missing line, if there is no trio."""
    missing: list[Rejection] = []
    kit = join_kit(piece, missing)
    pitched = [part for part in piece.parts if not part.is_drum]
    basses = [part for part in pitched if part.program in BASS_PROGRAMS]
    low = [part for part in pitched if part not in basses and _is_low(part, rules)]
    if not basses:
        basses = [part for part in low if share_of_polyphony(part) <= rules.most_polyphony]
    melodies: list[GridPart] = []
    for part in pitched:
        if part in basses:
            continue
        if part in low:
            found = f"{part.name!r}, around pitch {np.median(part.pitches):g}"
            rejections.append(Rejection("part", "bass", found))
        elif part.program not in _MELODY_PROGRAMS:
            rejections.append(Rejection("part", "other_program", f"program {part.program}"))
        else:
            melodies.append(part)
    if not melodies:
        found = "no part of a program that carries tunes"
        missing.append(Rejection("piece", "no_melody_track", found))
    if not basses:
        found = "no part of programs 32 to 39, nor a low one"
        missing.append(Rejection("piece", "no_bass_track", found))
    has_lines = sum(map(bool, (melodies, basses, kit))) >= rules.fewest_trio_lines
    rejections += [each for each in missing if not has_lines or each.stage != "piece"]
    if not has_lines:
        return None
    return _Cast(
        melodies=tuple(_reduce(part, rules) for part in melodies),
        basses=tuple(_reduce(part, rules) for part in basses),
        kit=kit,
    )


def _is_low(part: GridPart, rules: Rules) -> bool:
    return 2 * int(np.count_nonzero(part.pitches < rules.bass_below)) >= len(part.pitches)


def _reduce(part: GridPart, rules: Rules) -> GridPart:
    line = cut_overlaps(part, rules)
    return reduce_to_top_line(line) if share_of_polyphony(line) else line


def _write_line(
    piece: GridPiece,
    windows: Windows,
    line: GridPart,
    length_steps: int,
    stream: str,
    rules: Rules,
    rejections: list[Rejection],
) -> _Stream:
    candidates = Candidates(windows.first_steps, length_steps)
    held = LineWindows.find(candidates, line)
    judge_line(
        held, rules, steps_per_bar=piece.steps_per_bar, steps_per_quarter=piece.steps_per_quarter
    )
    rejections += [
        replace(each, reason=f"{stream}_{each.reason}", found=f"{each.found} in {line.name!r}")
        for each in candidates.rejections[0]
    ]
    whole = write_line(line.starts, line.ends, line.pitches, piece.length_steps)
    events = render(whole, line.starts, windows.first_steps, held.low, length_steps)
    return _Stream(part=line, events=events, is_kept=candidates.is_kept)


def _write_kit(
    piece: GridPiece,
    windows: Windows,
    kit: GridPart,
    length_steps: int,
    rules: Rules,
    rejections: list[Rejection],
) -> _Stream:
    candidates = Candidates(windows.first_steps, length_steps)
    hits = write_hits(kit.starts, kit.pitches, piece.length_steps)
    judge_hits(candidates, hits, piece.steps_per_bar, rules)
    judge_timing(candidates, kit, piece, rules)
    rejections += [
        replace(each, reason=f"drums_{each.reason}") for each in candidates.rejections[0]
    ]
    events = join_hits(hits)[windows.first_steps[:, None] + np.arange(length_steps)]
    return _Stream(part=kit, events=events, is_kept=candidates.is_kept)


def _write_silence(windows: Windows, length_steps: int) -> _Stream:
    count = len(windows.first_steps)
    events = np.zeros((count, length_steps), np.int16)
    return _Stream(part=None, events=events, is_kept=np.ones(count, np.bool_))


def _write_chords(
    piece: GridPiece, windows: Windows, representation: Representation
) -> Int16[np.ndarray, "batch step _"]:
    """The chords of each window; no columns where trios have none."""
    steps = np.zeros((piece.length_steps, len(representation.streams) - 3), np.int16)
    line = piece.piece.chords or (infer_piece_chords(piece) if steps.size else None)
    if steps.size and line is not None:
        steps = write_steps(piece, line)
    return steps[windows.first_steps[:, None] + np.arange(representation.length_steps)]


def _join(
    piece: GridPiece,
    windows: Windows,
    is_kept: Bool[np.ndarray, " batch"],
    streams: tuple[_Stream, _Stream, _Stream],
    chords: Int16[np.ndarray, "batch step _"],
    length_steps: int,
) -> Excerpts:
    lines = np.stack([stream.events[is_kept] for stream in streams], axis=2)
    parts = [stream.part for stream in streams if stream.part]
    starts = np.concatenate([part.starts for part in parts])
    pitches = np.concatenate([part.pitches for part in parts])
    is_drum = np.repeat([part.is_drum for part in parts], [len(part.starts) for part in parts])
    order = np.lexsort((pitches, starts))
    return Excerpts(
        part=" + ".join(part.name for part in parts),
        program=parts[0].program,
        start_bars=windows.start_bars[is_kept],
        events=np.concatenate([lines, chords[is_kept]], axis=2),
        shapes=_digest_shapes(lines),
        labels=label(
            [Stretch(piece, windows.first_steps[is_kept])],
            starts[order],
            pitches[order],
            is_drum=is_drum[order],
            length_steps=length_steps,
        ),
    )


def _digest_shapes(events: Int16[np.ndarray, "batch step 3"]) -> UInt64[np.ndarray, " batch"]:
    """A digest that is equal for a trio in every key."""
    lines = events[..., :2].astype(np.int32)
    is_pitch = lines >= FIRST_PITCH_EVENT
    lowest = np.where(is_pitch, lines, EVENTS).min(axis=(1, 2), keepdims=True)
    relative = np.where(is_pitch, lines - lowest + FIRST_PITCH_EVENT, lines)
    rows = np.concatenate([relative, events[..., 2:]], axis=2)
    return digest(rows.reshape(len(rows), rows.shape[1] * rows.shape[2]))
