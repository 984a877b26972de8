"""Measures of drums: do the cymbals keep a pattern, how much changes, how often does it crash.

Conventions: events are `(batch, step)`, numbers of nine bits as in `musicvae.representation.drums`.
A measure returns a value for each excerpt, each bar or each step; its figure is their mean.
"""

import numpy as np
from jaxtyping import Bool, Int

from musicvae.music.instruments import DRUM_CLASSES

_NAMES = [drum.name for drum in DRUM_CLASSES]
_PATTERN = sum(1 << _NAMES.index(name) for name in ("closed hi-hat", "open hi-hat", "ride cymbal"))
_CRASH = 1 << _NAMES.index("crash cymbal")


def have_periodic_cymbals(
    events: Int[np.ndarray, "batch step"], *, longest: int
) -> Bool[np.ndarray, " batch"]:
    """Whether the cymbals of each excerpt repeat from beginning to end.

    The closed hi-hat, the open hi-hat and the ride count as one instrument, hit or not at each
    step. It repeats with a period if every step equals the step a period later. An excerpt without
    a hit of them does not repeat.

    Args:
        events: The drums.
        longest: The longest period, in steps.
    """
    is_hit = (events & _PATTERN) > 0
    periods = range(1, min(longest, events.shape[1] - 1) + 1)
    repeats = [(is_hit[:, period:] == is_hit[:, :-period]).all(axis=1) for period in periods]
    periodic: Bool[np.ndarray, " batch"] = np.any(repeats, axis=0) & is_hit.any(axis=1)
    return periodic


def steps_changed(events: Int[np.ndarray, "batch step"], *, bars: int) -> Bool[np.ndarray, " _"]:
    """Whether each step, from the second bar on, differs from the step a bar before."""
    divided = events.reshape(len(events), bars, -1)
    changed: Bool[np.ndarray, " _"] = (divided[:, 1:] != divided[:, :-1]).ravel()
    return changed


def crashes(events: Int[np.ndarray, "batch step"], *, bars: int) -> Int[np.ndarray, " _"]:
    """The number of crashes in each bar."""
    is_hit = (events & _CRASH) > 0
    counts: Int[np.ndarray, " _"] = is_hit.reshape(len(events) * bars, -1).sum(axis=1)
    return counts
