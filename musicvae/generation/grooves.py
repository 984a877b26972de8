"""Drums played as a human would: humanised, made of taps, or with the groove of other drums.

Source: Gillick et al. 2019, Learning to Groove with Inverse Sequence Transformations, section 5.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int, Int16
from torch import Tensor

from musicvae.bundle.format import Bundle
from musicvae.errors import SettingError
from musicvae.generation.excerpts import fit
from musicvae.generation.points import encode, find
from musicvae.generation.requests import HUMANISE, TRANSFER, Excerpt, GrooveRequest
from musicvae.model.event_distribution import UNKNOWN
from musicvae.music.instruments import DRUM_CLASSES
from musicvae.music.notes import Note, NoteSequence
from musicvae.problems import Problems
from musicvae.representation.groove import CLASSES, TAPPED, Groove, hits_alone, taps


@dataclass(frozen=True, kw_only=True, eq=False)
class Playing:
    """What is to be played, and how.

    Attributes:
        z: The latent of the playing.
        before: What it starts from: hits alone, or taps.
        known: The hits that stand, and `UNKNOWN` where the model decides.
        qpm: The tempo of the music that is played.
    """

    z: Float[Tensor, " latent"]
    before: NoteSequence
    known: Int[Tensor, "step stream"] | None
    qpm: float


def prepare(bundle: Bundle, request: GrooveRequest) -> Playing:
    """Finds out what a request wants played.

    Raises:
        SettingError: If the model is of another representation.
        MusicVAEError: If the point or the drums are none of this model; a `RequestError` if both.
    """
    if not isinstance(bundle.representation, Groove):
        raise SettingError(
            f"model {bundle.name!r}, whose music is {bundle.representation.name}",
            expected="a model of the representation groove",
            action="Choose one of those that `musicvae models` (ListModels) says so of.",
            field="model",
        )
    if request.task == TRANSFER:
        return _transfer(bundle, request)
    assert isinstance(request.point, Excerpt)
    if request.task == HUMANISE:
        notes = fit(request.point, bundle.representation, "point.excerpt")
        bare = hits_alone(bundle.representation.to_tensor(notes)[None])[0]
        return _play(bundle, encode(bundle, bare).mean[0], bare, qpm=notes.qpm, keeps_hits=True)
    tapped = replace(request.point, notes=_tap(request.point.notes))
    notes = fit(tapped, bundle.representation, "point.excerpt")
    rhythm = taps(bundle.representation.to_tensor(notes)[None])[0]
    return _play(bundle, encode(bundle, rhythm).mean[0], rhythm, qpm=notes.qpm, keeps_hits=False)


def _transfer(bundle: Bundle, request: GrooveRequest) -> Playing:
    assert request.onto is not None
    problems = Problems()
    place = find(bundle, request.point, "point", None, problems)
    notes = None
    with problems.gather("onto"):
        notes = fit(request.onto, bundle.representation, "onto")
    problems.raise_all()
    assert notes is not None
    bare = hits_alone(bundle.representation.to_tensor(notes)[None])[0]
    return _play(bundle, place.z, bare, qpm=notes.qpm, keeps_hits=True)


def _play(
    bundle: Bundle,
    z: Float[Tensor, " latent"],
    before: Int16[np.ndarray, "step stream"],
    *,
    qpm: float,
    keeps_hits: bool,
) -> Playing:
    known = torch.full(before.shape, UNKNOWN)
    known[:, :CLASSES] = torch.from_numpy(before[:, :CLASSES])
    return Playing(
        z=z,
        before=bundle.representation.to_notes(before),
        known=known if keeps_hits else None,
        qpm=qpm,
    )


def _tap(music: NoteSequence) -> NoteSequence:
    """The onsets of any music as hits of one drum."""
    pitch = DRUM_CLASSES[TAPPED].pitch
    taps_ = [
        Note(
            start_step=note.start_step,
            pitch=pitch,
            end_step=note.start_step + 1,
            velocity=note.velocity,
            is_drum=True,
            offset=note.offset,
        )
        for note in music.notes
    ]
    return replace(music, notes=tuple(sorted(taps_)))
