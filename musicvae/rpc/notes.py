"""Notes as messages of the contract and back.

Reading trusts no message: whatever a value can't hold is noted in `Problems` under the path of its
field, and never asserted. Writing loses nothing: floats are as wide as in the values.
"""

from __future__ import annotations

from musicvae.music.chords import Chord, parse_symbol, symbol
from musicvae.music.meters import RESOLUTIONS
from musicvae.music.notes import (
    DEFAULT_QPM,
    DEFAULT_VELOCITY,
    PITCHES,
    PROGRAMS,
    STEPS_PER_QUARTER,
    VELOCITIES,
    BarChange,
    Key,
    Meter,
    Note,
    NoteSequence,
    TimeGrid,
)
from musicvae.problems import Problems
from musicvae.v1 import musicvae_pb2 as pb

_BEATS = (1, 2, 4, 8, 16, 32, 64)
_MOST_SYMBOL = 32  # characters of a chord
_MOST_PROBLEMS = 20
"""Reading stops after as many: nobody corrects more at once."""


def key_to_message(key: Key | None) -> pb.Key | None:
    """Writes a key; None where there is none."""
    return None if key is None else pb.Key(tonic=key.tonic, is_minor=key.is_minor)


def notes_to_message(notes: NoteSequence) -> pb.NoteSequence:
    """Writes notes; the usual grid of 4 steps a quarter note is not said."""
    is_usual = notes.steps_per_quarter == STEPS_PER_QUARTER
    return pb.NoteSequence(
        notes=[
            pb.Note(
                start_step=note.start_step,
                end_step=note.end_step,
                pitch=note.pitch,
                velocity=note.velocity,
                program=note.program,
                is_drum=note.is_drum,
                offset=note.offset,
            )
            for note in notes.notes
        ],
        length_steps=notes.length_steps,
        qpm=notes.qpm,
        meter=meter_to_message(notes.meter),
        key=key_to_message(notes.key),
        chords=[
            pb.Chord(start_step=chord.start_step, symbol=symbol(chord)) for chord in notes.chords
        ],
        bar_changes=[
            pb.BarChange(start_step=change.start_step, meter=meter_to_message(change.meter))
            for change in notes.bar_changes
        ],
        steps_per_quarter=None if is_usual else notes.steps_per_quarter,
    )


