"""Requests as messages of the contract and back.

Reading checks a message against the limits and gathers every wrong field. Errors name fields,
values and limits of the contract, since the caller sees nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from itertools import islice
from typing import Any, TypeVar

from musicvae.errors import SettingError
from musicvae.generation.inputs import Excerpt, Point
from musicvae.generation.replies import Latent
from musicvae.generation.requests import (
    HIGHEST_QPM,
    HUMANISE,
    LOWEST_QPM,
    TAP_TO_DRUMS,
    TRANSFER,
    AnyRequest,
    DecodeRequest,
    EncodeRequest,
    GrooveRequest,
    InterpolateRequest,
    SampleRequest,
    TransformRequest,
    check_request,
)
from musicvae.music import midi
from musicvae.music.chords import MOST_CHORDS
from musicvae.music.notes import STEPS_PER_QUARTER, NoteSequence
from musicvae.problems import Problems
from musicvae.rpc.limits import Limits
from musicvae.rpc.notes import notes_from_message, notes_to_message, read_steps
from musicvae.rpc.sounds import sounds_from_message, sounds_to_message
from musicvae.v1 import musicvae_pb2 as pb

Request = TypeVar("Request")

_TASKS = {
    HUMANISE: pb.GROOVE_TASK_HUMANISE,
    TAP_TO_DRUMS: pb.GROOVE_TASK_TAP_TO_DRUMS,
    TRANSFER: pb.GROOVE_TASK_TRANSFER,
}
_DRAWING = ("seed", "temperature", "top_p", "qpm")
_DRAWING_OVER_CHORDS = (*_DRAWING, "chords", "key", "scale", "range", "meter", "steps_per_quarter")
_SILENCE = NoteSequence(notes=(), length_steps=0)


# Writing


def request_to_message(request: AnyRequest) -> Any:
    """Writes a request, whose fields have the names of the message's; clips travel as notes."""
    check_request(request)
    given = {each.name: getattr(request, each.name) for each in fields(request)}
    given |= {name: _WRITERS[name](value) for name, value in given.items() if name in _WRITERS}
    if not isinstance(request, EncodeRequest):
        given["clip_format"] = pb.CLIP_FORMAT_NOTES
    return getattr(pb, type(request).__name__)(**given)


def _latent_to_message(latent: Latent) -> pb.Latent:
    return pb.Latent(values=latent)


def _point_to_message(point: Point) -> pb.Point:
    if isinstance(point, Excerpt):
        return pb.Point(excerpt=_excerpt_to_message(point))
    return pb.Point(latent=_latent_to_message(point))


def _excerpt_to_message(excerpt: Excerpt | None) -> pb.Excerpt | None:
    if excerpt is None:
        return None
    # A MIDI file may have any tempo; the contract has those of clips, and the nearest one counts.
    qpm = min(max(excerpt.notes.qpm, LOWEST_QPM), HIGHEST_QPM)
    return pb.Excerpt(
        notes=notes_to_message(replace(excerpt.notes, qpm=qpm)),
        start_bar=excerpt.start_bar,
        meter=excerpt.meter,
        steps_per_quarter=excerpt.steps_per_quarter,
        reduce=excerpt.reduce,
    )


_WRITERS: dict[str, Callable[[Any], Any]] = {
    "points": lambda points: list(map(_point_to_message, points)),
    "point": _point_to_message,
    "excerpt": _excerpt_to_message,
    "onto": _excerpt_to_message,
    "latents": lambda latents: list(map(_latent_to_message, latents)),
    "task": _TASKS.__getitem__,
    "sounds": sounds_to_message,
}
"""The fields that are messages themselves, by name."""


# Reading


def sample_request(message: pb.SampleRequest, limits: Limits) -> SampleRequest:
    """Reads a request of Sample.

    Raises:
        MusicVAEError: The error of the wrong field; a `RequestError` if several are wrong.
    """
    problems = Problems()
    _check_format(problems, message.clip_format)
    given = _given(message, "first_index", "style", *_DRAWING_OVER_CHORDS)
    given |= _count(message, problems, 1, limits.max_count)
    return _make(problems, SampleRequest, model=message.model, **given)


def interpolate_request(message: pb.InterpolateRequest, limits: Limits) -> InterpolateRequest:
    """Reads a request of Interpolate.

    Raises:
        MusicVAEError: The error of the wrong field; a `RequestError` if several are wrong.
    """
    problems = Problems()
    _check_number(problems, "points", len(message.points), 2, limits.max_points)
    _check_format(problems, message.clip_format)
    points = _points(message.points[: limits.max_points], problems, limits)
    given = _given(message, *_DRAWING_OVER_CHORDS)
    given |= _count(message, problems, 2, limits.max_path_count)
    return _make(problems, InterpolateRequest, model=message.model, points=points, **given)


def transform_request(message: pb.TransformRequest, limits: Limits) -> TransformRequest:
    """Reads a request of Transform.

    Raises:
        MusicVAEError: The error of the wrong field; a `RequestError` if several are wrong.
    """
    problems = Problems()
    _check_number(problems, "amounts", len(message.amounts), 1, limits.max_amounts)
    _check_format(problems, message.clip_format)
    return _make(
        problems,
        TransformRequest,
        model=message.model,
        point=_point(message.point, problems, "point", limits),
        amounts=dict(islice(message.amounts.items(), limits.max_amounts)),
        **_given(message, *_DRAWING_OVER_CHORDS),
    )


