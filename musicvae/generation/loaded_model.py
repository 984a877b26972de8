"""A loaded model with its methods on plain values: what `musicvae.load` returns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias, TypedDict, Unpack

import numpy as np
from jaxtyping import Float32

from musicvae.bundle.format import Bundle
from musicvae.bundle.format import load as load_bundle
from musicvae.errors import SettingError
from musicvae.generation.engine import Engine
from musicvae.generation.inputs import Array, Excerpt, LatentLike, MusicLike, PointLike
from musicvae.generation.replies import Clip, Grooved, ModelInfo, Transformed
from musicvae.generation.requests import (
    DEFAULT_CLIPS_A_LEG,
    HUMANISE,
    DecodeRequest,
    EncodeRequest,
    GrooveRequest,
    InterpolateRequest,
    SampleRequest,
    TransformRequest,
)
from musicvae.generation.sounds import Sound
from musicvae.problems import check_type

Music: TypeAlias = MusicLike | Excerpt | Clip
"""Music: notes, the path or the bytes of a MIDI file, an excerpt of them, or a clip."""


class GrooveSettings(TypedDict, total=False):
    """The settings of drawing; the requests document ranges and defaults."""

    seed: int | None
    temperature: float
    top_p: float
    qpm: float


class DrawingSettings(GrooveSettings, total=False):
    """The settings of drawing, with chords, what the notes keep to, and the grid."""

    chords: str | None
    key: str | None
    scale: str | None
    range: str | None
    meter: str | None
    steps_per_quarter: int | None


class Model:
    """A model in this process.

    Every method takes the settings of its request: `seed`, `temperature`, `top_p`, `qpm`, `chords`
    for a model that takes chords, and `key`, `scale` and `range`, which all notes keep to. A point
    is music or a latent.

    Attributes:
        bundle: The loaded bundle.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self._engine = Engine([bundle])

    @property
    def info(self) -> ModelInfo:
        """Its name, length, attributes, figures and card."""
        return self._engine.model("")

    def sample(
        self,
        count: int = 1,
        *,
        first_index: int = 0,
        style: str | None = None,
        **how: Unpack[DrawingSettings],
    ) -> list[Clip]:
        """Draws clips from the prior, in a style of `info.styles` if one is given."""
        request = SampleRequest(count=count, first_index=first_index, style=style, **how)
        return list(self._engine.sample(request))

    def interpolate(
        self,
        points: Sequence[Music | LatentLike],
        count: int = DEFAULT_CLIPS_A_LEG,
        **how: Unpack[DrawingSettings],
    ) -> list[Clip]:
        """Morphs from point to point, with `count` clips from each point to the next."""
        check_type("points", points, Iterable, "a list of music or latents")
        how = self._like_clips(points, how)
        path = [self._point(point) for point in points]
        return list(self._engine.interpolate(InterpolateRequest(points=path, count=count, **how)))

    def transform(
        self,
        point: Music | LatentLike,
        amounts: Mapping[str, float],
        **how: Unpack[DrawingSettings],
    ) -> Transformed:
        """Moves a point along attributes, such as `{"note_density": 1.0}`."""
        how = self._like_clips([point], how)
        request = TransformRequest(point=self._point(point), amounts=amounts, **how)
        return self._engine.transform(request)

    def encode(
        self,
        music: Music | Sequence[Music],
        *,
        seed: int | None = None,
        chords: str | None = None,
    ) -> Float32[np.ndarray, "*batch latent"]:
        """Encodes music to its latent, or a list of music to one latent a row.

        A latent is the posterior's mean, or with a seed a draw from the posterior.
        """
        check_type("music", music, Music | Iterable, "music, or a list of music")
        if not isinstance(music, Music):
            if not music:
                return np.zeros((0, self.bundle.latent_size), np.float32)
            return np.stack([self.encode(each, seed=seed, chords=chords) for each in music])
        request = EncodeRequest(excerpt=_excerpt(music), seed=seed, chords=chords)
        return np.array(self._engine.encode(request).latent, np.float32)

    def decode(
        self,
        z: LatentLike | Sequence[LatentLike],
        *,
        sounds: Mapping[str, Sound] = MappingProxyType({}),
        **how: Unpack[DrawingSettings],
    ) -> list[Clip]:
        """Decodes one latent or a batch of latents, one clip a latent.

        `sounds` gives a line its program and loudness, such as `{"melody": Sound(program=40)}`.
        """
        check_type("z", z, Iterable | Array, "a latent, or a list of latents")
        rows: list[Any] = z.tolist() if isinstance(z, Array) else list(z)
        is_batch = any(isinstance(row, Sequence | Array) for row in rows)
        request = DecodeRequest(latents=rows if is_batch else [rows], sounds=sounds, **how)
        return list(self._engine.decode(request))

    def groove(
        self,
        point: Music | LatentLike,
        task: str = HUMANISE,
        *,
        onto: Music | None = None,
        **how: Unpack[GrooveSettings],
    ) -> Grooved:
        """Gives drums human timing and loudness: `humanise`, `tap-to-drums` or `transfer`."""
        drums = None if onto is None else _excerpt(onto)
        request = GrooveRequest(task=task, point=self._point(point), onto=drums, **how)
        return self._engine.groove(request)

    def _made(self, clip: Clip) -> bool:
        return clip.model_version == self.bundle.version

    def _like_clips(
        self, points: Iterable[Music | LatentLike], how: DrawingSettings
    ) -> DrawingSettings:
        """Adds the grid and the chords of own clips, which their latents do not tell.

        The chords are those of the first clip.

        Raises:
            SettingError: If the clips have several grids.
        """
        own = [each for each in points if isinstance(each, Clip) and self._made(each)]
        grids = list(dict.fromkeys(each.notes.grid for each in own))
        if len(grids) > 1:
            raise SettingError(
                f"clips in {' and '.join(map(str, grids))}",
                expected="clips on one grid",
                action="Choose clips of one meter and one grid, or give them as an `Excerpt` with "
                "`meter` and `steps_per_quarter`.",
                field="points",
            )
        if not grids:
            return how
        filled = how.copy()
        if how.get("chords") is None:
            filled["chords"] = own[0].chords
        if how.get("meter") is None:
            filled["meter"] = str(grids[0].meter)
        if how.get("steps_per_quarter") is None:
            filled["steps_per_quarter"] = grids[0].steps_per_quarter
        return filled

    def _point(self, point: Music | LatentLike) -> PointLike:
        if isinstance(point, Clip) and self._made(point):
            return point.latent
        return _excerpt(point) if isinstance(point, Music) else point


def load(name_or_path: str | Path) -> Model:
    """Loads a model that ships with the package by its name, or any bundle by its folder.

    Raises:
        ModelNotFoundError: If there is no such bundle.
        BundleError: If the bundle is damaged, or of another version.
    """
    return Model(load_bundle(name_or_path))


def _excerpt(music: Music) -> Excerpt:
    if isinstance(music, Excerpt):
        return music
    return Excerpt(music.notes if isinstance(music, Clip) else music)