def notes_from_message(
    message: pb.NoteSequence, problems: Problems, path: str, *, max_length_quarters: int = 2**31
) -> NoteSequence | None:
    """Reads notes; notes what is wrong in `problems` and then gives None.

    Args:
        message: The notes.
        problems: Takes the errors.
        path: The message's path in the request.
        max_length_quarters: Length limit of the music in quarter notes.
    """
    before = len(problems)
    steps = read_steps(message, problems, path) or STEPS_PER_QUARTER
    has_meter = message.HasField("meter")
    meter = _read_meter(message.meter, problems, f"{path}.meter") if has_meter else Meter()
    tonic = message.key.tonic
    problems.require(tonic < 12, f"{path}.key.tonic", tonic, "0 to 11")
    qpm = message.qpm or DEFAULT_QPM
    problems.require(0 < qpm <= 1e6, f"{path}.qpm", qpm, "above 0 and at most 1,000,000")
    for index, note in enumerate(message.notes):
        _check_note(note, problems, f"{path}.notes[{index}]")
        if len(problems) - before > _MOST_PROBLEMS:
            return None
    chords = _read_chords(message, problems, path)
    last = max((note.end_step for note in message.notes), default=0)
    last = max(last, chords[-1].start_step + 1 if chords else 0)
    bar_changes = _read_bar_changes(message, meter, problems, path)
    last = max(last, bar_changes[-1].start_step + 1 if bar_changes else 0)
    length = message.length_steps
    longest, most = max(last, length), max_length_quarters * steps
    is_short = longest <= most
    problems.require(is_short, f"{path}.length_steps", longest, f"at most {most} steps")
    is_long = length == 0 or length >= last
    problems.require(is_long, f"{path}.length_steps", length, f"{last} steps or more, or 0")
    if len(problems) > before:
        return None
    if length == 0:
        start, counted = (0, meter)
        if bar_changes:
            start, counted = bar_changes[-1].start_step, bar_changes[-1].meter
        bar = counted.steps_per_bar(steps) or 1
        length = start + -(-(last - start) // bar) * bar
    notes = sorted(
        Note(
            start_step=note.start_step,
            pitch=note.pitch,
            end_step=note.end_step,
            velocity=note.velocity or DEFAULT_VELOCITY,
            program=note.program,
            is_drum=note.is_drum,
            offset=note.offset,
        )
        for note in message.notes
    )
    key = Key(tonic, message.key.is_minor) if message.HasField("key") else None
    return NoteSequence(
        notes=tuple(notes),
        length_steps=length,
        qpm=qpm,
        meter=meter,
        key=key,
        steps_per_quarter=steps,
        chords=tuple(chords),
        bar_changes=tuple(bar_changes),
    )


def read_steps(message: pb.NoteSequence | pb.Excerpt, problems: Problems, path: str) -> int | None:
    """Reads the steps a quarter note; None where the message has none, or wrong steps."""
    if not message.HasField("steps_per_quarter"):
        return None
    steps = message.steps_per_quarter
    is_known = steps in RESOLUTIONS
    expected = " or ".join(map(str, RESOLUTIONS))
    problems.require(is_known, f"{path}.steps_per_quarter", steps, expected)
    return steps if is_known else None


def _read_chords(message: pb.NoteSequence, problems: Problems, path: str) -> list[Chord]:
    """Reads chords up to the first wrong chord."""
    chords: list[Chord] = []
    for index, each in enumerate(message.chords):
        where = f"{path}.chords[{index}]"
        first = chords[-1].start_step + 1 if chords else 0
        said = None if len(each.symbol) > _MOST_SYMBOL else parse_symbol(each.symbol)
        is_later, is_symbol = each.start_step >= first, said is not None
        problems.require(is_later, f"{where}.start_step", each.start_step, f"{first} or more")
        problems.require(
            is_symbol,
            f"{where}.symbol",
            each.symbol[:_MOST_SYMBOL],
            "a chord symbol such as F#m7 or N.C.",
        )
        if said is None or not is_later:
            break
        chords.append(Chord(each.start_step, said.root, said.quality, said.bass))
    return chords


def _read_bar_changes(
    message: pb.NoteSequence, meter: Meter, problems: Problems, path: str
) -> list[BarChange]:
    """Reads changes of bars up to the first wrong change."""
    changes: list[BarChange] = []
    before = len(problems)
    for index, each in enumerate(message.bar_changes):
        where = f"{path}.bar_changes[{index}]"
        own = _read_meter(each.meter, problems, f"{where}.meter")
        step = each.start_step
        if changes:
            least = changes[-1].start_step + 1
            problems.require(step >= least, f"{where}.start_step", step, f"{least} or more")
        else:
            problems.require(step == 0, f"{where}.start_step", step, "0 for the first change")
            problems.require(own == meter, f"{where}.meter", own, f"{path}.meter, {meter}")
        if len(problems) > before:
            break
        changes.append(BarChange(step, own))
    return changes


def _read_meter(message: pb.Meter, problems: Problems, path: str) -> Meter:
    """Reads a time signature; notes what is wrong and then gives 4/4."""
    top, bottom = message.numerator, message.denominator
    is_top, is_bottom = 1 <= top <= 255, bottom in _BEATS
    problems.require(is_top, f"{path}.numerator", top, "1 to 255")
    problems.require(is_bottom, f"{path}.denominator", bottom, "1, 2, 4, 8, 16, 32 or 64")
    return Meter(top, bottom) if is_top and is_bottom else Meter()


def _check_note(note: pb.Note, problems: Problems, path: str) -> None:
    start, end = note.start_step, note.end_step
    problems.require(end > start, f"{path}.end_step", end, f"above its start_step {start}")
    problems.require(note.pitch in PITCHES, f"{path}.pitch", note.pitch, "0 to 127")
    is_loud = note.velocity == 0 or note.velocity in VELOCITIES
    problems.require(is_loud, f"{path}.velocity", note.velocity, "1 to 127, or 0 for 80")
    problems.require(note.program in PROGRAMS, f"{path}.program", note.program, "0 to 127")
    is_near = abs(note.offset) <= 0.5
    problems.require(is_near, f"{path}.offset", note.offset, "-0.5 to 0.5 steps")


def grid_to_message(grid: TimeGrid) -> pb.TimeGrid:
    """Writes a grid."""
    return pb.TimeGrid(meter=meter_to_message(grid.meter), steps_per_quarter=grid.steps_per_quarter)


def meter_to_message(meter: Meter) -> pb.Meter:
    """Writes a time signature."""
    return pb.Meter(numerator=meter.numerator, denominator=meter.denominator)
