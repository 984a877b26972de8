"""Requests to music: the engine that the service and the command line share. It knows no gRPC.

The same request with the same seed has the same answer to the last bit, whoever else is asking;
`decoding` says how.
"""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from musicvae.bundle.format import Bundle
from musicvae.errors import BundleError, ModelNotFoundError, MusicVAEError
from musicvae.generation.catalogue import describe, usable_vectors
from musicvae.generation.decoding import Drawing, Row, decode, draw_latent, make_clip
from musicvae.generation.grooves import prepare
from musicvae.generation.harmony import Harmony, asked_for, check_given
from musicvae.generation.points import Place, find, find_latent, hear
from musicvae.generation.replies import (
    DECODED,
    GIVEN,
    GROOVED,
    SAMPLED,
    Clip,
    Encoding,
    Grooved,
    Latent,
    ModelInfo,
    Transformed,
)
from musicvae.generation.requests import (
    AnyRequest,
    DecodeRequest,
    DrawingRequest,
    EncodeRequest,
    GrooveRequest,
    InterpolateRequest,
    SampleRequest,
    TransformRequest,
    amount_path,
)
from musicvae.model.latent.moves import shift
from musicvae.model.noise import latent_noise, row_seed
from musicvae.music.attributes import get_attribute
from musicvae.music.notes import DEFAULT_QPM, STEPS_PER_QUARTER
from musicvae.problems import Problems

_EVENTS = "events"
"""What the noise of decoding is for, among all that a seed is for."""

_CHOSEN_SEED_BITS = 32
"""A seed that we choose fits every client's integers, JavaScript's too."""


