"""Messages of the contract to requests: within the limits, and every wrong field told at once.

The other direction, from values to messages, is in `musicvae.rpc.wire`, which clients share.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, TypeVar

from musicvae.generation.requests import (
    DecodeRequest,
    EncodeRequest,
    Excerpt,
    GrooveRequest,
    InterpolateRequest,
    Point,
    SampleRequest,
    TransformRequest,
)
from musicvae.music import midi
from musicvae.music.chords import MOST_CHORDS
from musicvae.music.notes import NoteSequence
from musicvae.problems import Problems
from musicvae.rpc.wire import groove_task_from_message, notes_from_message
from musicvae.v1 import musicvae_pb2 as pb

from .settings import Limits

Request = TypeVar("Request")

_DRAWING = ("seed", "temperature", "top_p", "qpm")
_DRAWING_OVER_CHORDS = (*_DRAWING, "chords")
_SILENCE = NoteSequence(notes=(), length_steps=0)


def sample_request(message: pb.SampleRequest, limits: Limits) -> SampleRequest:
    """Reads what Sample is asked for.

    Raises:
        MusicVAEError: Of the kind and field that is wrong; a `RequestError` if several are.
    """
    problems = Problems()
    _check_format(problems, message.clip_format)
    given = _given(message, "first_index", *_DRAWING_OVER_CHORDS)
    given |= _count(message, problems, limits.max_count)
    return _made(problems, SampleRequest, model=message.model, **given)


def interpolate_request(message: pb.InterpolateRequest, limits: Limits) -> InterpolateRequest:
    """Reads what Interpolate is asked for.

    Raises:
        MusicVAEError: Of the kind and field that is wrong; a `RequestError` if several are.
    """
    problems = Problems()
    _check_most(problems, "points", len(message.points), limits.max_points)
    _check_format(problems, message.clip_format)
    points = _points(message.points[: limits.max_points], problems, limits)
    given = _given(message, *_DRAWING_OVER_CHORDS) | _count(
        message, problems, limits.max_path_count
    )
    return _made(problems, InterpolateRequest, model=message.model, points=points, **given)


def transform_request(message: pb.TransformRequest, limits: Limits) -> TransformRequest:
    """Reads what Transform is asked for.

    Raises:
        MusicVAEError: Of the kind and field that is wrong; a `RequestError` if several are.
    """
    problems = Problems()
    _check_most(problems, "amounts", len(message.amounts), limits.max_amounts)
    _check_format(problems, message.clip_format)
    return _made(
        problems,
        TransformRequest,
        model=message.model,
        point=_point(message.point, problems, "point", limits),
        amounts=dict(islice(message.amounts.items(), limits.max_amounts)),
        **_given(message, *_DRAWING_OVER_CHORDS),
    )


def encode_request(message: pb.EncodeRequest, limits: Limits) -> EncodeRequest:
    """Reads what Encode is asked for.

    Raises:
        MusicVAEError: Of the kind and field that is wrong; a `RequestError` if several are.
    """
    problems = Problems()
    excerpt = _excerpt(message.excerpt, problems, "excerpt", limits)
    given = _given(message, "seed", "chords")
    return _made(problems, EncodeRequest, model=message.model, excerpt=excerpt, **given)


def decode_request(message: pb.DecodeRequest, limits: Limits) -> DecodeRequest:
    """Reads what Decode is asked for.

    Raises:
        MusicVAEError: Of the kind and field that is wrong; a `RequestError` if several are.
    """
    problems = Problems()
    _check_most(problems, "latents", len(message.latents), limits.max_latents)
    _check_format(problems, message.clip_format)
    latents = [tuple(latent.values) for latent in message.latents[: limits.max_latents]]
    given = _given(message, *_DRAWING_OVER_CHORDS)
    return _made(problems, DecodeRequest, model=message.model, latents=latents, **given)


def groove_request(message: pb.GrooveRequest, limits: Limits) -> GrooveRequest:
    """Reads what Groove is asked for.

    Raises:
        MusicVAEError: Of the kind and field that is wrong; a `RequestError` if several are.
    """
    problems = Problems()
    _check_format(problems, message.clip_format)
    given = _given(message, *_DRAWING)
    if message.HasField("onto"):
        given["onto"] = _excerpt(message.onto, problems, "onto", limits)
    return _made(
        problems,
        GrooveRequest,
        model=message.model,
        task=groove_task_from_message(message.task),
        point=_point(message.point, problems, "point", limits),
        **given,
    )


def _given(message: Any, *names: str) -> dict[str, Any]:
    """The fields that the message holds; the others keep the request's own defaults."""
    return {name: getattr(message, name) for name in names if message.HasField(name)}


