"""Music to latents: excerpts made to fit and encoded, and the points of a request found."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int16
from torch import Tensor

from musicvae.bundle.format import Bundle
from musicvae.errors import LatentError
from musicvae.generation.decoding import one_thread
from musicvae.generation.excerpts import fit
from musicvae.generation.harmony import Harmony, brought_by, check_given
from musicvae.generation.replies import Latent
from musicvae.generation.requests import Excerpt, Point
from musicvae.model import Posterior
from musicvae.model.conditions import split_streams
from musicvae.music.notes import NoteSequence
from musicvae.problems import Problems


@dataclass(frozen=True, kw_only=True, eq=False)
class Heard:
    """An excerpt as the model hears it, and the posterior of its latent.

    Attributes:
        notes: What of it the model can hold.
        posterior: Of its latent, one row.
        harmony: The chords that it was heard over, if the model takes any.
    """

    notes: NoteSequence
    posterior: Posterior
    harmony: Harmony | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Place:
    """A point of the latent space; and the music it came from, if it did."""

    z: Float[Tensor, " latent"]
    heard: Heard | None = None


def hear(bundle: Bundle, excerpt: Excerpt, path: str, harmony: Harmony | None) -> Heard:
    """Encodes an excerpt.

    Args:
        bundle: The model.
        excerpt: The music.
        path: Where it stands in the request, for the errors.
        harmony: The chords of the request; None: those that the excerpt brings.

    Raises:
        RepresentationError: If it can't be held.
        SettingError: If it has no such bar, or no chords where the model needs some.
    """
    representation = bundle.representation
    notes = fit(excerpt, representation, path)
    harmony = harmony or brought_by(bundle, notes)
    check_given(bundle, harmony)
    notes = replace(notes, chords=harmony.chords if harmony else ())
    events = representation.to_tensor(notes)
    return Heard(
        notes=replace(representation.to_notes(events), qpm=notes.qpm, key=notes.key),
        posterior=encode(bundle, events),
        harmony=harmony,
    )


def encode(bundle: Bundle, events: Int16[np.ndarray, "step stream"]) -> Posterior:
    """The posterior of one excerpt's latent: a batch of one."""
    with one_thread(), torch.inference_mode():
        tensor = torch.from_numpy(events).long()[None]
        return bundle.model.encode(split_streams(tensor, bundle.model.streams))


def find(
    bundle: Bundle, point: Point, path: str, harmony: Harmony | None, problems: Problems
) -> Place:
    """The place of a point; one that is wrong is noted, and is nowhere in particular."""
    if not isinstance(point, Excerpt):
        return Place(z=find_latent(bundle, point, f"{path}.latent", problems))
    with problems.gather(f"{path}.excerpt"):
        heard = hear(bundle, point, f"{path}.excerpt", harmony)
        return Place(z=heard.posterior.mean[0], heard=heard)
    return Place(z=torch.zeros(bundle.model.latent_size))


def find_latent(
    bundle: Bundle, values: Latent, path: str, problems: Problems
) -> Float[Tensor, " latent"]:
    """A latent of the model's size; one that is wrong is noted, and is nowhere in particular."""
    size = bundle.model.latent_size
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
