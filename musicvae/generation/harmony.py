"""The chords that a model plays over, from the request or from an excerpt."""

from dataclasses import dataclass

import torch

from musicvae.bundle.format import Bundle
from musicvae.errors import SettingError
from musicvae.model.conditions import Conditions, split_streams
from musicvae.music import progressions
from musicvae.music.chords import Chord
from musicvae.music.notes import NoteSequence
from musicvae.representation import Representation


@dataclass(frozen=True, kw_only=True, eq=False)
class Harmony:
    """The chords of an excerpt.

    Attributes:
        chords: The chords on the grid.
        text: The chords as a progression.
        conditions: The chords as a condition of the model, one row.
    """

    chords: tuple[Chord, ...]
    text: str
    conditions: Conditions


def needs_chords(representation: Representation) -> bool:
    """Whether models of a representation have chords as a condition."""
    return any(stream.is_condition for stream in representation.streams)


def harmony_of_text(bundle: Bundle, text: str | None) -> Harmony | None:
    """Reads the chords of a request; None if it has none.

    Raises:
        SettingError: If the model takes no chords, or can't hold the chords.
    """
    if text is None:
        return None
    representation = bundle.representation
    if not needs_chords(representation):
        raise SettingError(
            f"chords for {bundle.name}",
            expected="none: it does not play over chords",
            action="Leave them out, or choose a model that needs chords.",
            field="chords",
        )
    chords = progressions.lay_out(
        progressions.parse(text),
        bars=representation.bars,
        steps_per_bar=representation.steps_per_bar,
    )
    return _harmony(representation, chords)


def harmony_of_excerpt(bundle: Bundle, notes: NoteSequence) -> Harmony | None:
    """The chords of an excerpt that fits the model; None if excerpt or model have no chords."""
    if not notes.chords or not needs_chords(bundle.representation):
        return None
    return _harmony(bundle.representation, notes.chords)


def check_chords(bundle: Bundle, harmony: Harmony | None) -> None:
    """Checks that a model that needs chords has chords.

    Raises:
        SettingError: If chords are missing.
    """
    if harmony is None and needs_chords(bundle.representation):
        raise SettingError(
            "no chords",
            expected=f"the chords that {bundle.name} is to play over",
            action='Give them bar by bar, such as "C | Am | F G7/B | C".',
            field="chords",
        )


def _harmony(representation: Representation, chords: tuple[Chord, ...]) -> Harmony:
    sheet = NoteSequence(
        notes=(),
        length_steps=representation.length_steps,
        meter=representation.meter,
        steps_per_quarter=representation.steps_per_quarter,
        chords=chords,
    )
    events = representation.to_tensor(sheet)
    batch = split_streams(torch.from_numpy(events).long()[None], representation.streams)
    held = representation.to_notes(events).chords
    return Harmony(
        chords=held,
        text=progressions.write(
            held, bars=representation.bars, steps_per_bar=representation.steps_per_bar
        ),
        conditions=batch.conditions,
    )
