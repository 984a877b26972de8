"""Finds the chord progressions that a prior keeps; see `musicvae.runtime.progressions`."""

import numpy as np
from jaxtyping import Int, Int16

from musicvae.data.relative import keys_of
from musicvae.data.shards import ExampleSet
from musicvae.representation import Representation
from musicvae.representation.chords import BASS_EVENTS, NO_CHORD
from musicvae.representation.key_relative import UNKNOWN_TONIC, to_home
from musicvae.representation.streams import generated_streams
from musicvae.runtime.draw_keys import key_of_chords
from musicvae.runtime.progressions import over_silence, slots_of

MOST_PROGRESSIONS = 768

_PHRASE_BARS = 4
"""A progression begins at a multiple of so many bars of its piece: phrases mostly do."""


def find_progressions(
    examples: ExampleSet, representation: Representation, *, seed: int
) -> Int16[np.ndarray, "progression _"] | None:
    """Chooses progressions of known key, at most one a piece, with a chord in every slot.

    The chords themselves show the key: whoever is told the chords alone finds it.

    Returns:
        The progressions; None if the music is not played over chords, or no example will do.
    """
    if len(generated_streams(representation.streams)) == len(representation.streams):
        return None
    keys = keys_of(examples)
    starts = examples.start_bars % _PHRASE_BARS == 0
    rows = np.random.default_rng(seed).permutation(
        np.flatnonzero(starts & (keys[:, 0] != UNKNOWN_TONIC))
    )
    chords = _longest_chords(examples.events[rows][..., -2:], slots_of(representation))
    rows, chords = (each[(chords[..., 0] > NO_CHORD).all(axis=1)] for each in (rows, chords))
    home, _ = to_home(representation, over_silence(representation, chords), keys[rows, 0])
    steps = home.repeat(representation.length_steps // chords.shape[1], axis=1)
    found = [
        key_of_chords(representation.to_notes(each).chords, representation.length_steps)
        for each in steps
    ]
    in_key = [key == (0, mode) for key, mode in zip(found, keys[rows, 1].tolist(), strict=True)]
    rows, home = rows[in_key], home[in_key]
    _, firsts = np.unique(examples.pieces[rows].astype(str), return_index=True)
    chosen = np.sort(firsts)[:MOST_PROGRESSIONS]
    if not len(chosen):
        return None
    flat = home[chosen][..., -2:].reshape(len(chosen), -1)
    return np.concatenate([keys[rows[chosen], 1:], flat], axis=1).astype(np.int16)


def _longest_chords(
    events: Int16[np.ndarray, "batch step 2"], slots: int
) -> Int16[np.ndarray, "batch slot 2"]:
    """The longest chord of each slot; the earlier of equally long chords."""
    by_slot = events.reshape(len(events), slots, -1, 2)
    codes = by_slot[..., 0].astype(np.int32) * BASS_EVENTS + by_slot[..., 1]
    lengths = (codes[..., :, None] == codes[..., None, :]).sum(axis=-1)
    longest: Int[np.ndarray, "batch slot"] = lengths.argmax(axis=-1)
    return np.take_along_axis(by_slot, longest[..., None, None], axis=2)[:, :, 0]
