"""Shows an inspection as tables for a terminal, and as a piano roll.

Names of files, parts and chords are data: all are printed as `Text`, which rich never reads as
markup.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

import numpy as np
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from musicvae.data_pipeline.grid.grid import GridPart, GridPiece
from musicvae.data_pipeline.readers.piece import KeyChange
from musicvae.data_pipeline.rejections import INTERNAL_ERROR, REPAIRED, Rejection
from musicvae.music.bars import bars_to_join
from musicvae.music.notes import Key, Meter, Note, NoteSequence
from musicvae.report.names import key_name, pitch_name
from musicvae.report.plots import MOST_ROLLS, piano_rolls

from .inspection import BarRun, InspectedPart, Inspection, Outcome

_BARS_PER_LINE = 4
_MOST_LINES = 16
_MOST_CHANGES = 4
_MOST_RUNS = 16
_BARS_PER_ROLL = 16

_PROGRAMS = """
acoustic grand piano, bright piano, electric grand piano, honky-tonk piano, electric piano 1,
electric piano 2, harpsichord, clavinet, celesta, glockenspiel, music box, vibraphone, marimba,
xylophone, tubular bells, dulcimer, drawbar organ, percussive organ, rock organ, church organ,
reed organ, accordion, harmonica, tango accordion, nylon guitar, steel guitar, jazz guitar,
clean guitar, muted guitar, overdriven guitar, distortion guitar, guitar harmonics, acoustic bass,
finger bass, pick bass, fretless bass, slap bass 1, slap bass 2, synth bass 1, synth bass 2, violin,
viola, cello, contrabass, tremolo strings, pizzicato strings, harp, timpani, strings 1, strings 2,
synth strings 1, synth strings 2, choir aahs, voice oohs, synth voice, orchestra hit, trumpet,
trombone, tuba, muted trumpet, French horn, brass section, synth brass 1, synth brass 2,
soprano sax, alto sax, tenor sax, baritone sax, oboe, English horn, bassoon, clarinet, piccolo,
flute, recorder, pan flute, blown bottle, shakuhachi, whistle, ocarina, square lead, sawtooth lead,
calliope lead, chiff lead, charang lead, voice lead, fifths lead, bass and lead, new age pad,
warm pad, polysynth pad, choir pad, bowed pad, metallic pad, halo pad, sweep pad, rain, soundtrack,
crystal, atmosphere, brightness, goblins, echoes, sci-fi, sitar, banjo, shamisen, koto, kalimba,
bagpipe, fiddle, shanai, tinkle bell, agogo, steel drums, woodblock, taiko drum, melodic tom,
synth drum, reverse cymbal, guitar fret noise, breath noise, seashore, bird tweet, telephone ring,
helicopter, applause, gunshot
"""
PROGRAM_NAMES = tuple(" ".join(name.split()) for name in _PROGRAMS.split(","))
"""The instruments of General MIDI by their program, 0 to 127."""


def to_tables(inspection: Inspection) -> tuple[RenderableType, ...]:
    """The whole inspection, to be printed table by table."""
    shown: list[RenderableType] = [
        _show_facts(inspection),
        _show_bars(inspection),
        _show_parts(inspection),
    ]
    scored = [part for part in inspection.parts if part.score.components]
    if scored:
        best = max(scored, key=lambda part: part.score.total)
        heading = "Most likely the melody" if len(scored) > 1 else "As a melody"
        shown.append(_show_score(best, heading))
    if any(inspection.chords):
        shown.append(_show_chords(inspection))
    for meter, outcomes in groupby(inspection.outcomes, key=lambda outcome: outcome.meter):
        shown.append(_show_outcomes(meter, outcomes))
    for outcome in inspection.outcomes:
        shown += [
            Text(
                f"A fault of musicvae, not of the piece, in {outcome.representation}: {each.found}."
                f" Please report it with the piece {inspection.piece.id}.",
                style="bold red",
            )
            for each in outcome.rejections
            if each.reason == INTERNAL_ERROR
        ]
    return tuple(shown)


def plot(inspection: Inspection, path: Path) -> None:
    """Draws the whole piece as piano rolls of 16 bars, a colour for each part, into a PNG file."""
    numbers = {id(part): number for number, part in enumerate(inspection.grid.parts)}
    names = {
        numbers[id(part)] % 128: part.name or PROGRAM_NAMES[part.program]
        for part in inspection.grid.parts
    }
    systems = list(_systems(inspection.grid))
    piano_rolls(
        systems[:MOST_ROLLS],
        path,
        titles=[
            f"bars {number * _BARS_PER_ROLL + 1} to {(number + 1) * _BARS_PER_ROLL}"
            for number in range(min(len(systems), MOST_ROLLS))
        ],
        suptitle=inspection.piece.id,
        part_names=names,
    )


def _systems(grid: GridPiece) -> Iterator[NoteSequence]:
    """The piece in runs of 16 bars; a note that outlasts its run goes on in the next."""
    # A pickup is the end of a whole bar.
    pad = -grid.spans[0].start_step % grid.steps_per_bar if grid.spans else 0
    length = _BARS_PER_ROLL * grid.steps_per_bar
    for start in range(-pad, grid.length_steps, length):
        notes = [
            note
            for number, part in enumerate(grid.parts)
            for note in _cut_out(part, number, start, start + length)
        ]
        yield NoteSequence(
            notes=tuple(sorted(notes)),
            length_steps=length,
            meter=grid.meter,
            steps_per_quarter=grid.steps_per_quarter,
        )


def _cut_out(part: GridPart, number: int, start: int, end: int) -> Iterator[Note]:
    """The notes of a part between two steps. The part's number stands for a program: its colour."""
    is_here = (part.starts < end) & (part.ends > start)
    columns = (part.starts, part.pitches, part.ends, part.velocities)
    for first, pitch, last, velocity in zip(*(c[is_here].tolist() for c in columns), strict=True):
        yield Note(
            start_step=max(first, start) - start,
            pitch=pitch,
            end_step=min(last, end) - start,
            velocity=velocity,
            program=0 if part.is_drum else number % 128,
            is_drum=part.is_drum,
        )