def encode_request(message: pb.EncodeRequest, limits: Limits) -> EncodeRequest:
    """Reads a request of Encode.

    Raises:
        MusicVAEError: The error of the wrong field; a `RequestError` if several are wrong.
    """
    problems = Problems()
    excerpt = _excerpt(message.excerpt, problems, "excerpt", limits)
    given = _given(message, "seed", "chords")
    return _make(problems, EncodeRequest, model=message.model, excerpt=excerpt, **given)


def decode_request(message: pb.DecodeRequest, limits: Limits) -> DecodeRequest:
    """Reads a request of Decode.

    Raises:
        MusicVAEError: The error of the wrong field; a `RequestError` if several are wrong.
    """
    problems = Problems()
    _check_number(problems, "latents", len(message.latents), 1, limits.max_latents)
    _check_format(problems, message.clip_format)
    latents = [tuple(latent.values) for latent in message.latents[: limits.max_latents]]
    given = _given(message, *_DRAWING_OVER_CHORDS)
    given["sounds"] = sounds_from_message(message.sounds)
    return _make(problems, DecodeRequest, model=message.model, latents=latents, **given)


def groove_request(message: pb.GrooveRequest, limits: Limits) -> GrooveRequest:
    """Reads a request of Groove.

    Raises:
        MusicVAEError: The error of the wrong field; a `RequestError` if several are wrong.
    """
    problems = Problems()
    _check_format(problems, message.clip_format)
    given = _given(message, *_DRAWING)
    if message.HasField("onto"):
        given["onto"] = _excerpt(message.onto, problems, "onto", limits)
    return _make(
        problems,
        GrooveRequest,
        model=message.model,
        task=_task(message, problems),
        point=_point(message.point, problems, "point", limits),
        **given,
    )


def _task(message: pb.GrooveRequest, problems: Problems) -> str:
    """The task; after noting a wrong task the task that fits the other fields."""
    for task, number in _TASKS.items():
        if message.task == number:
            return task
    names = {number: name for name, number in pb.GrooveTask.items()}
    found = names.get(message.task, message.task)
    problems.require(False, "task", found, ", ".join(map(pb.GrooveTask.Name, _TASKS.values())))
    has_transfer = message.HasField("onto") or message.point.WhichOneof("point") == "latent"
    return TRANSFER if has_transfer else HUMANISE


def _given(message: Any, *names: str) -> dict[str, Any]:
    """The fields that the message holds; a missing field keeps the request's default."""
    return {name: getattr(message, name) for name in names if message.HasField(name)}


def _count(message: Any, problems: Problems, least: int, most: int) -> dict[str, Any]:
    """The count, if the message holds a right one."""
    given = _given(message, "count")
    before = len(problems)
    _check_number(problems, "count", given.get("count", least), least, most)
    return given if len(problems) == before else {}


def _make(problems: Problems, kind: Callable[..., Request], **fields: Any) -> Request:
    """Makes the request, and adds its own complaints to the problems."""
    request = None
    with problems.gather():
        request = kind(**fields)
    problems.raise_all()
    assert request is not None
    return request


def _check_number(problems: Problems, name: str, found: int, least: int, most: int) -> None:
    problems.require(least <= found <= most, name, found, f"{least} to {most}")


def _check_format(problems: Problems, clip_format: int) -> None:
    is_known = clip_format in pb.ClipFormat.values()
    problems.require(is_known, "clip_format", clip_format, "CLIP_FORMAT_MIDI or CLIP_FORMAT_NOTES")


def _points(messages: Sequence[pb.Point], problems: Problems, limits: Limits) -> list[Point]:
    """Reads points until they hold more notes together than allowed."""
    most = limits.max_path_notes
    # The notes of a MIDI file are counted once it is read.
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
    """Reads an excerpt; notes what is wrong and then gives silence."""
    notes = None
    kind = message.WhichOneof("content")
    problems.require(kind is not None, path, "none", "midi or notes")
    steps = read_steps(message, problems, path)
    if kind == "midi":
        with problems.gather(f"{path}.midi"):
            notes = midi.read(
                message.midi, limits=limits.midi, steps_per_quarter=steps or STEPS_PER_QUARTER
            )
    elif kind == "notes":
        before = len(problems)
        sizes = {
            "notes": (len(message.notes.notes), limits.max_notes),
            "chords": (len(message.notes.chords), MOST_CHORDS),
            "bar_changes": (len(message.notes.bar_changes), limits.max_bar_changes),
        }
        for name, (found, most) in sizes.items():
            problems.require(found <= most, f"{path}.notes.{name}", found, f"at most {most}")
        if len(problems) == before:
            notes = notes_from_message(
                message.notes,
                problems,
                f"{path}.notes",
                max_length_quarters=limits.max_length_quarters,
            )
    given = _given(message, "start_bar", "meter")
    with problems.gather():
        try:
            return Excerpt(
                notes=notes or _SILENCE, reduce=message.reduce, steps_per_quarter=steps, **given
            )
        except SettingError as error:
            error.field = f"{path}.steps_per_quarter"
            raise
    return Excerpt(notes=_SILENCE)