def _count(message: Any, problems: Problems, most: int) -> dict[str, Any]:
    """The count if it is given and within the limit; past it there is no more to say of it."""
    _check_most(problems, "count", message.count, most)
    return _given(message, "count") if message.count <= most else {}


def _made(problems: Problems, kind: Callable[..., Request], **fields: Any) -> Request:
    """Makes the request, and adds what it finds wrong with itself to what is known already."""
    request = None
    with problems.gather():
        request = kind(**fields)
    problems.raise_all()
    assert request is not None
    return request


def _check_most(problems: Problems, name: str, found: int, most: int) -> None:
    problems.require(found <= most, name, found, f"at most {most}")


def _check_format(problems: Problems, clip_format: int) -> None:
    is_known = clip_format in pb.ClipFormat.values()
    problems.require(is_known, "clip_format", clip_format, "CLIP_FORMAT_MIDI or CLIP_FORMAT_NOTES")


def _points(messages: Sequence[pb.Point], problems: Problems, limits: Limits) -> list[Point]:
    """Reads points for as long as they hold no more notes together than they may."""
    most = limits.max_path_notes
    # Those of a MIDI file are known once it is read.
    notes = sum(len(each.excerpt.notes.notes) for each in messages)
    points: list[Point] = []
    for index, message in enumerate(messages):
        is_read = notes <= most
        path = f"points[{index}]"
        point = _point(message, problems, path, limits) if is_read else Excerpt(notes=_SILENCE)
        if isinstance(point, Excerpt) and message.excerpt.HasField("midi"):
            notes += len(point.notes.notes)
        points.append(point)
    found, expected = f"{notes} notes or more", f"at most {most} notes in all of them together"
    problems.require(notes <= most, "points", found, expected)
    return points


def _point(message: pb.Point, problems: Problems, path: str, limits: Limits) -> Point:
    kind = message.WhichOneof("point")
    problems.require(kind is not None, path, "none", "an excerpt or a latent")
    if kind == "latent":
        return tuple(message.latent.values)
    if kind == "excerpt":
        return _excerpt(message.excerpt, problems, f"{path}.excerpt", limits)
    return Excerpt(notes=_SILENCE)


def _excerpt(message: pb.Excerpt, problems: Problems, path: str, limits: Limits) -> Excerpt:
    """Reads an excerpt; one that is wrong is silence, and the problem is noted."""
    notes = None
    kind = message.WhichOneof("content")
    problems.require(kind is not None, path, "none", "midi or notes")
    if kind == "midi":
        with problems.gather(f"{path}.midi"):
            notes = midi.read(message.midi, limits=limits.midi)
    elif kind == "notes":
        longest = limits.max_length_steps
        before = len(problems)
        _check_most(problems, f"{path}.notes.notes", len(message.notes.notes), limits.max_notes)
        _check_most(problems, f"{path}.notes.chords", len(message.notes.chords), MOST_CHORDS)
        if len(problems) == before:
            notes = notes_from_message(
                message.notes, problems, f"{path}.notes", max_length_steps=longest
            )
    return Excerpt(notes=notes or _SILENCE, reduce=message.reduce, **_given(message, "start_bar"))
