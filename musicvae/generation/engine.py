"""Requests to music: the engine that the service, the command line and scripts share.

The same request with the same seed has the same answer to the last bit, whatever other requests the
engine answers (see `decoding`). The engine knows no gRPC.
"""

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from musicvae.bundle.format import Bundle, load
from musicvae.errors import BundleError, ModelNotFoundError, MusicVAEError, SettingError
from musicvae.generation.catalogue import describe, usable_vectors
from musicvae.generation.constraints import asked_of, check_constraint
from musicvae.generation.decoding import (
    EVENTS,
    Drawing,
    Row,
    asked_key,
    decode,
    draw,
    make_clip,
)
from musicvae.generation.grids import find_grid, grid_of_points
from musicvae.generation.grooves import prepare
from musicvae.generation.harmony import Harmony, check_chords, draw_harmonies, harmony_of_text
from musicvae.generation.inputs import Excerpt
from musicvae.generation.points import (
    ResolvedPoint,
    encode_excerpt,
    resolve,
    resolve_latent,
)
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
    check_request,
    constraint_of,
)
from musicvae.generation.sounds import Sound, check_lines
from musicvae.generation.styles import find_style
from musicvae.music.attributes import get_attribute
from musicvae.music.notes import DEFAULT_QPM
from musicvae.problems import Problems, check_type
from musicvae.representation import Representation
from musicvae.runtime.moves import path, shift
from musicvae.runtime.noise import latent_noise, row_seed

_CHOSEN_SEED_BITS = 32
"""A chosen seed fits the integers of every client, JavaScript included."""


