"""Requests to music: the engine that the service and the command line share. It knows no gRPC.

The same request with the same seed has the same answer to the last bit, whoever else is asking;
`decoding` says how.
"""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from musicvae import latent as latents
from musicvae.attributes import ATTRIBUTES, measure
from musicvae.bundle import Bundle
from musicvae.clips import (
    DECODED,
    SAMPLED,
    AttributeInfo,
    Clip,
    Encoding,
    Latent,
    ModelInfo,
    Transformed,
)
from musicvae.errors import BundleError, LatentError
from musicvae.notes import DEFAULT_QPM, NoteSequence
from musicvae.problems import Problems
from musicvae.requests import (
    DecodeRequest,
    EncodeRequest,
    Excerpt,
    InterpolateRequest,
    Point,
    SampleRequest,
    TransformRequest,
)

from .decoding import Drawing, Row, decode, one_thread
from .excerpts import fit

_EVENTS = "events"
"""What the noise of decoding is for, among all that a seed is for."""

_CHOSEN_SEED_BITS = 32
"""A seed that we choose fits every client's integers, JavaScript's too."""


class Engine:
    """Answers requests with the bundles it has.

    Args:
        bundles: The models, at least one; the first is the default.

    Raises:
        BundleError: If two have the same name.
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

    def sample(self, request: SampleRequest) -> Iterator[Clip]:
        """Draws clips from the prior, each as it is ready.

        Raises:
            BundleError: If the model is not here.
        """
        bundle = self._bundle(request.model)
        drawing = _drawing(request, SAMPLED, request.qpm)
        size = bundle.model.config.latent_size
        # Each when its turn comes: a request may ask for more than there is memory for.
        rows = (
            Row(
                index=index,
                z=latents.prior(drawing.seed, [index], size)[0],
                seed=latents.row_seed(drawing.seed, index, _EVENTS),
            )
            for index in range(request.first_index, request.first_index + request.count)
        )
        yield from decode(bundle, rows, drawing)

    def interpolate(self, request: InterpolateRequest) -> Iterator[Clip]:
        """Morphs from point to point, each clip as it is ready.

        Raises:
            BundleError: If the model is not here.
            MusicVAEError: If a point is none of this model; a `RequestError` if several are.
        """
        bundle = self._bundle(request.model)
        problems = Problems()
        places = [
            _find(bundle, point, f"points[{index}]", problems)
            for index, point in enumerate(request.points)
        ]
        problems.raise_all()
        tempos = [place.qpm for place in places if place.qpm is not None]
        drawing = _drawing(request, DECODED, request.qpm or (*tempos, DEFAULT_QPM)[0])
        z = latents.path(torch.stack([place.z for place in places]), request.count)
        yield from decode(bundle, _rows(z, drawing), drawing)

    def transform(self, request: TransformRequest) -> Transformed:
        """Moves music along attributes.

        Raises:
            BundleError: If the model is not here.
            MusicVAEError: If the point or an attribute is none of this model; a `RequestError` if
                several are.
        """
        bundle = self._bundle(request.model)
        problems = Problems()
        place = _find(bundle, request.point, "point", problems)
        moved = place.z[None]
        # In the order of their names: sums of floats differ by order, and a map has none.
        for name, amount in sorted(request.amounts.items()):
            with problems.gather(f'amounts["{name}"]'):
                moved = latents.shift(moved, bundle.attribute_vectors, {name: amount})
        problems.raise_all()
        drawing = _drawing(request, DECODED, request.qpm or place.qpm or DEFAULT_QPM)
        z = torch.cat([place.z[None], moved])
        before, after = decode(bundle, _rows(z, drawing), drawing)
        return Transformed(before=before, after=after)

    def encode(self, request: EncodeRequest) -> Encoding:
        """Finds the latent of an excerpt.

        Raises:
            BundleError: If the model is not here.
            RepresentationError: If the excerpt can't be held.
            SettingError: If it has no such bar.
        """
        bundle = self._bundle(request.model)
        heard = _hear(bundle, request.excerpt, "excerpt")
        z = heard.mean
        if request.seed is not None:
            key = latents.row_seed(request.seed, 0, "posterior")
            z = z + heard.stddev * latents.prior(key, [0], len(z))[0]
        return Encoding(
            latent=_values(z),
            mean=_values(heard.mean),
            stddev=_values(heard.stddev),
            notes=heard.notes,
            attributes=dict(sorted(measure(heard.notes).items())),
            seed=request.seed,
            model=bundle.name,
            model_version=bundle.version,
        )

    def decode(self, request: DecodeRequest) -> Iterator[Clip]:
        """Plays latents, each clip as it is ready.

        Raises:
            BundleError: If the model is not here.
            MusicVAEError: If a latent is none of this model; a `RequestError` if several are.
        """
        bundle = self._bundle(request.model)
        problems = Problems()
        size = bundle.model.config.latent_size
        z = [
            _find_latent(latent, size, f"latents[{index}]", problems)
            for index, latent in enumerate(request.latents)
        ]
        problems.raise_all()
        drawing = _drawing(request, DECODED, request.qpm)
        yield from decode(bundle, _rows(torch.stack(z), drawing), drawing)

    def models(self) -> tuple[ModelInfo, ...]:
        """Lists the models, the default first, without their cards."""
        return tuple(replace(self.model(name), card="") for name in self._bundles)

    def model(self, name: str) -> ModelInfo:
        """Describes one model; an empty name is the default's.

        Raises:
            BundleError: If the model is not here.
        """
        bundle = self._bundle(name)
        representation = bundle.representation
        known = [ATTRIBUTES[each] for each in ATTRIBUTES if each in bundle.attribute_vectors]
        return ModelInfo(
            name=bundle.name,
            version=bundle.version,
            representation=representation.name,
            bars=representation.bars,
            meter=representation.meter,
            length_steps=representation.length_steps,
            latent_size=bundle.model.config.latent_size,
            attributes=tuple(
                AttributeInfo(name=each.name, unit=each.unit, description=each.definition)
                for each in known
            ),
            card=bundle.card,
        )

    def _bundle(self, name: str) -> Bundle:
        if name and name not in self._bundles:
            raise BundleError(
                f"no model {name!r}",
                expected=f"one of {', '.join(self._bundles)}",
                action="Choose one of those, or leave the model out for the first.",
                field="model",
            )
        return self._bundles[name] if name else next(iter(self._bundles.values()))


@dataclass(frozen=True, kw_only=True)
class _Heard:
    """An excerpt as the model hears it, and the posterior of its latent."""

    notes: NoteSequence
    mean: Float[Tensor, " latent"]
    stddev: Float[Tensor, " latent"]


@dataclass(frozen=True, kw_only=True)
class _Place:
    """A point of the latent space, and the tempo of the music it came from, if it did."""

    z: Float[Tensor, " latent"]
    qpm: float | None = None


def _hear(bundle: Bundle, excerpt: Excerpt, path: str) -> _Heard:
    representation = bundle.representation
    notes = fit(excerpt, representation, path)
    events = representation.to_tensor(notes)
    with one_thread(), torch.inference_mode():
        posterior = bundle.model.encode(torch.from_numpy(events).long()[None])
    return _Heard(
        notes=replace(representation.to_notes(events), qpm=notes.qpm, key=notes.key),
        mean=posterior.mean[0],
        stddev=posterior.stddev[0],
    )


def _find(bundle: Bundle, point: Point, path: str, problems: Problems) -> _Place:
    """The place of a point; one that is wrong is noted, and is nowhere in particular."""
    size = bundle.model.config.latent_size
    if not isinstance(point, Excerpt):
        return _Place(z=_find_latent(point, size, f"{path}.latent", problems))
    with problems.gather(f"{path}.excerpt"):
        heard = _hear(bundle, point, f"{path}.excerpt")
        return _Place(z=heard.mean, qpm=heard.notes.qpm)
    return _Place(z=torch.zeros(size))


def _find_latent(
    values: Latent, size: int, path: str, problems: Problems
) -> Float[Tensor, " latent"]:
    if len(values) == size:
        return torch.tensor(values, dtype=torch.float32)
    problems.add(
        LatentError(
            f"a latent of {len(values)} values",
            expected=f"{size} values",
            action="Give a latent that the same model reported.",
            field=path,
        )
    )
    return torch.zeros(size)


def _rows(z: Float[Tensor, "batch latent"], drawing: Drawing) -> list[Row]:
    """Rows that all hear the same noise, so that they differ by their latents alone."""
    seed = latents.row_seed(drawing.seed, 0, _EVENTS)
    return [Row(index=index, z=each, seed=seed) for index, each in enumerate(z)]


def _drawing(
    request: SampleRequest | InterpolateRequest | TransformRequest | DecodeRequest,
    method: str,
    qpm: float,
) -> Drawing:
    seed = secrets.randbits(_CHOSEN_SEED_BITS) if request.seed is None else request.seed
    return Drawing(
        method=method,
        seed=seed,
        temperature=request.temperature,
        top_p=request.top_p,
        qpm=qpm,
    )


def _values(z: Float[Tensor, " latent"]) -> Latent:
    return tuple(z.tolist())