class Engine:
    """Answers requests with the bundles it has.

    Args:
        bundles: The models, at least one; the first is the default.

    Raises:
        BundleError: If two have the same name, or one is on another grid than requests and replies.
    """

    def __init__(self, bundles: Sequence[Bundle]) -> None:
        assert bundles
        self._bundles = {bundle.name: bundle for bundle in bundles}
        if len(self._bundles) < len(bundles):
            raise BundleError(
                f"bundles named {', '.join(bundle.name for bundle in bundles)}",
                expected="a different name for each",
                action="Serve one of those with the same name.",
                field="bundle",
            )
        for bundle in bundles:
            grid = bundle.representation.steps_per_quarter
            if grid != STEPS_PER_QUARTER:
                raise BundleError(
                    f"bundle {bundle.name} on a grid of {grid} steps a quarter note",
                    expected=f"{STEPS_PER_QUARTER}",
                    action="Prepare its data with --steps-per-quarter "
                    f"{STEPS_PER_QUARTER}, and train it again.",
                    field="bundle",
                )

    def sample(self, request: SampleRequest) -> Iterator[Clip]:
        """Draws clips from the prior, each as it is ready.

        Raises:
            ModelNotFoundError: If the model is not loaded.
            SettingError: If chords are missing, or there are some that it does not take.
        """
        bundle = self._bundle_for(request)
        harmony = asked_for(bundle, request.chords)
        drawing = _drawing(bundle, request, SAMPLED, request.qpm, harmony)
        size = bundle.prior.noise_size

        def draw(index: int) -> Row:
            z = draw_latent(bundle, latent_noise(drawing.seed, [index], size))
            seed = row_seed(drawing.seed, index, _EVENTS)
            return Row(index=index, z=z, seed=seed)

        # Each when its turn comes: a request may ask for more than there is memory for.
        first = request.first_index
        yield from decode(bundle, map(draw, range(first, first + request.count)), drawing)

    def interpolate(self, request: InterpolateRequest) -> Iterator[Clip]:
        """Morphs from point to point, each clip as it is ready.

        Raises:
            ModelNotFoundError: If the model is not loaded.
            MusicVAEError: If a point is none of this model, or chords are missing or too many; a
                `RequestError` if several are wrong.
        """
        bundle = self._bundle_for(request)
        harmony = asked_for(bundle, request.chords)
        problems = Problems()
        places = [
            find(bundle, point, f"points[{index}]", harmony, problems)
            for index, point in enumerate(request.points)
        ]
        problems.raise_all()
        drawing = _drawing(
            bundle, request, DECODED, request.qpm or _tempo(places), harmony or _harmony(places)
        )
        z = bundle.model.latent.path(torch.stack([place.z for place in places]), request.count)
        yield from decode(bundle, _rows(z, drawing), drawing)

    def transform(self, request: TransformRequest) -> Transformed:
        """Moves music along attributes.

        Raises:
            ModelNotFoundError: If the model is not loaded.
            MusicVAEError: If the point or an attribute is none of this model, or chords are missing
                or too many; a `RequestError` if several are wrong.
        """
        bundle = self._bundle_for(request)
        harmony = asked_for(bundle, request.chords)
        problems = Problems()
        place = find(bundle, request.point, "point", harmony, problems)
        moved, vectors = place.z[None], usable_vectors(bundle)
        # In the order of their names: sums of floats differ by order, and a map has none.
        for name, amount in sorted(request.amounts.items()):
            with problems.gather(), _about(amount_path(name)):
                vector = vectors[get_attribute(name, vectors).name]
                moved = shift(moved, vector, amount)
        problems.raise_all()
        drawing = _drawing(
            bundle, request, DECODED, request.qpm or _tempo([place]), harmony or _harmony([place])
        )
        z = torch.cat([place.z[None], moved])
        before, after = decode(bundle, _rows(z, drawing), drawing)
        return Transformed(before=before, after=after)

    def encode(self, request: EncodeRequest) -> Encoding:
        """Finds the latent of an excerpt.

        Raises:
            ModelNotFoundError: If the model is not loaded.
            RepresentationError: If the excerpt can't be held.
            SettingError: If it has no such bar, or chords are missing or too many.
        """
        bundle = self._bundle_for(request)
        heard = hear(bundle, request.excerpt, "excerpt", asked_for(bundle, request.chords))
        z = heard.posterior.mean[0]
        if request.seed is not None:
            key = row_seed(request.seed, 0, "posterior")
            noise = latent_noise(key, [0], heard.posterior.noise_size)
            z = heard.posterior.at(noise)[0]
        return Encoding(
            latent=_values(z),
            mean=_values(heard.posterior.mean[0]),
            stddev=_values(heard.posterior.stddev[0]),
            notes=heard.notes,
            attributes=dict(sorted(bundle.representation.kind.measure(heard.notes).items())),
            seed=request.seed,
            model=bundle.name,
            model_version=bundle.version,
            chords=heard.harmony.text if heard.harmony else None,
        )

    def decode(self, request: DecodeRequest) -> Iterator[Clip]:
        """Plays latents, each clip as it is ready.

        Raises:
            ModelNotFoundError: If the model is not loaded.
            MusicVAEError: If a latent is none of this model, or chords are missing or too many; a
                `RequestError` if several are wrong.
        """
        bundle = self._bundle_for(request)
        harmony = asked_for(bundle, request.chords)
        problems = Problems()
        z = [
            find_latent(bundle, latent, f"latents[{index}]", problems)
            for index, latent in enumerate(request.latents)
        ]
        problems.raise_all()
        drawing = _drawing(bundle, request, DECODED, request.qpm, harmony)
        yield from decode(bundle, _rows(torch.stack(z), drawing), drawing)

    def groove(self, request: GrooveRequest) -> Grooved:
        """Plays drums as a human would.

        Raises:
            ModelNotFoundError: If the model is not loaded, or none is named and none is of grooves.
            SettingError: If the model is of another representation.
            MusicVAEError: If the music is none of this model; a `RequestError` if several are.
        """
        bundle = self._bundle_for(request)
        playing = prepare(bundle, request)
        method = DECODED if playing.known is None else GROOVED
        drawing = _drawing(bundle, request, method, request.qpm or playing.qpm, None)
        drawing = replace(drawing, known=playing.known)
        given = replace(drawing, method=GIVEN)
        rows = [replace(row, index=1) for row in _rows(playing.z[None], drawing)]
        (after,) = decode(bundle, rows, drawing)
        return Grooved(
            before=make_clip(bundle, playing.before, given, z=playing.z, index=0), after=after
        )

    def length_steps(self, request: AnyRequest) -> int:
        """The length of a clip of the model that is asked.

        Raises:
            ModelNotFoundError: If the model is not loaded.
        """
        return self._bundle_for(request).representation.length_steps

    def models(self) -> tuple[ModelInfo, ...]:
        """Lists the models, the default first, without their cards."""
        return tuple(replace(self.model(name), card="") for name in self._bundles)

    def model(self, name: str) -> ModelInfo:
        """Describes one model; an empty name is the default's.

        Raises:
            ModelNotFoundError: If the model is not loaded.
        """
        return describe(self._bundle(name))

    def _bundle_for(self, request: AnyRequest) -> Bundle:
        if request.model or not isinstance(request, GrooveRequest):
            return self._bundle(request.model)
        for bundle in self._bundles.values():
            if bundle.representation.kind.performance is not None:
                return bundle
        raise ModelNotFoundError(
            f"no model of grooves among {', '.join(self._bundles)}",
            expected="one of the representation groove",
            action="Name or serve one, such as groove-2bar.",
            field="model",
        )

    def _bundle(self, name: str) -> Bundle:
        if name and name not in self._bundles:
            raise ModelNotFoundError(
                f"no model {name!r}",
                expected=f"one of {', '.join(self._bundles)}",
                action="Choose one of those, or leave the model out for the first.",
                field="model",
            )
        return self._bundles[name] if name else next(iter(self._bundles.values()))


@contextmanager
def _about(path: str) -> Iterator[None]:
    """Says of an error that it concerns this field, and no wider one."""
    try:
        yield
    except MusicVAEError as error:
        error.field = path
        raise


def _tempo(places: Sequence[Place]) -> float:
    """That of the first place that is music."""
    tempos = [place.heard.notes.qpm for place in places if place.heard is not None]
    return (*tempos, DEFAULT_QPM)[0]


def _harmony(places: Sequence[Place]) -> Harmony | None:
    """That of the first place that has chords."""
    harmonies = [place.heard.harmony for place in places if place.heard is not None]
    return next((each for each in harmonies if each is not None), None)


def _rows(z: Float[Tensor, "batch latent"], drawing: Drawing) -> list[Row]:
    """Rows that all hear the same noise, so that they differ by their latents alone."""
    seed = row_seed(drawing.seed, 0, _EVENTS)
    return [Row(index=index, z=each, seed=seed) for index, each in enumerate(z)]


def _drawing(
    bundle: Bundle, request: DrawingRequest, method: str, qpm: float, harmony: Harmony | None
) -> Drawing:
    check_given(bundle, harmony)
    seed = secrets.randbits(_CHOSEN_SEED_BITS) if request.seed is None else request.seed
    return Drawing(
        method=method,
        seed=seed,
        temperature=request.temperature,
        top_p=request.top_p,
        qpm=qpm,
        harmony=harmony,
    )


def _values(z: Float[Tensor, " latent"]) -> Latent:
    return tuple(z.tolist())
