"""Drums with human timing and loudness: humanised, made from taps, or with another groove.

Source: Gillick et al. 2019, Learning to Groove with Inverse Sequence Transformations, section 5.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int, Int16

from musicvae.bundle.format import Bundle
from musicvae.errors import SettingError
from musicvae.generation.excerpts import fit
from musicvae.generation.inputs import Excerpt
from musicvae.generation.points import encode, resolve
from musicvae.generation.requests import HUMANISE, TRANSFER, GrooveRequest
from musicvae.music.notes import NoteSequence
from musicvae.problems import Problems
from musicvae.representation.kind import Performance
from musicvae.runtime.decoding import UNKNOWN


@dataclass(frozen=True, kw_only=True, eq=False)
class Playing:
    """Drums to play, and the latent to play them with.

    Attributes:
        z: The latent.
        before: The hits or the taps that the model starts from.
        known: The events that the model must keep: the hits, with `UNKNOWN` where it decides. None
            if the model decides all.
        qpm: The tempo of the drums.
    """

    z: Float[np.ndarray, " latent"]
    before: NoteSequence
    known: Int[np.ndarray, "step stream"] | None
    qpm: float


def prepare(bundle: Bundle, request: GrooveRequest) -> Playing:
    """Encodes the drums of a request, and prepares the hits to play.

    Raises:
        SettingError: If the model's music holds no loudness and timing.
        MusicVAEError: If the model can't hold the point or the drums; a `RequestError` if both.
    """
    representation = bundle.representation
    performance = representation.kind.performance
    if performance is None:
        raise SettingError(
            f"model {bundle.name!r}, whose music is {representation.name}",
            expected="a model of the representation groove",
            action="Choose one of those that `musicvae models` (ListModels) says so of.",
            field="model",
        )
    if request.task == TRANSFER:
        return _transfer(bundle, request, performance)
    assert isinstance(request.point, Excerpt)
    if request.task == HUMANISE:
        notes = fit(request.point, representation, "point.excerpt")
        bare = performance.hits_alone(representation.to_tensor(notes)[None])[0]
        return _play(
            bundle,
            encode(bundle, representation, bare).mean[0],
            bare,
            qpm=notes.qpm,
            keeps_hits=True,
        )
    tapped = replace(request.point, notes=performance.tap(request.point.notes))
    notes = fit(tapped, representation, "point.excerpt")
    rhythm = performance.taps(representation.to_tensor(notes)[None])[0]
    return _play(
        bundle,
        encode(bundle, representation, rhythm).mean[0],
        rhythm,
        qpm=notes.qpm,
        keeps_hits=False,
    )


def _transfer(bundle: Bundle, request: GrooveRequest, performance: Performance) -> Playing:
    assert request.onto is not None
    problems = Problems()
    point = resolve(bundle, request.point, "point", None, problems)
    notes = None
    with problems.gather("onto"):
        notes = fit(request.onto, bundle.representation, "onto")
    problems.raise_all()
    assert notes is not None
    bare = performance.hits_alone(bundle.representation.to_tensor(notes)[None])[0]
    return _play(bundle, point.z, bare, qpm=notes.qpm, keeps_hits=True)


def _play(
    bundle: Bundle,
    z: Float[np.ndarray, " latent"],
    before: Int16[np.ndarray, "step stream"],
    *,
    qpm: float,
    keeps_hits: bool,
) -> Playing:
    known = before.astype(np.int64)
    known[:, [stream.is_number for stream in bundle.representation.streams]] = UNKNOWN
    return Playing(
        z=z,
        before=bundle.representation.to_notes(before),
        known=known if keeps_hits else None,
        qpm=qpm,
    )
