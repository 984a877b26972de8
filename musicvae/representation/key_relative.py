"""Music relative to its key: moved by at most six semitones so that its tonic is C."""

import numpy as np
from jaxtyping import Int, Int16

from musicvae.representation.representation import Representation

UNKNOWN_TONIC, UNKNOWN_MODE = 12, 2
"""A tonic and a mode that are not known; modes are 0 for major and 1 for minor."""

KEYS = 24
"""Keys are numbered 0 to 11 for C major to B major, 12 to 23 for C minor to B minor; this number
stands for no key."""


def number_keys(keys: Int[np.ndarray, "batch 2"]) -> Int[np.ndarray, " batch"]:
    """The number of each key, given by tonic and mode."""
    is_known = (keys[:, 0] != UNKNOWN_TONIC) & (keys[:, 1] != UNKNOWN_MODE)
    numbers: Int[np.ndarray, " batch"] = np.where(is_known, keys[:, 0] + 12 * keys[:, 1], KEYS)
    return numbers


def keys_of_numbers(numbers: Int[np.ndarray, " batch"]) -> Int[np.ndarray, "batch 2"]:
    """Tonic and mode of each number: the inverse of `number_keys`.

    >>> keys_of_numbers(np.array([7, 21, 24])).tolist()
    [[7, 0], [9, 1], [12, 2]]
    """
    is_known = numbers < KEYS
    tonics = np.where(is_known, numbers % 12, UNKNOWN_TONIC)
    return np.stack([tonics, np.where(is_known, numbers // 12, UNKNOWN_MODE)], axis=1)


def way_home(tonics: Int[np.ndarray, " batch"]) -> Int[np.ndarray, " batch"]:
    """The semitones that move each tonic to C, -6 to 5; 0 where the tonic is not known.

    >>> way_home(np.array([0, 7, 5, 12])).tolist()
    [0, 5, -5, 0]
    """
    nearest: Int[np.ndarray, " batch"] = np.where(tonics == UNKNOWN_TONIC, 0, (6 - tonics) % 12 - 6)
    return nearest


def to_home(
    representation: Representation,
    events: Int16[np.ndarray, "batch step stream"],
    tonics: Int[np.ndarray, " batch"],
) -> tuple[Int16[np.ndarray, "batch step stream"], Int[np.ndarray, " batch"]]:
    """Moves music so that its tonic is C.

    Returns:
        The moved music, and the tonics: unknown where music would have left the range, and stays.
    """
    semitones = way_home(tonics)
    moved = representation.transpose(events, semitones)
    stays = (moved == events).all((1, 2)) & (semitones != 0)
    return moved, np.where(stays, UNKNOWN_TONIC, tonics)


def from_home(
    representation: Representation,
    events: Int16[np.ndarray, "batch step stream"],
    tonics: Int[np.ndarray, " batch"],
) -> Int16[np.ndarray, "batch step stream"]:
    """Moves music from C to its key: the inverse of `to_home`."""
    return representation.transpose(events, -way_home(tonics))
