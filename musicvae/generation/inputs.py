"""Music and latents in the forms that callers give, and their checks in a request."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

from musicvae.errors import LatentError, SettingError
from musicvae.generation.replies import Latent
from musicvae.music import midi
from musicvae.music.meters import check_steps_per_quarter, parse_meter
from musicvae.music.notes import STEPS_PER_QUARTER, NoteSequence
from musicvae.problems import Problems, check_type, is_whole_within

BARS = range(1, 2**32)
LARGEST_LATENT_VALUE = 1e6  # far outside any prior; keeps every sum of squares finite in float32

MusicLike: TypeAlias = NoteSequence | str | Path | bytes
"""Music: notes, the path of a MIDI file, or its bytes."""


@runtime_checkable
class Array(Protocol):
    """A torch tensor, a numpy array, or alike."""

    def tolist(self) -> Any: ...


LatentLike: TypeAlias = Iterable[float] | Array
"""One latent: a tuple, a list, an array or a tensor of numbers."""


@dataclass(frozen=True, init=False)
class Excerpt:
    """Music, and the part of it to use.

    Attributes:
        notes: The music; may be given as the path or the bytes of a MIDI file.
        start_bar: First bar to use, from 1 by the music's own bar lines; None to use all the music,
            which must then fit the model.
        meter: The meter in which to read the music from the start of that bar on, such as "4/4",
            whatever the music says; None to read it in its own.
        steps_per_quarter: The grid on which to read the music, 4 or 12 steps a quarter note; 12
            holds triplets and swing. None for 4 of a MIDI file, and for the own grid of notes.
        reduce: Whether to leave out notes that the model can't hold; otherwise they are refused.

    Raises:
        SettingError: If `notes` is no music, or is on a finer grid than `steps_per_quarter`.
        MidiError: If the file is no MIDI file.
        OSError: If the file can't be read.
    """

    notes: NoteSequence
    start_bar: int | None
    meter: str | None
    steps_per_quarter: int | None
    reduce: bool

    def __init__(
        self,
        notes: MusicLike,
        *,
        start_bar: int | None = None,
        meter: str | None = None,
        steps_per_quarter: int | None = None,
        reduce: bool = False,
    ) -> None:
        check_type("notes", notes, MusicLike, "notes, or the path or the bytes of a MIDI file")
        object.__setattr__(self, "notes", _read(notes, steps_per_quarter))
        object.__setattr__(self, "start_bar", start_bar)
        object.__setattr__(self, "meter", meter)
        object.__setattr__(self, "steps_per_quarter", steps_per_quarter)
        object.__setattr__(self, "reduce", reduce)


def _read(notes: MusicLike, steps_per_quarter: int | None) -> NoteSequence:
    """Reads music on a grid.

    Raises:
        SettingError: If there is no such grid, or notes are on a finer grid.
    """
    if steps_per_quarter is not None:
        steps_per_quarter = check_steps_per_quarter(steps_per_quarter)
    if not isinstance(notes, NoteSequence):
        return midi.read(notes, steps_per_quarter=steps_per_quarter or STEPS_PER_QUARTER)
    if steps_per_quarter is None:
        return notes
    if steps_per_quarter % notes.steps_per_quarter:
        raise SettingError(
            f"notes on a grid of {notes.steps_per_quarter} to read on {steps_per_quarter} steps a "
            "quarter note",
            expected="notes on that grid or on a coarser one, or a MIDI file",
            action="Leave `steps_per_quarter` out, or give the music as MIDI.",
            field="steps_per_quarter",
        )
    return notes.refine(steps_per_quarter)


Point: TypeAlias = Excerpt | Latent
PointLike: TypeAlias = Excerpt | LatentLike


def to_latent(values: LatentLike) -> Latent:
    """Reads one latent as a tuple.

    Raises:
        LatentError: If the values are no numbers in one row.
    """
    numbers = values.tolist() if isinstance(values, Array) else values
    try:
        return tuple(map(float, numbers))
    except (TypeError, ValueError) as error:
        raise LatentError(
            f"a latent of type {type(values).__name__} ({error})",
            expected="one row of numbers: a tuple, a list, an array or a tensor",
            action="Give the latent of a clip, or a row of Model.encode.",
        ) from error


def read_point(problems: Problems, point: PointLike, path: str) -> Point:
    """Reads a point of a request, and notes its errors."""
    if isinstance(point, Excerpt):
        check_excerpt(problems, point, f"{path}.excerpt")
        return point
    return read_latent(problems, point, f"{path}.latent")


def check_excerpt(problems: Problems, excerpt: Excerpt, path: str) -> None:
    """Notes errors of an excerpt that need no model to be found."""
    bar = excerpt.start_bar
    is_bar = bar is None or is_whole_within(bar, BARS)
    problems.require(is_bar, f"{path}.start_bar", bar, "1 to 2^32 - 1")
    if excerpt.meter is not None:
        with problems.gather():
            _check_meter(excerpt.meter, f"{path}.meter")


def check_grid(problems: Problems, meter: str | None, steps_per_quarter: int | None) -> None:
    """Notes errors of the grid that a request asks for."""
    if meter is not None:
        with problems.gather():
            parse_meter(meter)
    if steps_per_quarter is not None:
        with problems.gather():
            check_steps_per_quarter(steps_per_quarter)


def _check_meter(meter: object, path: str) -> None:
    try:
        check_type("meter", meter, str, "a meter such as 4/4, 3/4 or 6/8")
        parse_meter(str(meter))
    except SettingError as error:
        error.field = path
        raise


def read_latent(problems: Problems, values: LatentLike, path: str) -> Latent:
    """Reads a latent of a request, and notes its errors."""
    latent: Latent = ()
    with problems.gather(path):
        latent = to_latent(values)
    wrong = [value for value in latent if not abs(value) <= LARGEST_LATENT_VALUE]
    if wrong:
        problems.add(
            LatentError(
                f"a value of {wrong[0]}",
                expected=f"finite values of at most {LARGEST_LATENT_VALUE:g} either way",
                action="Give a latent from an earlier reply.",
                field=path,
            )
        )
    return latent
