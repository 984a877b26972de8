"""The chords that a model plays over: of the request, of an excerpt, inferred or drawn."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int16

from musicvae.bundle.format import Bundle
from musicvae.errors import SettingError
from musicvae.music import progressions
from musicvae.music.chords import QUALITIES, Chord
from musicvae.music.constraint import Constraint
from musicvae.music.harmony import FIRST_NOISE, infer_chords
from musicvae.music.notes import Key, NoteSequence
from musicvae.representation import Representation
from musicvae.representation.streams import generated_streams
from musicvae.runtime.progressions import draw_progressions, over_silence


@dataclass(frozen=True, kw_only=True, eq=False)
class Harmony:
    """The chords of an excerpt.

    Attributes:
        chords: The chords on the grid.
        events: The chords as events of the condition streams.
        bars: The bars of the excerpt.
        steps_per_bar: The length of a bar.
    """

    chords: tuple[Chord, ...]
    events: Int16[np.ndarray, "step stream"]
    bars: int
    steps_per_bar: int

    def text(self, key: Key | None = None) -> str:
        """The chords as a progression, spelled as in a key."""
        return progressions.write(
            self.chords, bars=self.bars, steps_per_bar=self.steps_per_bar, key=key
        )


def takes_chords(representation: Representation) -> bool:
    """Whether models of a representation have chords as a condition."""
    return any(stream.is_condition for stream in representation.streams)


def draws_chords(bundle: Bundle) -> bool:
    """Whether a model that takes chords draws or infers them where none are given."""
    return bundle.networks.draws is not None and bundle.networks.draws.progressions is not None


def harmony_of_text(bundle: Bundle, text: str | None) -> Harmony | None:
    """Reads the chords of a request; None if it has none.

    Raises:
        SettingError: If the model takes no chords, or can't hold the chords.
    """
    if text is None:
        return None
    representation = bundle.representation
    if not takes_chords(representation):
        raise SettingError(
            f"chords for {bundle.name}",
            expected="none: it does not play over chords",
            action="Leave them out, or choose a model that takes chords.",
            field="chords",
        )
    chords = progressions.lay_out(
        progressions.parse(text),
        bars=representation.bars,
        steps_per_bar=representation.steps_per_bar,
    )
    return _harmony(representation, chords)


def harmony_of_excerpt(bundle: Bundle, notes: NoteSequence) -> Harmony | None:
    """The chords of an excerpt that fits the model.

    None if the model takes no chords; or if the excerpt has none, and the model needs them.
    """
    if not takes_chords(bundle.representation) or not (notes.chords or draws_chords(bundle)):
        return None
    return _harmony(bundle.representation, notes.chords)


def with_chords(bundle: Bundle, notes: NoteSequence) -> NoteSequence:
    """Adds the chords that the notes of a whole piece imply, for a model that infers chords.

    Music with chords, or without a note that has a harmony, stays as it is.
    """
    pitched = [note for note in notes.notes if not note.is_drum and note.program < FIRST_NOISE]
    if notes.chords or not pitched or not draws_chords(bundle):
        return notes
    bars = notes.bars
    found = infer_chords(
        np.array([note.start_step for note in pitched]),
        np.array([note.end_step for note in pitched]),
        np.array([note.pitch for note in pitched]),
        bar_steps=np.array([*(bar.start_step for bar in bars), bars[-1].end_step]),
        meter=notes.meter,
        steps_per_quarter=notes.steps_per_quarter,
    )
    names = list(QUALITIES)
    columns = zip(found.steps, found.roots, found.qualities, found.basses, strict=True)
    return replace(
        notes,
        chords=tuple(
            Chord(int(step))
            if root < 0
            else Chord(int(step), int(root), names[quality], None if bass == root else int(bass))
            for step, root, quality, bass in columns
        ),
    )


def draw_harmonies(
    bundle: Bundle,
    representation: Representation,
    *,
    seed: int,
    rows: Sequence[int],
    constraint: Constraint | None,
) -> list[Harmony]:
    """Draws the chords of some rows; none if the model takes no chords.

    Raises:
        SettingError: If the model needs chords.
    """
    if not takes_chords(representation):
        return []
    check_chords(bundle, None)
    assert bundle.networks.draws is not None
    drawn = draw_progressions(
        bundle.networks.draws, representation, seed=seed, rows=rows, constraint=constraint
    )
    return [
        _harmony_of_events(representation, each) for each in over_silence(representation, drawn)
    ]


def check_chords(bundle: Bundle, harmony: Harmony | None) -> None:
    """Checks that a model that needs chords has chords.

    Raises:
        SettingError: If chords are missing.
    """
    if harmony is None and takes_chords(bundle.representation) and not draws_chords(bundle):
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
    return _harmony_of_events(representation, representation.to_tensor(sheet))


def _harmony_of_events(
    representation: Representation, events: Int16[np.ndarray, "step stream"]
) -> Harmony:
    return Harmony(
        chords=representation.to_notes(events).chords,
        events=events[:, len(generated_streams(representation.streams)) :],
        bars=representation.bars,
        steps_per_bar=representation.steps_per_bar,
    )
