"""Values as messages of the contract and back; the client and the server both use it.

Reading takes nothing for granted: what no value can hold is noted in `Problems`, under the path of
its field, and never asserted. Writing loses nothing: floats are as wide as the values' own.
"""

from __future__ import annotations

from musicvae.generation.replies import (
    AttributeInfo,
    Clip,
    Encoding,
    FigureInfo,
    ModelInfo,
    SourceInfo,
)
from musicvae.generation.requests import HUMANISE, TAP_TO_DRUMS, TRANSFER
from musicvae.music import midi
from musicvae.music.chords import Chord, parse_symbol, symbol
from musicvae.music.notes import (
    DEFAULT_QPM,
    DEFAULT_VELOCITY,
    PITCHES,
    PROGRAMS,
    VELOCITIES,
    Key,
    Meter,
    Note,
    NoteSequence,
)
from musicvae.problems import Problems
from musicvae.v1 import musicvae_pb2 as pb

GROOVE_TASKS = {
    HUMANISE: pb.GROOVE_TASK_HUMANISE,
    TAP_TO_DRUMS: pb.GROOVE_TASK_TAP_TO_DRUMS,
    TRANSFER: pb.GROOVE_TASK_TRANSFER,
}
"""What is to be done with drums, as it is written."""

_BEATS = (1, 2, 4, 8, 16, 32, 64)
_MOST_SYMBOL = 32  # characters of a chord
_MOST_PROBLEMS = 20
"""Reading stops here: no one mends more at once."""


def notes_to_message(notes: NoteSequence) -> pb.NoteSequence:
    """Writes notes on a grid of 4 steps a quarter note."""
    key = None
    if notes.key is not None:
        key = pb.Key(tonic=notes.key.tonic, is_minor=notes.key.is_minor)
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
        key=key,
        chords=[
            pb.Chord(start_step=chord.start_step, symbol=symbol(chord)) for chord in notes.chords
        ],
    )


def notes_from_message(
    message: pb.NoteSequence, problems: Problems, path: str, *, max_length_steps: int = 2**31
) -> NoteSequence | None:
    """Reads notes; None if something is wrong, which then stands in `problems`.

    Args:
        message: The notes.
        problems: Takes what is wrong.
        path: Where the message stands in the request.
        max_length_steps: The longest that is read.
    """
    before = len(problems)
    meter = Meter()
    if message.HasField("meter"):
        top, bottom = message.meter.numerator, message.meter.denominator
        numerators = f"{path}.meter.numerator", top, "1 to 255"
        problems.require(1 <= top <= 255, *numerators)
        beats = f"{path}.meter.denominator", bottom, "1, 2, 4, 8, 16, 32 or 64"
        problems.require(bottom in _BEATS, *beats)
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
    length = message.length_steps
    longest = max(last, length)
    is_short = longest <= max_length_steps
    problems.require(is_short, f"{path}.length_steps", longest, f"at most {max_length_steps} steps")
    is_long = length == 0 or length >= last
    problems.require(is_long, f"{path}.length_steps", length, f"{last} steps or more, or 0")
    if len(problems) > before:
        return None
    if message.HasField("meter"):
        meter = Meter(message.meter.numerator, message.meter.denominator)
    if length == 0:
        bar = meter.steps_per_bar() or 1
        length = -(-last // bar) * bar
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
        chords=tuple(chords),
    )


def _read_chords(message: pb.NoteSequence, problems: Problems, path: str) -> list[Chord]:
    """Reads chords, up to the first that is wrong."""
    chords: list[Chord] = []
    for index, each in enumerate(message.chords):
        where = f"{path}.chords[{index}]"
        first = chords[-1].start_step + 1 if chords else 0
        said = None if len(each.symbol) > _MOST_SYMBOL else parse_symbol(each.symbol)
        is_later, is_symbol = each.start_step >= first, said is not None
        problems.require(is_later, f"{where}.start_step", each.start_step, f"{first} or more")
        problems.require(
            is_symbol, f"{where}.symbol", each.symbol[:_MOST_SYMBOL], "one such as F#m7 or N.C."
        )
        if said is None or not is_later:
            break
        chords.append(Chord(each.start_step, said.root, said.quality, said.bass))
    return chords


def _check_note(note: pb.Note, problems: Problems, path: str) -> None:
    start, end = note.start_step, note.end_step
    problems.require(end > start, f"{path}.end_step", end, f"above its start_step {start}")
    problems.require(note.pitch in PITCHES, f"{path}.pitch", note.pitch, "0 to 127")
    is_loud = note.velocity == 0 or note.velocity in VELOCITIES
    problems.require(is_loud, f"{path}.velocity", note.velocity, "1 to 127, or 0 for 80")
    problems.require(note.program in PROGRAMS, f"{path}.program", note.program, "0 to 127")
    is_near = abs(note.offset) <= 0.5
    problems.require(is_near, f"{path}.offset", note.offset, "-0.5 to 0.5 steps")


