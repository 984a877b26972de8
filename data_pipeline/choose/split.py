"""Assigns each cluster of similar pieces to a split.

A hash of a key alone decides: a piece falls in the same split whatever other pieces there are,
unless another piece is the same tune. The key is the normalised title, from the file's name or from
the ABC tune, so that a tune printed in two collections falls in one split; or the path, where the
name is no title. A cluster goes where the smallest of its keys goes. The pieces of a corpus with a
split of its own stay in that split, so that figures can be compared with published figures.
"""

import hashlib
import math
import re
from collections.abc import Mapping

import numpy as np
from jaxtyping import Int32, UInt8, UInt64

from musicvae.data.manifest import COMMON_SUFFIX
from musicvae.errors import SettingError

TRAIN = "train"


def parse_shares(text: str) -> dict[str, float]:
    """Reads `train=0.8,validation=0.1,test=0.1` or `test=1`.

    Raises:
        SettingError: If the names or shares can't be read, or don't sum to 1.
    """
    entries = [entry.split("=") for entry in text.replace(" ", "").split(",")]
    try:
        shares = {name: float(share) for name, share in entries}
    except ValueError as error:
        raise _wrong_shares(text) from error
    if len(shares) != len(entries):
        raise _wrong_shares(text)
    check_shares(shares)
    return shares


def check_shares(shares: Mapping[str, float]) -> None:
    """Checks that the shares make a whole.

    Raises:
        SettingError: If a share is not above 0, the sum is not 1, or a name is no word, or ends
            like the names that `prepare` gives itself.
    """
    is_whole = math.isclose(sum(shares.values()), 1.0, abs_tol=1e-6)
    are_shares = all(0 < share <= 1 for share in shares.values())
    are_names = all(
        re.fullmatch(r"[a-z][a-z_0-9]*", name) and not name.endswith(COMMON_SUFFIX)
        for name in shares
    )
    if not (is_whole and are_shares and are_names):
        raise _wrong_shares(",".join(f"{name}={share:g}" for name, share in shares.items()))


def hash_key(key: str) -> int:
    """A hash of 64 bits: stands for a key in comparisons, and draws the key's split."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big")


def assign_sides(
    keys: UInt64[np.ndarray, " batch"], shares: Mapping[str, float]
) -> UInt8[np.ndarray, " batch"]:
    """The split of each key, as its index in the shares."""
    points = keys / 2.0**64
    sides = np.full(len(keys), len(shares) - 1, np.uint8)  # rounding: they may sum to less than 1
    is_drawn = np.zeros(len(keys), bool)
    for side, share in enumerate(shares.values()):
        points -= share
        sides[~is_drawn & (points < 0)] = side
        is_drawn |= points < 0
    return sides


def assign_clusters(
    clusters: Int32[np.ndarray, " batch"],
    keys: UInt64[np.ndarray, " batch"],
    given: Int32[np.ndarray, " batch"],
    shares: Mapping[str, float],
) -> UInt8[np.ndarray, " batch"]:
    """The split of each piece, as its index in the shares.

    Args:
        clusters: Each piece's cluster, named by the lowest number of a piece in it.
        keys: The smallest key of each piece's cluster, hashed.
        given: The split in which its corpus puts each piece, as its index in the shares; -1
            where there is no such split, or the shares do not name it.
        shares: The share of each split, by name.

    A piece without a given split follows the first piece of its cluster that is given to another
    split than training; if there is none, a piece that is given to training.
    """
    ruled = np.full(len(clusters), -1, np.int32)
    train = list(shares).index(TRAIN) if TRAIN in shares else -1
    ruled[clusters[given == train]] = train
    # Backwards: the first piece of a cluster comes last, and its split stays.
    measured = np.flatnonzero((given >= 0) & (given != train))[::-1]
    ruled[clusters[measured]] = given[measured]
    ruling = np.where(given >= 0, given, ruled[clusters])
    return np.where(ruling >= 0, ruling, assign_sides(keys, shares)).astype(np.uint8)


def _wrong_shares(found: str) -> SettingError:
    return SettingError(
        f"the split {found}",
        expected="names in small letters, not ending in _common, with shares above 0 that sum to 1",
        action="Write it as train=0.8,validation=0.1,test=0.1, or give a prepared data set.",
        field="split",
    )