class Engine:
    """Answers requests with the bundles it has.

    Args:
        bundles: The models, at least one, each a bundle, a name or a folder; the first is the
            default.

    Raises:
        SettingError: If there is no model, or no list of models.
        BundleError: If a bundle is not found, or two have the same name.
    """

    def __init__(self, bundles: Sequence[Bundle | str | Path]) -> None:
        if isinstance(bundles, str) or not isinstance(bundles, Iterable) or not bundles:
            raise SettingError(
                f"bundles={bundles!r}",
                expected="a list of at least one name, folder or bundle",
                action='Write it like Engine(["melody-2bar"]).',
                field="bundles",
            )
        loaded = [each if isinstance(each, Bundle) else load(each) for each in bundles]
        self._bundles = {bundle.name: bundle for bundle in loaded}
        if len(self._bundles) < len(loaded):
            raise BundleError(
                f"bundles named {', '.join(bundle.name for bundle in loaded)}",
                expected="a different name for each",
                action="Leave out one of the bundles with the same name.",
                field="bundle",
            )

    def sample(self, request: SampleRequest) -> Iterator[Clip]:
        """Draws clips from the prior, each as soon as it is ready.

        Raises:
            ModelNotFoundError: If the model is not loaded.
            SettingError: If chords are missing or refused, or the model does not know the style or
                the grid.
        """
        bundle = self._bundle_for(request)
        representation = find_grid(bundle, request.meter, request.steps_per_quarter)
        harmony = harmony_of_text(bundle, request.chords)
        drawing = _drawing(bundle, request, representation, SAMPLED, request.qpm, harmony)
        drawing = replace(drawing, style=find_style(bundle, request.style))
        # Lazily: the clips of a request may not fit into memory.
        indices = range(request.first_index, request.first_index + request.count)
        yield from draw(bundle, indices, drawing)

    def interpolate(self, request: InterpolateRequest) -> Iterator[Clip]:
        """Morphs from point to point, each clip as soon as it is ready.

        Raises:
            ModelNotFoundError: If the model is not loaded.
            MusicVAEError: If a point does not fit the model, or chords are missing or refused; a
                `RequestError` if several things are wrong.
        """
        bundle = self._bundle_for(request)
        find_grid(bundle, request.meter, request.steps_per_quarter)  # told first, as by a server
        harmony = harmony_of_text(bundle, request.chords)
        problems = Problems()
        points = [
            resolve(bundle, point, f"points[{index}]", harmony, problems)
            for index, point in enumerate(request.points)
        ]
        problems.raise_all()
        paths = {f"points[{index}]": point for index, point in enumerate(points)}
        drawing = _drawing(
            bundle,
            request,
            grid_of_points(bundle, request.meter, request.steps_per_quarter, paths),
            DECODED,
            request.qpm or _tempo(points),
            harmony or _harmony(points),
        )
        drawing = replace(drawing, sounds=_sounds(points))
        z = path(np.stack([point.z for point in points]), request.count)
        yield from decode(bundle, _rows(z, drawing), drawing)

    def transform(self, request: TransformRequest) -> Transformed:
        """Moves music along attributes.

        Raises:
            ModelNotFoundError: If the model is not loaded.
            MusicVAEError: If the point or an attribute does not fit the model, or chords are
                missing or refused; a `RequestError` if several things are wrong.
        """
        bundle = self._bundle_for(request)
        find_grid(bundle, request.meter, request.steps_per_quarter)  # told first, as by a server
        harmony = harmony_of_text(bundle, request.chords)
        problems = Problems()
        point = resolve(bundle, request.point, "point", harmony, problems)
        moved, vectors = point.z[None], usable_vectors(bundle)
        # Sorted by name: sums of floats depend on their order, and the order of a map is undefined.
        for name, amount in sorted(request.amounts.items()):
            with problems.gather(), _about(amount_path(name)):
                vector = vectors[get_attribute(name, vectors).name]
                moved = shift(moved, vector, amount)
        problems.raise_all()
        drawing = _drawing(
            bundle,
            request,
            grid_of_points(bundle, request.meter, request.steps_per_quarter, {"point": point}),
            DECODED,
            request.qpm or _tempo([point]),
            harmony or _harmony([point]),
        )
        drawing = replace(drawing, sounds=_sounds([point]))
        z = np.concatenate([point.z[None], moved])
        before, after = decode(bundle, _rows(z, drawing), drawing)
        return Transformed(before=before, after=after)

    def encode(self, request: EncodeRequest) -> Encoding:
        """Encodes an excerpt.

        Raises:
            ModelNotFoundError: If the model is not loaded.
            RepresentationError: If the model can't hold the excerpt.
            SettingError: If the excerpt has no such bar, or chords are missing or refused.
        """
        bundle = self._bundle_for(request)
        encoded = encode_excerpt(
            bundle, request.excerpt, "excerpt", harmony_of_text(bundle, request.chords)
        )
        posterior = encoded.posterior
        z = posterior.mean[0]
        if request.seed is not None:
            key = row_seed(request.seed, 0, "posterior")
            z = posterior.at(latent_noise(key, [0], bundle.latent_size))[0]
        return Encoding(
            latent=_values(z),
            mean=_values(posterior.mean[0]),
            stddev=_values(posterior.stddev[0]),
            notes=encoded.notes,
            attributes=dict(sorted(bundle.representation.kind.measure(encoded.notes).items())),
            seed=request.seed,
            model=bundle.name,
            model_version=bundle.version,
            chords=encoded.harmony.text() if encoded.harmony else None,
            sounds=encoded.sounds,
        )

    def decode(self, request: DecodeRequest) -> Iterator[Clip]:
        """Decodes latents, each clip as soon as it is ready.

        Raises:
            ModelNotFoundError: If the model is not loaded.
            MusicVAEError: If a latent does not fit the model, or chords are missing or refused; a
                `RequestError` if several things are wrong.
        """
        bundle = self._bundle_for(request)
        representation = find_grid(bundle, request.meter, request.steps_per_quarter)
        harmony = harmony_of_text(bundle, request.chords)
        problems = Problems()
        z = [
            resolve_latent(bundle, latent, f"latents[{index}]", problems)
            for index, latent in enumerate(request.latents)
        ]
        with problems.gather():
            check_lines(bundle.representation.kind, request.sounds, "sounds")
        problems.raise_all()
        drawing = _drawing(bundle, request, representation, DECODED, request.qpm, harmony)
        drawing = replace(drawing, sounds=request.sounds)
        yield from decode(bundle, _rows(np.stack(z), drawing), drawing)

    def groove(self, request: GrooveRequest) -> Grooved:
        """Gives drums the timing and loudness of a human player.

        Raises:
            ModelNotFoundError: If the model is not loaded, or no model is named and none plays
                grooves.
            SettingError: If the model is of another representation.
            MusicVAEError: If the music does not fit the model; a `RequestError` if several things
                are wrong.
        """
        bundle = self._bundle_for(request)
        playing = prepare(bundle, request)
        method = DECODED if playing.known is None else GROOVED
        qpm = request.qpm or playing.qpm
        drawing = _drawing(bundle, request, bundle.representation, method, qpm, None)
        drawing = replace(drawing, known=playing.known)
        given = replace(drawing, method=GIVEN)
        rows = [replace(row, index=1) for row in _rows(playing.z[None], drawing)]
        (after,) = decode(bundle, rows, drawing)
        before = Row(index=0, z=playing.z, seed=drawing.seed)
        return Grooved(before=make_clip(bundle, playing.before, given, before), after=after)

    def model_name(self, request: AnyRequest) -> str:
        """The name of the model that answers a request.

        Raises:
            ModelNotFoundError: If the model is not loaded.
        """
        return self._bundle_for(request).name

    def length_steps(self, request: AnyRequest) -> int:
        """The length of a clip of the request's model, on the grid that is asked for.

        Raises:
            ModelNotFoundError: If the model is not loaded.
            SettingError: If the model does not play the grid.
        """
        bundle = self._bundle_for(request)
        if isinstance(request, EncodeRequest | GrooveRequest):
            return bundle.representation.length_steps
        representation = find_grid(bundle, request.meter, request.steps_per_quarter)
        points = getattr(request, "points", [getattr(request, "point", None)])
        excerpts = [each.notes for each in points if isinstance(each, Excerpt)]
        finest = max((notes.steps_per_quarter for notes in excerpts), default=0)
        return representation.length_steps * max(finest // representation.steps_per_quarter, 1)

    def models(self) -> tuple[ModelInfo, ...]:
        """Lists the models, the default first, without their cards."""
        return tuple(replace(self.model(name), card="") for name in self._bundles)

    def model(self, name: str) -> ModelInfo:
        """Describes one model; an empty name is the default's.

        Raises:
            ModelNotFoundError: If the model is not loaded.
        """
        check_type("name", name, str, "the name of a model")
        return describe(self._bundle(name))

    def _bundle_for(self, request: AnyRequest) -> Bundle:
        check_request(request)
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
    """Names this field in an error raised inside."""
    try:
        yield
    except MusicVAEError as error:
        error.field = path
        raise


def _tempo(points: Sequence[ResolvedPoint]) -> float:
    """The tempo of the first point that is an excerpt."""
    tempos = [point.excerpt.notes.qpm for point in points if point.excerpt is not None]
    return (*tempos, DEFAULT_QPM)[0]


def _harmony(points: Sequence[ResolvedPoint]) -> Harmony | None:
    """The chords of the first point that has chords."""
    harmonies = [point.excerpt.harmony for point in points if point.excerpt is not None]
    return next((each for each in harmonies if each is not None), None)


def _sounds(points: Sequence[ResolvedPoint]) -> Mapping[str, Sound]:
    """The sounds of the first point that is an excerpt."""
    return next((point.excerpt.sounds for point in points if point.excerpt is not None), {})


def _rows(z: Float32[np.ndarray, "batch latent"], drawing: Drawing) -> list[Row]:
    """Rows with the same noise, so that they differ only by their latents."""
    seed, key = row_seed(drawing.seed, 0, EVENTS), asked_key(drawing)
    return [Row(index=index, z=each, seed=seed, key=key) for index, each in enumerate(z)]


def _drawing(
    bundle: Bundle,
    request: DrawingRequest,
    representation: Representation,
    method: str,
    qpm: float,
    harmony: Harmony | None,
) -> Drawing:
    check_chords(bundle, harmony)
    constraint = constraint_of(request)
    asked = asked_of(request)
    check_constraint(bundle, constraint, asked)
    grid, first = representation.grid, bundle.representation.grid
    if grid.meter != first.meter:
        asked["meter"] = str(grid.meter)
    if grid.steps_per_quarter != first.steps_per_quarter:
        asked["steps_per_quarter"] = str(grid.steps_per_quarter)
    seed = secrets.randbits(_CHOSEN_SEED_BITS) if request.seed is None else request.seed
    if harmony is None and method == DECODED:
        # All clips have the chords of the first: they differ only by their latents.
        drawn = draw_harmonies(bundle, representation, seed=seed, rows=[0], constraint=constraint)
        harmony = next(iter(drawn), None)
    return Drawing(
        method=method,
        representation=representation,
        seed=seed,
        temperature=float(request.temperature),
        top_p=float(request.top_p),
        qpm=float(qpm),
        harmony=harmony,
        constraint=constraint,
        asked=asked,
    )


def _values(z: Float32[np.ndarray, " latent"]) -> Latent:
    return tuple(z.tolist())
