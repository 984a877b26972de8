"""Draws new music, and decodes latents: both in groups of rows, clip after clip.

New music of a prior over events is what the prior draws; its latent is the mean of its posterior.
Any other prior draws a latent, which is decoded.

A row's clip is the same to the last bit, whatever the other rows: the row draws from its own seed,
one thread does the work, and every batch has `GROUP_ROWS` rows, even if fewer are needed.
Matrix products of 1 or 2 rows, or divided among threads, round differently. In batches of one width
a row gave the same result at every index and beside any other rows, for the widths of all presets.
(A layer of only 8 outputs rounded by the row's index.)
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np
import torch
from jaxtyping import Float, Int, Int16
from torch import Tensor

from musicvae.bundle.format import Bundle
from musicvae.generation.harmony import Harmony, draw_harmonies
from musicvae.generation.playing import play
from musicvae.generation.replies import Clip
from musicvae.generation.sounds import Sound
from musicvae.model import Conditions, EventPrior
from musicvae.model.conditions import join_streams
from musicvae.model.draws import draw_music, mask_of
from musicvae.model.latent.latent import Prior
from musicvae.model.noise import latent_noise, row_seed
from musicvae.music.constraint import Constraint
from musicvae.music.notes import Key, NoteSequence
from musicvae.representation import Representation
from musicvae.representation.key_relative import UNKNOWN_TONIC

EVENTS = "events"
"""Names the noise of decoding, which a seed draws apart from its other noise."""

GROUP_ROWS = 8
"""Wider batches gain little on a CPU, and would delay the first clip of a request."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Drawing:
    """The settings of drawing, the same for all clips of a request.

    Attributes:
        method: See `Clip.method`.
        representation: The model's representation on the grid of the clips.
        seed: Seed of the request.
        temperature: Divides the logits; 0 takes the likeliest event. For new music see
            `draw_music`.
        top_p: Share of the probability that events are drawn from.
        qpm: Tempo of the clips.
        harmony: The chords of all clips; None if each row has its own, or the model takes none.
        known: The events that the model must keep, see `EventDistribution.sample`; None to draw all
            events.
        constraint: The key, scale or range that every note keeps to; None if none is asked for.
        asked: See `Clip.asked`.
        sounds: See `Clip.sounds`.
        style: The number of the style that is asked for, see `Conditions.styles`; None if none is.
    """

    method: str
    representation: Representation
    seed: int
    temperature: float
    top_p: float
    qpm: float
    harmony: Harmony | None = None
    known: Int[Tensor, "step stream"] | None = None
    constraint: Constraint | None = None
    asked: Mapping[str, str] = field(default_factory=dict)
    sounds: Mapping[str, Sound] = field(default_factory=dict)
    style: int | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Row:
    """The recipe of one clip.

    Attributes:
        index: Index of the clip in the request.
        z: The latent.
        seed: Seed of its own noise.
        key: The key that the clip was drawn in; None if no key was asked for or drawn.
        style: The style that the clip was drawn in; None if it was drawn in no style.
        harmony: The chords that were drawn for the clip; None if no chords were drawn.
    """

    index: int
    z: Float[Tensor, " latent"]
    seed: int
    key: Key | None = None
    style: str | None = None
    harmony: Harmony | None = None


def draw(bundle: Bundle, indices: Sequence[int], drawing: Drawing) -> Iterator[Clip]:
    """Draws new music; the first clip of a group makes the prior draw the whole group."""
    prior = bundle.prior
    for first in range(0, len(indices), GROUP_ROWS):
        group = indices[first : first + GROUP_ROWS]
        if isinstance(prior, EventPrior):
            yield from _draw_group(bundle, prior, group, drawing)
        else:
            yield from _decode_group(bundle, _draw_latents(prior, group, drawing), drawing)


def _draw_latents(prior: Prior, indices: Sequence[int], drawing: Drawing) -> list[Row]:
    rows = []
    for index in indices:
        with one_thread(), torch.inference_mode():
            z = prior(latent_noise(drawing.seed, [index], prior.noise_size))[0]
        seed = row_seed(drawing.seed, index, EVENTS)
        rows.append(Row(index=index, z=z, seed=seed, key=asked_key(drawing)))
    return rows


