"""What comes back from a request: clips, latents, and the models that make them.

The engine in this process and the client of a server return the same values, equal to the last bit
for the same request with the same seed.
"""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from musicvae.errors import LatentError
from musicvae.music import midi
from musicvae.music.notes import Meter, NoteSequence
from musicvae.representation.hits import hits_to_text

Latent: TypeAlias = tuple[float, ...]
"""One point of a model's space; every value is one of float32, so that it travels unchanged."""

SAMPLED = "sample"
DECODED = "decode"
GROOVED = "groove"
GIVEN = "given"
"""How music came about: from a latent that was drawn, from a latent, from a latent for hits that
were given, or not by a model."""


@dataclass(frozen=True, kw_only=True)
class Clip:
    """Music that a model made, with what is needed to make it again.

    Attributes:
        notes: The music.
        latent: The latent that was played.
        method: `SAMPLED` if the latent was drawn from the prior by the seed; `GROOVED` if its
            hits were given and their playing was made; `GIVEN` if no model made it; else `DECODED`.
        seed: Seed of everything that was drawn.
        index: Which clip of the request it is, from 0.
        temperature: Temperature the events were drawn at.
        top_p: Share of the probability they were drawn from.
        model: Name of the model.
        model_version: Version of the model.
        attributes: The measures of its notes by the attribute's name, in the order of the names.
        chords: The chords that the model was given, as `musicvae.music.progressions` writes them;
            None where it takes none.
    """

    notes: NoteSequence
    latent: Latent
    method: str
    seed: int
    index: int
    temperature: float
    top_p: float
    model: str
    model_version: str
    attributes: Mapping[str, float]
    chords: str | None = None

    def provenance(self) -> dict[str, object]:
        """How to make it again, as JSON values, which its MIDI file carries along.

        `musicvae.generation.provenance.request_again` makes a request whose answer is this clip.
        """
        made: dict[str, object] = {
            "method": self.method,
            "model": self.model,
            "model_version": self.model_version,
            "seed": self.seed,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "qpm": self.notes.qpm,
        }
        if self.chords is not None:
            made["chords"] = self.chords
        # A draw from the prior follows from its seed and index, anything else from its latent.
        if self.method == SAMPLED:
            return {**made, "index": self.index}
        if self.method == GROOVED:
            made["hits"] = hits_to_text(self.notes)
        return {**made, "latent": latent_to_text(self.latent)}

    def to_midi(self) -> bytes:
        """The clip as a MIDI file that says how it was made."""
        return midi.write(self.notes, name=self.model, provenance=self.provenance())


@dataclass(frozen=True, kw_only=True)
class Transformed:
    """Music before and after a move along attributes.

    Attributes:
        before: The music given, as the model plays it.
        after: The music after the move, with the same noise.
    """

    before: Clip
    after: Clip


@dataclass(frozen=True, kw_only=True)
class Grooved:
    """Drums before and after they were played.

    Attributes:
        before: What was to be played: hits alone, or taps.
        after: The drums as the model plays them.
    """

    before: Clip
    after: Clip


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """The latent of an excerpt.

    Attributes:
        latent: The posterior's mean, or the draw from it that was asked for.
        mean: The posterior's mean.
        stddev: The posterior's standard deviation.
        notes: The excerpt as the model heard it.
        attributes: The measures of `notes` by the attribute's name, in the order of the names.
        seed: Seed of the draw, or None where nothing was drawn.
        model: Name of the model.
        model_version: Version of the model.
        chords: The chords that it was heard over; see `Clip.chords`.
    """

    latent: Latent
    mean: Latent
    stddev: Latent
    notes: NoteSequence
    attributes: Mapping[str, float]
    seed: int | None
    model: str
    model_version: str
    chords: str | None = None


@dataclass(frozen=True, kw_only=True)
class AttributeInfo:
    """A measure that a model can move music along: its name, unit and meaning."""

    name: str
    unit: str
    description: str


@dataclass(frozen=True, kw_only=True)
class FigureInfo:
    """Something that was measured of a model on music that it was not trained on."""

    name: str
    value: float


@dataclass(frozen=True, kw_only=True)
class SourceInfo:
    """A collection of music, and its licence as stated; empty where none is."""

    name: str
    licence: str


@dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """What a caller wants to know of a model.

    Attributes:
        name: To be given in requests.
        version: A hash of its weights and configuration.
        representation: What kind of music it holds, such as `melody`.
        bars: Number of bars of an excerpt.
        meter: The time signature of its music.
        length_steps: Length of an excerpt in steps.
        latent_size: Number of values of a latent.
        attributes: What its music can be moved along.
        needs_chords: Whether it plays over chords, which requests must then give.
        size_bytes: Size of its weights as they are kept.
        figures: How good it is, in a few figures.
        sources: What it was trained on.
        card: The model card, in Markdown; empty in a list of models.
    """

    name: str
    version: str
    representation: str
    bars: int
    meter: Meter
    length_steps: int
    latent_size: int
    attributes: tuple[AttributeInfo, ...]
    needs_chords: bool
    size_bytes: int
    figures: tuple[FigureInfo, ...]
    sources: tuple[SourceInfo, ...]
    card: str = ""


def latent_to_text(latent: Latent) -> str:
    """Writes a latent as base64 of float32 values, the low byte first."""
    return base64.b64encode(struct.pack(f"<{len(latent)}f", *latent)).decode()


def latent_from_text(text: str) -> Latent:
    """Reads a latent that `latent_to_text` wrote.

    Raises:
        LatentError: If the text is no such latent.
    """
    try:
        data = base64.b64decode(text, validate=True)
        latent = struct.unpack(f"<{len(data) // 4}f", data)
    except (ValueError, struct.error) as error:
        raise _no_latent(f"{text[:20]!r}") from error
    if not all(map(math.isfinite, latent)):
        raise _no_latent("numbers that are not finite")
    return latent


def _no_latent(found: str) -> LatentError:
    return LatentError(
        found,
        expected="a latent as base64 of float32 values",
        action="Copy it from a clip that this program made.",
    )
