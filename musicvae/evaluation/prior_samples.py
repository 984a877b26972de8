"""Do draws from the prior sound like the data: the same measures on both, and how they overlap.

Conventions: an overlap is the area that two normalised histograms share, 1 for the same
distribution and 0 for distributions that never meet. Histograms have a bin for every whole number
(pitches, notes, steps), or `BINS` bins over both sets together where the measure is a fraction.

Source: the measures follow Yang and Lerch 2018, On the evaluation of generative models in music,
section 4; they compare smoothed densities of distances, which hides what is simply out of
range, so the plain distributions are compared here.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float, Int

from musicvae import latent
from musicvae.model import MusicVAE
from musicvae.notes import NoteSequence
from musicvae.representation import Representation
from musicvae.shards import Events

BINS = 20
LEAST_NOTES = 2
BATCH_SIZE = 256


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One measure on draws and on data.

    Attributes:
        overlap: The area the two histograms share, 0 to 1; 0 where one set has no values.
        draws_mean: The measure's mean over the draws, None where they have no values.
        data_mean: The same over the data.
    """

    overlap: float
    draws_mean: float | None
    data_mean: float | None


@dataclass(frozen=True, kw_only=True)
class PriorSamples:
    """Draws from the prior beside held-out excerpts.

    Attributes:
        draws: How many of each.
        temperature: What they were drawn at.
        empty: Share of draws with fewer than two notes.
        single_pitch: Share of draws that repeat one pitch only.
        empty_in_data: The first share in the data.
        single_pitch_in_data: The second share in the data.
        measures: Every measure by name.
    """

    draws: int
    temperature: float
    empty: float
    single_pitch: float
    empty_in_data: float
    single_pitch_in_data: float
    measures: dict[str, Comparison]


def compare_prior_samples(
    model: MusicVAE,
    representation: Representation,
    events: Events,
    *,
    seed: int,
    draws: int = 1024,
    temperature: float = 1.0,
) -> PriorSamples:
    """Draws from the prior and compares with as many excerpts of `events`, or all there are."""
    drawn = [
        representation.to_notes(each)
        for first in range(0, draws, BATCH_SIZE)
        for each in _draw(model, seed, range(draws)[first : first + BATCH_SIZE], temperature)
    ]
    choice = np.random.default_rng(seed).permutation(len(events))[:draws]
    data = [representation.to_notes(each) for each in events[choice]]
    return PriorSamples(
        draws=draws,
        temperature=temperature,
        empty=_share(drawn, lambda music: len(music.notes) < LEAST_NOTES),
        single_pitch=_share(drawn, _has_single_pitch),
        empty_in_data=_share(data, lambda music: len(music.notes) < LEAST_NOTES),
        single_pitch_in_data=_share(data, _has_single_pitch),
        measures={
            name: _compare(measure, drawn, data, is_whole=name not in _FRACTIONS)
            for name, measure in MEASURES.items()
        },
    )


@torch.inference_mode()
def _draw(
    model: MusicVAE, seed: int, rows: Sequence[int], temperature: float
) -> Int[np.ndarray, "batch step stream"]:
    z = latent.prior(seed, rows, model.config.latent_size).to(next(model.parameters()).device)
    seeds = [latent.row_seed(seed, row, "events") for row in rows]
    events = model.decode(z).sample(temperature=temperature, randomness=seeds)
    return events.cpu().numpy()


def _compare(
    measure: Callable[[NoteSequence], list[float]],
    drawn: Sequence[NoteSequence],
    data: Sequence[NoteSequence],
    *,
    is_whole: bool,
) -> Comparison:
    ours = np.array([value for music in drawn for value in measure(music)])
    theirs = np.array([value for music in data for value in measure(music)])
    return Comparison(
        overlap=overlap(ours, theirs, is_whole=is_whole) if ours.size and theirs.size else 0.0,
        draws_mean=float(ours.mean()) if ours.size else None,
        data_mean=float(theirs.mean()) if theirs.size else None,
    )


def overlap(a: Float[np.ndarray, " _"], b: Float[np.ndarray, " _"], *, is_whole: bool) -> float:
    """The area that the normalised histograms of two sets of values share, 0 to 1.

    >>> overlap(np.array([1.0, 2.0]), np.array([2.0, 3.0]), is_whole=True)
    0.5
    """
    low, high = min(a.min(), b.min()), max(a.max(), b.max())
    edges = np.arange(low - 0.5, high + 1) if is_whole else np.linspace(low, high, BINS + 1)
    if len(edges) < 2 or edges[0] == edges[-1]:
        return 1.0
    shares = [np.histogram(values, edges)[0] / len(values) for values in (a, b)]
    return float(np.minimum(*shares).sum())


def _share(music: Sequence[NoteSequence], is_so: Callable[[NoteSequence], bool]) -> float:
    return sum(map(is_so, music)) / max(1, len(music))


def _has_single_pitch(music: NoteSequence) -> bool:
    return len(music.notes) >= LEAST_NOTES and len({note.pitch for note in music.notes}) == 1


def _intervals(music: NoteSequence) -> list[float]:
    return [float(abs(b.pitch - a.pitch)) for a, b in pairwise(music.notes)]


def _pitch_range(music: NoteSequence) -> list[float]:
    pitches = [note.pitch for note in music.notes]
    return [float(max(pitches) - min(pitches))] if pitches else []


def _on_beat(music: NoteSequence) -> list[float]:
    counts = Counter(note.start_step % music.steps_per_quarter == 0 for note in music.notes)
    return [counts[True] / len(music.notes)] if music.notes else []


MEASURES: dict[str, Callable[[NoteSequence], list[float]]] = {
    "notes": lambda music: [float(len(music.notes))],
    "pitch": lambda music: [float(note.pitch) for note in music.notes],
    "pitch_class": lambda music: [float(note.pitch % 12) for note in music.notes],
    "pitch_range": _pitch_range,
    "interval": _intervals,
    "duration_steps": lambda music: [float(n.end_step - n.start_step) for n in music.notes],
    "inter_onset_steps": lambda music: [
        float(b.start_step - a.start_step) for a, b in pairwise(music.notes)
    ],
    "on_beat_share": _on_beat,
}
"""Each measure gives any number of values for an excerpt; the values of all are pooled."""

_FRACTIONS = frozenset({"on_beat_share"})
