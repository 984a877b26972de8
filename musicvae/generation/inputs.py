"""Music and latents in the forms that callers give."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

from musicvae.errors import LatentError
from musicvae.generation.replies import Latent
from musicvae.music import midi
from musicvae.music.notes import NoteSequence
from musicvae.problems import check_type

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
        reduce: Whether to leave out notes that the model can't hold; otherwise they are refused.

    Raises:
        SettingError: If `notes` is no music.
        MidiError: If the file is no MIDI file.
        OSError: If the file can't be read.
    """

    notes: NoteSequence
    start_bar: int | None
    reduce: bool

    def __init__(
        self, notes: MusicLike, *, start_bar: int | None = None, reduce: bool = False
    ) -> None:
        check_type("notes", notes, MusicLike, "notes, or the path or the bytes of a MIDI file")
        object.__setattr__(
            self, "notes", notes if isinstance(notes, NoteSequence) else midi.read(notes)
        )
        object.__setattr__(self, "start_bar", start_bar)
        object.__setattr__(self, "reduce", reduce)


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
