"""Music to latents: fits and encodes excerpts, and resolves the points of a request."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32, Int16

from musicvae.bundle.format import Bundle
from musicvae.errors import LatentError
from musicvae.generation.excerpts import fit
from musicvae.generation.harmony import Harmony, check_chords, harmony_of_excerpt, with_chords
from musicvae.generation.inputs import Excerpt, LatentLike, PointLike, to_latent
from musicvae.generation.sounds import Sound, find_sounds, set_programs
from musicvae.music.notes import NoteSequence
from musicvae.problems import Problems
from musicvae.representation import Representation
from musicvae.runtime.posterior import GaussianPosterior


@dataclass(frozen=True, kw_only=True, eq=False)
class EncodedExcerpt:
    """An excerpt as the model encoded it, with the posterior of its latent.

    Attributes:
        notes: The part of the excerpt that the model holds, with the excerpt's programs.
        posterior: The posterior of the latent, one row.
        harmony: The chords of the excerpt; None if the model takes no chords.
        sounds: The sound of each line that differs from the sound of the model's draws.
    """

    notes: NoteSequence
    posterior: GaussianPosterior
    harmony: Harmony | None
    sounds: Mapping[str, Sound]


@dataclass(frozen=True, kw_only=True, eq=False)
class ResolvedPoint:
    """A latent, with the excerpt that it came from, if any."""

    z: Float32[np.ndarray, " latent"]
    excerpt: EncodedExcerpt | None = None


def encode_excerpt(
    bundle: Bundle, excerpt: Excerpt, path: str, harmony: Harmony | None
) -> EncodedExcerpt:
    """Encodes an excerpt.

    Args:
        bundle: The model.
        excerpt: The music.
        path: The excerpt's path in the request, for errors.
        harmony: The chords of the request; None to use the excerpt's own, or to infer them.

    Raises:
        RepresentationError: If the model can't hold the excerpt.
        SettingError: If the excerpt has no such bar, or the model needs chords and gets none.
    """
    if harmony is None:
        excerpt = replace(excerpt, notes=with_chords(bundle, excerpt.notes))
    notes = fit(excerpt, bundle.representation, path, bundle.experiment.all_grids)
    representation = bundle.representation.on_grid(notes.grid)
    harmony = harmony or harmony_of_excerpt(bundle, notes)
    check_chords(bundle, harmony)
    notes = replace(notes, chords=harmony.chords if harmony else ())
    events = representation.to_tensor(notes)
    kind, encoded = representation.kind, representation.to_notes(events)
    own = find_sounds(kind, encoded)
    sounds = {
        line: sound
        for line, sound in find_sounds(kind, notes).items()
        if line in own and sound != own[line]
    }
    return EncodedExcerpt(
        notes=replace(set_programs(kind, encoded, sounds), qpm=notes.qpm, key=notes.key),
        posterior=encode(bundle, representation, events),
        harmony=harmony,
        sounds=sounds,
    )


def encode(
    bundle: Bundle, representation: Representation, events: Int16[np.ndarray, "step stream"]
) -> GaussianPosterior:
    """The posterior of one excerpt's latent: a batch of one."""
    return bundle.networks.encode(events[None], representation.grid)


def resolve(
    bundle: Bundle, point: PointLike, path: str, harmony: Harmony | None, problems: Problems
) -> ResolvedPoint:
    """Resolves a point; notes an error and then gives zeros."""
    if not isinstance(point, Excerpt):
        return ResolvedPoint(z=resolve_latent(bundle, point, f"{path}.latent", problems))
    with problems.gather(f"{path}.excerpt"):
        encoded = encode_excerpt(bundle, point, f"{path}.excerpt", harmony)
        return ResolvedPoint(z=encoded.posterior.mean[0], excerpt=encoded)
    return ResolvedPoint(z=np.zeros(bundle.latent_size, np.float32))


def resolve_latent(
    bundle: Bundle, values: LatentLike, path: str, problems: Problems
) -> Float32[np.ndarray, " latent"]:
    """Checks the size of a latent; notes a wrong size and then gives zeros."""
    size = bundle.latent_size
    latent = to_latent(values)
    if len(latent) == size:
        return np.array(latent, np.float32)
    problems.add(
        LatentError(
            f"a latent of {len(latent)} values",
            expected=f"{size} values",
            action="Give a latent that the same model reported.",
            field=path,
        )
    )
    return np.zeros(size, np.float32)