def _show_facts(inspection: Inspection) -> Table:
    read = inspection.read
    table = Table(title="Piece", title_justify="left", show_header=False)
    table.add_row("id", Text(inspection.piece.id))
    minutes, seconds = divmod(round(inspection.seconds), 60)
    table.add_row("format", inspection.piece.kind)
    table.add_row("length", f"{inspection.bars} bars, {minutes}:{seconds:02d} minutes")
    table.add_row("meter", Text(_describe_meters(inspection)))
    tempos = [(f"{tempo.qpm:.4g}", tempo.quarter) for tempo in read.tempos]
    table.add_row("tempo", _list_changes(inspection, tempos))
    keys = [(_name_written(change), change.quarter) for change in read.keys]
    table.add_row("key as written", _list_changes(inspection, keys))
    if inspection.key:
        by_notes = f"{key_name(inspection.key.key)}, confidence {inspection.key.confidence:.2f}"
        table.add_row("key by its notes", by_notes)
    if read.style:
        table.add_row("style", Text(read.style))
    if read.remarks:
        repairs = (f"{each.count} {each.reason} (first: {each.found})" for each in read.remarks)
        table.add_row("repaired", Text("\n".join(repairs)))
    return table


def _name_written(written: KeyChange) -> str:
    if written.has_mode:
        return key_name(written.key)
    relative = Key((written.key.tonic + 9) % 12, is_minor=True)
    return f"{key_name(written.key)} or {key_name(relative)}"


def _describe_meters(inspection: Inspection) -> str:
    read = inspection.read
    if read.missing_meter:
        return f"not known: {read.missing_meter}"
    changes = [f"{change.meter} from bar {change.bar + 1}" for change in read.meters]
    return _shorten(changes) if len(changes) > 1 else str(read.meters[0].meter)


def _list_changes(inspection: Inspection, changes: list[tuple[str, float]]) -> str:
    """The values of a mark, each with the bar from which it holds."""
    lines = inspection.grid.piece.bar_lines
    if len(changes) == 1:
        return changes[0][0]
    bars = (int(np.searchsorted(lines, quarter + 1e-6, side="right")) for _, quarter in changes)
    named = [f"{name} from bar {bar}" for (name, _), bar in zip(changes, bars, strict=True)]
    return _shorten(named) or "not written"


def _shorten(items: list[str]) -> str:
    rest = len(items) - _MOST_CHANGES
    return ", ".join(items[:_MOST_CHANGES]) + (f" and {rest} more" if rest > 0 else "")


