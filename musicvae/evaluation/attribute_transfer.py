"""Attribute vectors: how far each changes its own attribute, and the others.

Conventions: a change is in per cent of the attribute's mean before, over all excerpts. Rows are the
vectors that are added or subtracted, columns the attributes that are measured. Both before and
after, the measured music is decoded from the posterior's mean with the likeliest events.

Source: Roberts et al. 2018, on attribute vector arithmetic and its figure, on 256 excerpts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int16

from musicvae.evaluation.decoding import encode, play
from musicvae.evaluation.watch import Watch, unwatched
from musicvae.model.vae import MusicVAE
from musicvae.representation import Representation
from musicvae.runtime.moves import shift

EXCERPTS = 256
"""The number in the paper."""


@dataclass(frozen=True, kw_only=True)
class AttributeTransfer:
    """The change of each attribute along each vector.

    Attributes:
        examples: The number of excerpts.
        attributes: The names of rows and columns: the attributes that apply to the representation
            and differ between the excerpts.
        before: The mean of each attribute before.
        added: The changes in per cent when a vector is added once; None where the mean before is 0.
        subtracted: The changes in per cent when a vector is subtracted once.
    """

    examples: int
    attributes: tuple[str, ...]
    before: tuple[float, ...]
    added: tuple[tuple[float | None, ...], ...]
    subtracted: tuple[tuple[float | None, ...], ...]


def transfer(
    model: MusicVAE,
    representation: Representation,
    events: Int16[np.ndarray, "batch step stream"],
    vectors: Mapping[str, Float[np.ndarray, " latent"]],
    *,
    watch: Watch = unwatched,
) -> AttributeTransfer:
    """Adds each vector to the latents of excerpts, subtracts it, and measures the decoded music."""
    means = encode(model, representation, events).mean
    z = means.numpy()
    known = [each.name for each in representation.kind.attributes if each.name in vectors]
    before = _measure(representation, play(model, representation, means, events), known)
    applies = np.ptp(before, axis=0) > 0
    names = [name for name, does in zip(known, applies, strict=True) if does]
    means = before.mean(0)[applies]
    rows = []
    for name in watch(names, "adding and subtracting attributes"):
        moved = [
            play(model, representation, torch.from_numpy(shift(z, vectors[name], amount)), events)
            for amount in (1.0, -1.0)
        ]
        after = [_measure(representation, each, names).mean(0) for each in moved]
        rows.append([_percent(each, means) for each in after])
    return AttributeTransfer(
        examples=len(events),
        attributes=tuple(names),
        before=tuple(means.tolist()),
        added=tuple(row[0] for row in rows),
        subtracted=tuple(row[1] for row in rows),
    )


def _measure(
    representation: Representation,
    events: Int16[np.ndarray, "batch step stream"],
    names: Sequence[str],
) -> Float[np.ndarray, "batch _"]:
    measures = [representation.kind.measure(representation.to_notes(each)) for each in events]
    return np.array([[each[name] for name in names] for each in measures], np.float64)


def _percent(
    after: Float[np.ndarray, " _"], before: Float[np.ndarray, " _"]
) -> tuple[float | None, ...]:
    return tuple(
        100 * (now - then) / then if then else None
        for now, then in zip(after.tolist(), before.tolist(), strict=True)
    )