def meter_to_message(meter: Meter) -> pb.Meter:
    """Writes a time signature."""
    return pb.Meter(numerator=meter.numerator, denominator=meter.denominator)


def groove_task_from_message(task: int) -> str:
    """Reads what is to be done with drums; the empty text stands for what we don't know."""
    return next((name for name, number in GROOVE_TASKS.items() if number == task), "")


def clip_to_message(clip: Clip, clip_format: int) -> pb.Clip:
    """Writes a clip with its music in the format asked for."""
    as_notes = clip_format == pb.CLIP_FORMAT_NOTES
    return pb.Clip(
        midi=None if as_notes else clip.to_midi(),
        notes=notes_to_message(clip.notes) if as_notes else None,
        latent=pb.Latent(values=clip.latent),
        seed=clip.seed,
        index=clip.index,
        temperature=clip.temperature,
        top_p=clip.top_p,
        model=clip.model,
        model_version=clip.model_version,
        attributes=clip.attributes,
        chords=clip.chords,
    )


def clip_from_message(message: pb.Clip, method: str) -> Clip:
    """Reads a clip, made by `method` (see `Clip.method`), in either format.

    Raises:
        MusicVAEError: If its music can't be read.
    """
    return Clip(
        notes=_trusted_notes(message.notes)
        if message.HasField("notes")
        else midi.read(message.midi),
        latent=tuple(message.latent.values),
        method=method,
        seed=message.seed,
        index=message.index,
        temperature=message.temperature,
        top_p=message.top_p,
        model=message.model,
        model_version=message.model_version,
        attributes=_attributes(message),
        chords=_chords(message),
    )


def _chords(message: pb.Clip | pb.EncodeResponse) -> str | None:
    return message.chords if message.HasField("chords") else None


def _attributes(message: pb.Clip | pb.EncodeResponse) -> dict[str, float]:
    """Measures in the order of their names, as the engine gives them: a map has none."""
    return dict(sorted(message.attributes.items()))


def encoding_to_message(encoding: Encoding) -> pb.EncodeResponse:
    """Writes the latent of an excerpt."""
    return pb.EncodeResponse(
        latent=pb.Latent(values=encoding.latent),
        mean=encoding.mean,
        stddev=encoding.stddev,
        notes=notes_to_message(encoding.notes),
        attributes=encoding.attributes,
        seed=encoding.seed,
        model=encoding.model,
        model_version=encoding.model_version,
        chords=encoding.chords,
    )


def encoding_from_message(message: pb.EncodeResponse) -> Encoding:
    """Reads the latent of an excerpt."""
    return Encoding(
        latent=tuple(message.latent.values),
        mean=tuple(message.mean),
        stddev=tuple(message.stddev),
        notes=_trusted_notes(message.notes),
        attributes=_attributes(message),
        seed=message.seed if message.HasField("seed") else None,
        model=message.model,
        model_version=message.model_version,
        chords=_chords(message),
    )


def _trusted_notes(message: pb.NoteSequence) -> NoteSequence:
    problems = Problems()
    notes = notes_from_message(message, problems, "notes")
    problems.raise_all()
    assert notes is not None
    return notes


def model_to_message(model: ModelInfo) -> pb.Model:
    """Writes what there is to know of a model."""
    return pb.Model(
        name=model.name,
        version=model.version,
        representation=model.representation,
        bars=model.bars,
        meter=meter_to_message(model.meter),
        length_steps=model.length_steps,
        latent_size=model.latent_size,
        attributes=[
            pb.Attribute(name=each.name, unit=each.unit, description=each.description)
            for each in model.attributes
        ],
        needs_chords=model.needs_chords,
        size_bytes=model.size_bytes,
        figures=[pb.Figure(name=each.name, value=each.value) for each in model.figures],
        sources=[pb.Source(name=each.name, licence=each.licence) for each in model.sources],
        card=model.card,
    )


def model_from_message(message: pb.Model) -> ModelInfo:
    """Reads what there is to know of a model."""
    return ModelInfo(
        name=message.name,
        version=message.version,
        representation=message.representation,
        bars=message.bars,
        meter=Meter(message.meter.numerator, message.meter.denominator),
        length_steps=message.length_steps,
        latent_size=message.latent_size,
        attributes=tuple(
            AttributeInfo(name=each.name, unit=each.unit, description=each.description)
            for each in message.attributes
        ),
        needs_chords=message.needs_chords,
        size_bytes=message.size_bytes,
        figures=tuple(FigureInfo(name=each.name, value=each.value) for each in message.figures),
        sources=tuple(SourceInfo(name=each.name, licence=each.licence) for each in message.sources),
        card=message.card,
    )
