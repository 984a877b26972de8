"""Replies to requests: clips, latents, and descriptions of models.

For the same request with the same seed, the engine in this process and the client of a server
return values that are equal to the last bit.
"""

from __future__ import annotations

import base64
import io
import math
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from musicvae.errors import LatentError
from musicvae.generation.sounds import Sound
from musicvae.music import midi
from musicvae.music.notes import Meter, NoteSequence, TimeGrid
from musicvae.problems import check_type
from musicvae.representation.hits import hits_to_text

if TYPE_CHECKING:
    import music21
    import pretty_midi

Latent: TypeAlias = tuple[float, ...]
"""A point of a model's latent space; its values are float32, so that transport changes nothing."""

SAMPLED = "sample"
DECODED = "decode"
GROOVED = "groove"
GIVEN = "given"
"""The method that made a clip: a draw from the prior, any latent, a latent and the caller's
hits, or no model."""


@dataclass(frozen=True, kw_only=True, repr=False)
class Clip:
    """Music that a model made, with everything needed to make it again.

    Attributes:
        notes: The music, with its chords if it follows them, see `follows_chords`.
        latent: The latent that was decoded; of new music the mean of its posterior, where the prior
            draws events.
        method: `SAMPLED` if the seed drew new music from the prior; `GROOVED` if the hits were
            given and the model played them; `GIVEN` if no model made the clip; else `DECODED`.
        seed: Seed of all drawing.
        index: Index of the clip in its request, from 0.
        temperature: Temperature of the drawing.
        top_p: Share of the probability that the events were drawn from.
        model: Name of the model.
        model_version: Version of the model.
        attributes: The value of each attribute of its notes, sorted by name.
        chords: The chords that the model was told, as `musicvae.music.progressions` writes them;
            None if the model takes no chords.
        asked: The constraint that its notes keep to, in the words of the request: `key`, `scale`
            and `range`, as far as they were given; and `meter` and `steps_per_quarter`, where they
            are not the model's first.
            The key of a draw stands in `notes.key`.
        constraint_nats: The cost of the constraint: minus the log probability of all music that it
            allows, in nats, step by step along the clip; None without a constraint.
        sounds: The sound of each line that does not sound as the model's draws do: the program and
            the loudness of the excerpt that the clip comes from.
        style: The style that the clip was drawn in; None if it was drawn in no style.
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
    asked: Mapping[str, str] = field(default_factory=dict)
    constraint_nats: float | None = None
    sounds: Mapping[str, Sound] = field(default_factory=dict)
    style: str | None = None

    def provenance(self) -> dict[str, object]:
        """The recipe of the clip as JSON values; its MIDI file contains it.

        `musicvae.generation.provenance.request_again` makes a request whose answer is this clip.
        """
        recipe: dict[str, object] = {
            "method": self.method,
            "model": self.model,
            "model_version": self.model_version,
            "seed": self.seed,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "qpm": self.notes.qpm,
        }
        if self.chords is not None:
            recipe["chords"] = self.chords
        recipe |= self.asked
        if self.sounds:
            recipe["sounds"] = {line: asdict(sound) for line, sound in self.sounds.items()}
        if self.style is not None:
            recipe["style"] = self.style
        # A draw from the prior follows from its seed and index, any other clip from its latent.
        if self.method == SAMPLED:
            return {**recipe, "index": self.index}
        if self.method == GROOVED:
            recipe["hits"] = hits_to_text(self.notes)
        return {**recipe, "latent": latent_to_text(self.latent)}

    def to_midi(self) -> bytes:
        """The clip as a MIDI file with its provenance."""
        return midi.write(self.notes, name=self.model, provenance=self.provenance())

    def save(self, path: str | Path) -> Path:
        """Writes the clip as a MIDI file, over an older file of that name."""
        check_type("path", path, str | Path, "the path of a file")
        path = Path(path)
        path.write_bytes(self.to_midi())
        return path

    def to_pretty_midi(self) -> pretty_midi.PrettyMIDI:
        """The clip as an object of pretty_midi."""
        import pretty_midi  # noqa: PLC0415  # only if it is used

        return pretty_midi.PrettyMIDI(io.BytesIO(self.to_midi()))

    def to_music21(self) -> music21.stream.Score:
        """The clip as a score of music21."""
        import music21  # noqa: PLC0415  # takes seconds

        score = music21.converter.parseData(self.to_midi(), format="midi")
        assert isinstance(score, music21.stream.Score)
        return score

    def show(self) -> None:
        """Shows the clip as a piano roll with sound: in a notebook there, else in a browser."""
        from musicvae.generation.clip_page import show  # noqa: PLC0415  # matplotlib takes long

        show(self)

    def _repr_html_(self) -> str:
        """The clip in a notebook: a piano roll, and a player if there is sound."""
        from musicvae.generation.clip_page import to_html  # noqa: PLC0415  # matplotlib takes long

        return to_html(self)

    def __repr__(self) -> str:
        count = len(self.notes.notes)
        return f"Clip({count} notes, {self.model}, seed {self.seed}, index {self.index})"


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
    """Drums before and after the model played them.

    Attributes:
        before: The model's input: plain hits, or taps.
        after: The drums as the model plays them.
    """

    before: Clip
    after: Clip


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """The latent of an excerpt.

    Attributes:
        latent: The posterior's mean, or a draw from it if the request had a seed.
        mean: The posterior's mean.
        stddev: The posterior's standard deviation.
        notes: The excerpt as the model encoded it.
        attributes: The value of each attribute of `notes`, sorted by name.
        seed: Seed of the draw, or None if nothing was drawn.
        model: Name of the model.
        model_version: Version of the model.
        chords: The chords of the excerpt; see `Clip.chords`.
        sounds: The sounds of the excerpt; see `Clip.sounds`.
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
    sounds: Mapping[str, Sound] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class AttributeInfo:
    """An attribute that a model can change: its name, unit and definition."""

    name: str
    unit: str
    description: str


@dataclass(frozen=True, kw_only=True)
class FigureInfo:
    """A measured quality of a model, on music that it was not trained on."""

    name: str
    value: float


@dataclass(frozen=True, kw_only=True)
class SourceInfo:
    """A collection of music, and its licence; empty if none is stated."""

    name: str
    licence: str


@dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """The description of a model.

    Attributes:
        name: The name that requests give.
        version: A hash of its weights and configuration.
        representation: The kind of its music, such as `melody`.
        bars: Number of bars of an excerpt.
        meter: The time signature of its music, unless a request asks for another.
        meters: All time signatures that the model plays, `meter` first.
        grids: All grids that the model plays, each a meter and steps a quarter note, the first for
            requests that name neither.
        length_steps: Length of an excerpt in steps, on the first grid.
        latent_size: Number of values of a latent.
        attributes: The attributes that the model can change.
        needs_chords: Whether requests to the model need chords.
        takes_chords: Whether requests may have chords. A model that does not need them infers them
            from the music, or draws them.
        styles: The styles that new music can be drawn in; empty if the model knows none.
        size_bytes: Size of its weights on disk.
        figures: A few figures of its quality.
        sources: The collections of music in its training data.
        licence: The licence of its weights; empty if none is stated.
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
    licence: str = ""
    styles: tuple[str, ...] = ()
    meters: tuple[Meter, ...] = ()
    grids: tuple[TimeGrid, ...] = ()
    takes_chords: bool = False
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
        action="Copy it from a clip of this program.",
    )
