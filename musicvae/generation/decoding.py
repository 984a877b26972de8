"""Draws new music, and decodes latents: both in groups of rows, clip after clip.

New music of a prior over events is what the prior draws; its latent is the mean of its posterior.
Any other prior draws a latent, which is decoded.

A row's clip is the same to the last bit, whatever the other rows: the row draws from its own seed,
and ONNX Runtime computes each row alike in batches of every width (see `musicvae.runtime.graph`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TypeVar

import numpy as np
from jaxtyping import Float32, Int, Int16

from musicvae.bundle.format import Bundle
from musicvae.generation.harmony import Harmony, draw_harmonies
from musicvae.generation.playing import play
from musicvae.generation.replies import DECODED, Clip
from musicvae.generation.sounds import Sound
from musicvae.music.constraint import Constraint
from musicvae.music.following import follows_chords
from musicvae.music.notes import Key, NoteSequence
from musicvae.representation import Representation
from musicvae.representation.key_relative import UNKNOWN_TONIC
from musicvae.runtime.conditions import Conditions, join_streams
from musicvae.runtime.draws import draw_music, mask_of
from musicvae.runtime.noise import latent_noise, row_seed
from musicvae.runtime.prior_draws import PriorDraws

Item = TypeVar("Item")

EVENTS = "events"
"""Names the noise of decoding, which a seed draws apart from its other noise."""

GROUP_STEPS = 2_048
"""The steps of all rows of a group: 64 rows of two bars, 8 of 16 bars. Wider batches gain little on
a CPU, and delay the first clip of a request."""


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
        known: The events that the model must keep, see `draw_events`; None to draw all events.
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
    known: Int[np.ndarray, "step stream"] | None = None
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
    z: Float32[np.ndarray, " latent"]
    seed: int
    key: Key | None = None
    style: str | None = None
    harmony: Harmony | None = None


def group_rows(length_steps: int) -> int:
    """The most clips of a group, by the length of a clip."""
    return max(1, GROUP_STEPS // length_steps)


def draw(bundle: Bundle, indices: Sequence[int], drawing: Drawing) -> Iterator[Clip]:
    """Draws new music; the first clip of a group makes the prior draw the whole group."""
    prior = bundle.networks.draws
    for group in _groups(indices, drawing):
        if prior is not None:
            yield from _draw_group(bundle, prior, group, drawing)
        else:
            yield from _decode_group(bundle, _draw_latents(bundle, group, drawing), drawing)


def _groups(rows: Iterable[Item], drawing: Drawing) -> Iterator[list[Item]]:
    rows, size = iter(rows), group_rows(drawing.representation.length_steps)
    while group := list(islice(rows, size)):
        yield group


def _draw_latents(bundle: Bundle, indices: Sequence[int], drawing: Drawing) -> list[Row]:
    prior, rows = bundle.networks.latent_prior, []
    for index in indices:
        z = prior(latent_noise(drawing.seed, [index], prior.noise_size))[0]
        seed = row_seed(drawing.seed, index, EVENTS)
        rows.append(Row(index=index, z=z, seed=seed, key=asked_key(drawing)))
    return rows


def _draw_group(
    bundle: Bundle, prior: PriorDraws, indices: Sequence[int], drawing: Drawing
) -> Iterator[Clip]:
    count = len(indices)
    harmonies: Sequence[Harmony | None] = [drawing.harmony] * count
    if drawing.harmony is None:
        drawn_harmonies = draw_harmonies(
            bundle,
            drawing.representation,
            seed=drawing.seed,
            rows=indices,
            constraint=drawing.constraint,
        )
        harmonies = drawn_harmonies or harmonies
    told = _conditions(drawing, harmonies)
    if drawing.style is not None:
        told = replace(told, styles=np.full(count, drawing.style))
    drawn = draw_music(
        prior,
        drawing.representation,
        seed=drawing.seed,
        rows=indices,
        conditions=told,
        temperature=drawing.temperature,
        top_p=drawing.top_p,
        constraint=drawing.constraint,
    )
    z = bundle.networks.encode(drawn.events, drawing.representation.grid).mean
    names = dict(enumerate(prior.config.styles))
    rows = []
    for number, index in enumerate(indices):
        tonic, mode = drawn.keys[number].tolist()
        row = Row(
            index=index,
            z=z[number],
            seed=row_seed(drawing.seed, index, EVENTS),
            key=None if tonic == UNKNOWN_TONIC else Key(tonic, mode == 1),
            style=None if drawn.styles is None else names.get(int(drawn.styles[number])),
            harmony=harmonies[number],
        )
        rows.append(row)
    nats = None if drawing.constraint is None else drawn.masked_nats.tolist()
    yield from _play_group(bundle, drawn.events, drawing, rows, nats)


def asked_key(drawing: Drawing) -> Key | None:
    """The key that the request asks for."""
    return drawing.constraint.nearest_key if drawing.constraint else None


def _conditions(drawing: Drawing, harmonies: Sequence[Harmony | None]) -> Conditions:
    """The conditions of the rows of a group, which all have chords or none."""
    told = [each.events for each in harmonies if each is not None]
    streams = np.stack(told).astype(np.int64) if told else None
    return Conditions(grid=drawing.representation.grid, streams=streams)


def decode(bundle: Bundle, rows: Iterable[Row], drawing: Drawing) -> Iterator[Clip]:
    """Decodes rows in order; the first clip of a group makes the model decode the whole group."""
    for group in _groups(rows, drawing):
        yield from _decode_group(bundle, group, drawing)


def make_clip(
    bundle: Bundle,
    notes: NoteSequence,
    drawing: Drawing,
    row: Row,
    *,
    constraint_nats: float | None = None,
) -> Clip:
    """Makes a clip from notes.

    Chords stay with the notes of a decoded latent only if the notes follow them.
    """
    harmony = row.harmony or drawing.harmony
    keeps_chords = drawing.method != DECODED or follows_chords(notes)
    chords = notes.chords if keeps_chords else ()
    return Clip(
        notes=replace(notes, qpm=drawing.qpm, key=row.key, chords=chords),
        latent=tuple(row.z.tolist()),
        method=drawing.method,
        seed=drawing.seed,
        index=row.index,
        temperature=drawing.temperature,
        top_p=drawing.top_p,
        model=bundle.name,
        model_version=bundle.version,
        attributes=dict(sorted(bundle.representation.kind.measure(notes).items())),
        chords=harmony.text(row.key) if harmony else None,
        asked=dict(drawing.asked),
        constraint_nats=constraint_nats,
        sounds=dict(drawing.sounds),
        style=row.style,
    )


def _decode_group(bundle: Bundle, rows: Sequence[Row], drawing: Drawing) -> Iterator[Clip]:
    count = len(rows)
    conditions = _conditions(drawing, [drawing.harmony] * count)
    known = None if drawing.known is None else np.stack([drawing.known] * count)
    mask, free = None, None
    if drawing.constraint is not None:
        unmoved = np.zeros(count, np.int64)
        mask = mask_of(drawing.representation, drawing.constraint, unmoved)
        free = np.zeros_like(mask)
    drawn = bundle.networks.decode(
        np.stack([row.z for row in rows]),
        conditions,
        seeds=[row.seed for row in rows],
        temperature=drawing.temperature,
        top_p=drawing.top_p,
        known=known,
        mask=mask,
        free=free,
    )
    nats = None if mask is None else drawn.masked_nats.sum((1, 2)).tolist()
    yield from _play_group(bundle, join_streams(drawn.events, conditions), drawing, rows, nats)


def _play_group(
    bundle: Bundle,
    events: Int16[np.ndarray, "batch step stream"],
    drawing: Drawing,
    rows: Sequence[Row],
    nats: Sequence[float] | None,
) -> Iterator[Clip]:
    clips = [drawing.representation.to_notes(each) for each in events]
    seeds = [row.seed for row in rows]
    played = play(bundle, clips, drawing.sounds, seeds=seeds, temperature=drawing.temperature)
    for number, (notes, row) in enumerate(zip(played, rows, strict=True)):
        cost = None if nats is None else nats[number]
        yield make_clip(bundle, notes, drawing, row, constraint_nats=cost)