def _show_bars(inspection: Inspection) -> Table:
    """The bars by their numbers, as `--start-bar` counts them, with their meters."""
    table = Table(title="Bars", title_justify="left", show_header=False)
    for run in inspection.bar_runs[:_MOST_RUNS]:
        bars = f"{run.first}" if run.first == run.last else f"{run.first} to {run.last}"
        table.add_row(bars, str(run.meter), _describe_run(run))
    if (rest := len(inspection.bar_runs) - _MOST_RUNS) > 0:
        table.caption = f"and {rest} more changes of meter or length"
        table.caption_justify = "left"
    return table


def _describe_run(run: BarRun) -> str:
    if not run.is_whole:
        whole = run.meter.quarters_per_bar
        lasts = f"{run.quarters:g} quarter notes, not {whole:g}"
        is_pickup = run.first == run.last == 1 and run.quarters < whole
        return f"a pickup: {lasts}" if is_pickup else f"irregular: {lasts}"
    if run.meter in (Meter(), Meter(2, 2)):
        return ""
    if count := bars_to_join(run.meter, Meter()):
        return f"cut {count} bars as one of 4/4, or singly with --meter {run.meter}"
    return f"another meter than 4/4: cut with --meter {run.meter} only"


def _show_parts(inspection: Inspection) -> Table:
    table = Table(title="Parts", title_justify="left")
    for name in ("part", "instrument", "notes", "range", "on a sounding note", "as a melody"):
        is_number = name in {"notes", "on a sounding note", "as a melody"}
        table.add_column(name, justify="right" if is_number else "left")
    for part in inspection.parts:
        table.add_row(
            Text(part.name),
            "drums" if part.is_drum else f"{PROGRAM_NAMES[part.program]} ({part.program})",
            f"{part.notes:,}",
            "" if part.is_drum else f"{pitch_name(part.lowest)} to {pitch_name(part.highest)}",
            f"{part.polyphony:.0%}",
            f"{part.score.total:+.1f}" if part.score.components else "",
        )
    return table


def _show_score(part: InspectedPart, heading: str) -> Table:
    """Why a part is likely the melody or not: the rules of most weight first."""
    title = Text(f"{heading}: {part.name or 'a part without a name'}")
    table = Table(title=title, title_justify="left")
    for name in ("rule", "says", "because"):
        table.add_column(name, justify="right" if name == "says" else "left")
    for component in sorted(part.score.components, key=lambda each: -abs(each.value)):
        table.add_row(component.name, f"{component.value:+.2f}", Text(component.why))
    return table


def _show_chords(inspection: Inspection) -> Table:
    """The chords bar by bar, four bars a line; a bar without a change is empty."""
    table = Table(title=f"Chords, {inspection.chords_are}", title_justify="left", show_header=False)
    lines = range(0, len(inspection.chords), _BARS_PER_LINE)
    for start in lines[:_MOST_LINES]:
        bars = inspection.chords[start : start + _BARS_PER_LINE]
        table.add_row(str(start + 1), *(Text(" ".join(bar)) for bar in bars))
    if len(lines) > _MOST_LINES:
        rest = len(inspection.chords) - _MOST_LINES * _BARS_PER_LINE
        table.caption = f"and {rest} more bars"
        table.caption_justify = "left"
    return table


def _show_outcomes(meter: Meter, outcomes: Iterable[Outcome]) -> Table:
    """The excerpts of each representation in one meter, and what is left out."""
    option = "" if meter == Meter() else f" --meter {meter}"
    title = f"Excerpts of `musicvae prepare{option}`, by the default rules"
    table = Table(title=title, title_justify="left", show_lines=True)
    for name in ("representation", "bars", "excerpts", "of", "left out, and why"):
        is_number = name in {"bars", "excerpts"}
        table.add_column(name, justify="right" if is_number else "left")
    for outcome in outcomes:
        parts = [f"{name or 'no name'}: {count}" for name, count in outcome.parts.items()]
        reasons = map(_describe_rejection, outcome.rejections)
        table.add_row(
            outcome.representation,
            str(outcome.bars),
            f"{outcome.excerpts:,}",
            Text("\n".join(parts)),
            Text("\n".join(reasons)),
        )
    return table


def _describe_rejection(rejection: Rejection) -> str:
    reason = f"{rejection.reason.replace('_', ' ')} ({rejection.found})"
    if rejection.stage == REPAIRED:
        return f"repaired: {reason}"
    return f"{rejection.count:,} {rejection.stage}{'s' if rejection.count > 1 else ''}: {reason}"
