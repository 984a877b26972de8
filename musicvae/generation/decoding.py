"""Latents to clips: the model decodes rows in groups, and yields clip after clip.

A row's clip is the same to the last bit, whatever the other rows: the row draws from its own seed,
one thread does the work, and every batch has `GROUP_ROWS` rows, even if fewer are needed.
Matrix products of 1 or 2 rows, or divided among threads, round differently. In batches of one width
a row gave the same result at every index and beside any other rows, for the widths of all presets.
(A layer of only 8 outputs rounded by the row's index.)
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice

import torch
from jaxtyping import Float, Int
from torch import Tensor

from musicvae.bundle.format import Bundle
from musicvae.generation.harmony import Harmony
from musicvae.generation.replies import SAMPLED, Clip
from musicvae.model.conditions import NO_CONDITIONS, join_streams
from musicvae.model.latent.latent import find_repeats
from musicvae.music.notes import NoteSequence

GROUP_ROWS = 8
"""Wider batches gain little on a CPU, and would delay the first clip of a request."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Drawing:
    """The settings of drawing, the same for all clips of a request.

    Attributes:
        method: See `Clip.method`.
        seed: Seed of the request.
        temperature: Divides the logits; 0 takes the likeliest event.
        top_p: Share of the probability that events are drawn from.
        qpm: Tempo of the clips.
        harmony: The chords, if the model needs chords.
        known: The events that the model must keep, see `EventDistribution.sample`; None to draw all
            events.
    """

    method: str
    seed: int
    temperature: float
    top_p: float
    qpm: float
    harmony: Harmony | None = None
    known: Int[Tensor, "step stream"] | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Row:
    """The recipe of one clip.

    Attributes:
        index: Index of the clip in the request.
        z: The latent to decode.
        seed: Seed of its own noise.
    """

    index: int
    z: Float[Tensor, " latent"]
    seed: int


def draw_latent(bundle: Bundle, noise: Float[Tensor, "1 noise"]) -> Float[Tensor, " latent"]:
    """Turns noise into a latent of the prior."""
    with one_thread(), torch.inference_mode():
        z: Tensor = bundle.prior(noise)[0]
    return z


def decode(bundle: Bundle, rows: Iterable[Row], drawing: Drawing) -> Iterator[Clip]:
    """Decodes rows in order; the first clip of a group makes the model decode the whole group."""
    rows = iter(rows)
    while group := list(islice(rows, GROUP_ROWS)):
        yield from _decode_group(bundle, group, drawing)


def make_clip(
    bundle: Bundle,
    notes: NoteSequence,
    drawing: Drawing,
    *,
    z: Float[Tensor, " latent"],
    index: int,
) -> Clip:
    """Makes a clip from notes."""
    return Clip(
        notes=replace(notes, qpm=drawing.qpm),
        latent=tuple(z.tolist()),
        method=drawing.method,
        seed=drawing.seed,
        index=index,
        temperature=drawing.temperature,
        top_p=drawing.top_p,
        model=bundle.name,
        model_version=bundle.version,
        attributes=dict(sorted(bundle.representation.kind.measure(notes).items())),
        chords=drawing.harmony.text if drawing.harmony else None,
    )


def _decode_group(bundle: Bundle, rows: Sequence[Row], drawing: Drawing) -> Iterator[Clip]:
    spare = GROUP_ROWS - len(rows)
    z = torch.stack([*(row.z for row in rows), *[torch.zeros_like(rows[0].z)] * spare])
    # Decoded clips may differ only by their latents: a small move must not change a bar's noise.
    repeats = find_repeats(bundle.model.latent.shares(z)) if drawing.method == SAMPLED else None
    one_row = NO_CONDITIONS if drawing.harmony is None else drawing.harmony.conditions
    conditions = one_row[[0] * GROUP_ROWS]
    known = None if drawing.known is None else drawing.known.expand(GROUP_ROWS, -1, -1)
    with one_thread(), torch.inference_mode():
        events = bundle.model.decode(z, conditions).sample(
            temperature=drawing.temperature,
            top_p=drawing.top_p,
            randomness=[*(row.seed for row in rows), *[0] * spare],
            known=known,
            repeats=repeats,
        )
    for row, excerpt in zip(rows, join_streams(events, conditions).numpy(), strict=False):
        notes = bundle.representation.to_notes(excerpt)
        yield make_clip(bundle, notes, drawing, z=row.z, index=row.index)


@contextmanager
def one_thread() -> Iterator[None]:
    """Limits torch to one thread inside the context."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
