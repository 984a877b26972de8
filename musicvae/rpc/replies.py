"""Replies as messages of the contract and back: clips, latents, models."""

from __future__ import annotations

from musicvae.generation.replies import (
    DECODED,
    GIVEN,
    GROOVED,
    AttributeInfo,
    Clip,
    Encoding,
    FigureInfo,
    Grooved,
    ModelInfo,
    SourceInfo,
    Transformed,
)
from musicvae.generation.requests import TAP_TO_DRUMS
from musicvae.music.notes import Meter, NoteSequence, TimeGrid
from musicvae.problems import Problems
from musicvae.rpc.notes import (
    grid_to_message,
    key_to_message,
    meter_to_message,
    notes_from_message,
    notes_to_message,
)
from musicvae.rpc.sounds import sounds_from_message, sounds_to_message
from musicvae.v1 import musicvae_pb2 as pb


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
        key=key_to_message(clip.notes.key),
        asked=clip.asked,
        constraint_nats=clip.constraint_nats,
        sounds=sounds_to_message(clip.sounds),
        style=clip.style,
    )


def clip_from_message(message: pb.Clip, method: str) -> Clip:
    """Reads a clip of a method (see `Clip.method`) whose music is in notes."""
    return Clip(
        notes=_notes(message.notes),
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
        asked=dict(sorted(message.asked.items())),
        constraint_nats=message.constraint_nats if message.HasField("constraint_nats") else None,
        sounds=sounds_from_message(message.sounds),
        style=message.style if message.HasField("style") else None,
    )


def _chords(message: pb.Clip | pb.EncodeResponse) -> str | None:
    return message.chords if message.HasField("chords") else None


def _attributes(message: pb.Clip | pb.EncodeResponse) -> dict[str, float]:
    """Sorts the measures by name, as the engine does: the order of a map is undefined."""
    return dict(sorted(message.attributes.items()))


def transformed_from_message(message: pb.TransformResponse) -> Transformed:
    """Reads music before and after a move."""
    return Transformed(
        before=clip_from_message(message.before, DECODED),
        after=clip_from_message(message.after, DECODED),
    )


def grooved_from_message(message: pb.GrooveResponse, task: str) -> Grooved:
    """Reads drums before and after they were played for a task."""
    method = DECODED if task == TAP_TO_DRUMS else GROOVED
    return Grooved(
        before=clip_from_message(message.before, GIVEN),
        after=clip_from_message(message.after, method),
    )


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
        sounds=sounds_to_message(encoding.sounds),
    )


def encoding_from_message(message: pb.EncodeResponse) -> Encoding:
    """Reads the latent of an excerpt."""
    return Encoding(
        latent=tuple(message.latent.values),
        mean=tuple(message.mean),
        stddev=tuple(message.stddev),
        notes=_notes(message.notes),
        attributes=_attributes(message),
        seed=message.seed if message.HasField("seed") else None,
        model=message.model,
        model_version=message.model_version,
        chords=_chords(message),
        sounds=sounds_from_message(message.sounds),
    )


def _notes(message: pb.NoteSequence) -> NoteSequence:
    problems = Problems()
    notes = notes_from_message(message, problems, "notes")
    problems.raise_all()
    assert notes is not None
    return notes


def model_to_message(model: ModelInfo) -> pb.Model:
    """Writes the description of a model."""
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
        licence=model.licence,
        styles=model.styles,
        meters=map(meter_to_message, model.meters),
        grids=map(grid_to_message, model.grids),
        takes_chords=model.takes_chords,
        card=model.card,
    )


def model_from_message(message: pb.Model) -> ModelInfo:
    """Reads the description of a model."""
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
        licence=message.licence,
        styles=tuple(message.styles),
        meters=tuple(Meter(each.numerator, each.denominator) for each in message.meters),
        grids=tuple(
            TimeGrid(Meter(each.meter.numerator, each.meter.denominator), each.steps_per_quarter)
            for each in message.grids
        ),
        takes_chords=message.takes_chords,
        card=message.card,
    )
