"""Clips of a model to see and to hear: reconstructions, draws from the prior, an interpolation."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int, Shaped

from musicvae.evaluation.decoding import encode, play
from musicvae.evaluation.interpolation import choose_pairs
from musicvae.evaluation.prior_samples import draw_new, with_drawn_chords
from musicvae.evaluation.subject import Data, Subject, choose
from musicvae.music.notes import NoteSequence
from musicvae.runtime.moves import path
from musicvae.temperature import SAMPLE_TEMPERATURE

RECONSTRUCTIONS = 4
SAMPLES = 8
STATIONS = 7
"""The number of clips of an interpolation."""


@dataclass(frozen=True, kw_only=True)
class Example:
    """A clip.

    Attributes:
        title: The heading of the clip.
        facts: The source of the clip, or how the model made it.
        qpm: The tempo.
        notes: The music.
    """

    title: str
    facts: str
    qpm: float
    notes: NoteSequence


@dataclass(frozen=True, kw_only=True)
class Examples:
    """Clips of one model.

    Attributes:
        inputs: Held-out excerpts of different pieces; fewer where the split has fewer pieces.
        reconstructions: The reconstruction of each input.
        samples: Draws from the prior.
        interpolation: The way from a held-out excerpt to another, both excerpts included.
    """

    inputs: tuple[Example, ...]
    reconstructions: tuple[Example, ...]
    samples: tuple[Example, ...]
    interpolation: tuple[Example, ...]


def play_examples(subject: Subject, data: Data, *, seed: int) -> Examples:
    """Plays the examples of a model; the excerpts are the same for every model."""
    held_out, pieces = data.held_out, data.held_out.pieces
    rows = choose(len(held_out), len(held_out), seed)
    chosen = spread_rows(pieces, seed)[: min(RECONSTRUCTIONS, data.pieces)]
    events = held_out.events[chosen]
    model, representation = subject.model, subject.representation
    played = play(model, representation, encode(model, representation, events).mean, events)
    like = held_out.events[np.resize(rows, SAMPLES)]
    like = with_drawn_chords(subject.prior, representation, like, seed=seed)
    drawn = draw_new(model, subject.prior, representation, like, seed=seed)
    return Examples(
        inputs=as_given(subject, data, chosen),
        reconstructions=tuple(
            Example(
                title=subject.name,
                facts="reconstruction",
                qpm=each.qpm,
                notes=representation.to_notes(notes),
            )
            for each, notes in zip(as_given(subject, data, chosen), played, strict=True)
        ),
        samples=tuple(
            Example(
                title=f"Draw {number}",
                facts=f"temperature {SAMPLE_TEMPERATURE:g}, seed {seed}",
                qpm=120.0,
                notes=representation.to_notes(each),
            )
            for number, each in enumerate(drawn)
        ),
        interpolation=_interpolate(subject, data, seed),
    )


def spread_rows(pieces: Shaped[np.ndarray, " batch"], seed: int) -> Int[np.ndarray, " batch"]:
    """Puts all excerpts into a random order that begins with an excerpt of every piece."""
    rows = choose(len(pieces), len(pieces), seed)
    is_first = np.zeros(len(rows), np.bool_)
    is_first[np.unique(pieces[rows], return_index=True)[1]] = True
    return np.concatenate([rows[is_first], rows[~is_first]])


def as_given(subject: Subject, data: Data, rows: Int[np.ndarray, " _"]) -> tuple[Example, ...]:
    """Makes clips of excerpts as they stand in the data."""
    known = data.held_out.columns(["piece", "source", "start_bar", "qpm"], rows).to_pylist()
    return tuple(
        Example(
            title=each["piece"],
            facts=f"{each['source']}, from bar {each['start_bar'] + 1}",
            qpm=each["qpm"],
            notes=subject.representation.to_notes(events),
        )
        for each, events in zip(known, data.held_out.events[rows], strict=True)
    )


def _interpolate(subject: Subject, data: Data, seed: int) -> tuple[Example, ...]:
    """Walks from an excerpt to another, under the conditions of the nearer excerpt."""
    model, representation = subject.model, subject.representation
    (a,), (b,) = choose_pairs(data.held_out.pieces, 1, np.random.default_rng(seed))
    ends = data.held_out.events[np.array([a, b])]
    means = encode(model, representation, ends).mean
    z = torch.from_numpy(path(means.numpy(), STATIONS))
    like = ends[np.arange(STATIONS) * 2 // STATIONS]
    played = play(model, representation, z, like)
    start, end = as_given(subject, data, np.array([a, b]))
    stations = [
        Example(
            title=f"{number} of {STATIONS - 1}",
            facts=subject.name,
            qpm=start.qpm + (end.qpm - start.qpm) * number / (STATIONS - 1),
            notes=representation.to_notes(each),
        )
        for number, each in enumerate(played)
    ]
    return (start, *stations, end)