def _draw_group(
    bundle: Bundle, prior: EventPrior, indices: Sequence[int], drawing: Drawing
) -> Iterator[Clip]:
    rows = [*indices, *[indices[0]] * (GROUP_ROWS - len(indices))]
    harmonies: Sequence[Harmony | None] = [drawing.harmony] * GROUP_ROWS
    if drawing.harmony is None:
        harmonies = (
            draw_harmonies(
                bundle,
                drawing.representation,
                seed=drawing.seed,
                rows=rows,
                constraint=drawing.constraint,
            )
            or harmonies
        )
    told = _conditions(drawing, harmonies)
    if drawing.style is not None:
        told = replace(told, styles=torch.full((GROUP_ROWS,), drawing.style))
    with one_thread():
        drawn = draw_music(
            bundle.model,
            prior,
            drawing.representation,
            seed=drawing.seed,
            rows=rows,
            conditions=told,
            temperature=drawing.temperature,
            top_p=drawing.top_p,
            constraint=drawing.constraint,
        )
    names = dict(enumerate(prior.config.styles))
    for number, index in enumerate(indices):
        tonic, mode = drawn.keys[number].tolist()
        row = Row(
            index=index,
            z=drawn.z[number],
            seed=row_seed(drawing.seed, index, EVENTS),
            key=None if tonic == UNKNOWN_TONIC else Key(tonic, mode == 1),
            style=None if drawn.styles is None else names.get(int(drawn.styles[number])),
            harmony=harmonies[number],
        )
        nats = None if drawing.constraint is None else drawn.masked_nats[number].item()
        yield _play(bundle, drawn.events[number], drawing, row, constraint_nats=nats)


def asked_key(drawing: Drawing) -> Key | None:
    """The key that the request asks for."""
    return drawing.constraint.nearest_key if drawing.constraint else None


def _conditions(drawing: Drawing, harmonies: Sequence[Harmony | None]) -> Conditions:
    """The conditions of the rows of a group, which all have chords or none."""
    told = [each.conditions.streams for each in harmonies if each is not None]
    streams = torch.cat([each for each in told if each is not None]) if told else None
    return Conditions(grid=drawing.representation.grid, streams=streams)


def decode(bundle: Bundle, rows: Iterable[Row], drawing: Drawing) -> Iterator[Clip]:
    """Decodes rows in order; the first clip of a group makes the model decode the whole group."""
    rows = iter(rows)
    while group := list(islice(rows, GROUP_ROWS)):
        yield from _decode_group(bundle, group, drawing)


def make_clip(
    bundle: Bundle,
    notes: NoteSequence,
    drawing: Drawing,
    row: Row,
    *,
    constraint_nats: float | None = None,
) -> Clip:
    """Makes a clip from notes."""
    harmony = row.harmony or drawing.harmony
    return Clip(
        notes=replace(notes, qpm=drawing.qpm, key=row.key),
        latent=tuple(row.z.tolist()),
        method=drawing.method,
        seed=drawing.seed,
        index=row.index,
        temperature=drawing.temperature,
        top_p=drawing.top_p,
        model=bundle.name,
        model_version=bundle.version,
        attributes=dict(sorted(bundle.representation.kind.measure(notes).items())),
        chords=harmony.text if harmony else None,
        asked=dict(drawing.asked),
        constraint_nats=constraint_nats,
        sounds=dict(drawing.sounds),
        style=row.style,
    )


def _decode_group(bundle: Bundle, rows: Sequence[Row], drawing: Drawing) -> Iterator[Clip]:
    spare = GROUP_ROWS - len(rows)
    z = torch.stack([*(row.z for row in rows), *[torch.zeros_like(rows[0].z)] * spare])
    conditions = _conditions(drawing, [drawing.harmony] * GROUP_ROWS)
    known = None if drawing.known is None else drawing.known.expand(GROUP_ROWS, -1, -1)
    mask, nats = None, None
    with one_thread(), torch.inference_mode():
        if drawing.constraint is not None:
            heads, unmoved = bundle.model.decoder.heads, np.zeros(GROUP_ROWS, np.int64)
            mask = mask_of(drawing.representation, heads, drawing.constraint, unmoved)
        decoded = bundle.model.decode(z, conditions)
        events = decoded.sample(
            temperature=drawing.temperature,
            top_p=drawing.top_p,
            randomness=[*(row.seed for row in rows), *[0] * spare],
            known=known,
            mask=mask,
        )
        if mask is not None:
            nats = decoded.masked_nats(events, mask).tolist()
    whole = join_streams(events, conditions).numpy().astype(np.int16)
    for number, row in enumerate(rows):
        cost = None if nats is None else nats[number]
        yield _play(bundle, whole[number], drawing, row, constraint_nats=cost)


def _play(
    bundle: Bundle,
    events: Int16[np.ndarray, "step stream"],
    drawing: Drawing,
    row: Row,
    *,
    constraint_nats: float | None,
) -> Clip:
    notes = drawing.representation.to_notes(events)
    with one_thread(), torch.inference_mode():
        notes = play(bundle, notes, drawing.sounds, seed=row.seed, temperature=drawing.temperature)
    return make_clip(bundle, notes, drawing, row, constraint_nats=constraint_nats)


@contextmanager
def one_thread() -> Iterator[None]:
    """Limits torch to one thread inside the context."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
