"""Assigns each cluster of pieces that are alike to a side of the split.

A side hangs on a hash of a key alone: the same piece falls on the same side whatever other pieces
there are, unless one of them is the same tune. The key is the normalised title, by the file's name
or an ABC tune's own, so that a tune printed in two collections falls on one side; or the path,
where that is no title. A cluster takes the side of the smallest of its keys. Where a corpus comes
with a split of its own, that rules for its pieces, so that figures can be compared with others'.
"""

import hashlib
import math
import re
from collections.abc import Mapping

import numpy as np
from jaxtyping import Int32, UInt8, UInt64

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
    """Checks that the shares are those of a whole.

    Raises:
        SettingError: If a share is not above 0 or they don't sum to 1, or a name is no word.
    """
    is_whole = math.isclose(sum(shares.values()), 1.0, abs_tol=1e-6)
    are_shares = all(0 < share <= 1 for share in shares.values())
    are_names = all(re.fullmatch(r"[a-z][a-z_0-9]*", name) for name in shares)
    if not (is_whole and are_shares and are_names):
        raise _wrong_shares(",".join(f"{name}={share:g}" for name, share in shares.items()))


def hash_key(key: str) -> int:
    """What stands for a key where only equal keys count, and what draws its side; 64 bits."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big")


def assign_sides(
    keys: UInt64[np.ndarray, " batch"], shares: Mapping[str, float]
) -> UInt8[np.ndarray, " batch"]:
    """The side of the split that each of these keys falls on, as its place among the shares."""
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
    """The side of each piece, as its place among the shares.

    Args:
        clusters: The cluster of each piece: the lowest number of a piece in it.
        keys: The smallest key of the cluster of each, hashed.
        given: The split that its own corpus puts each in, as its place among the shares; -1 where
            there is none, or none of these.
        shares: By the split's name.

    A piece without a split of its own goes where its cluster is measured on: with the first piece
    of it that is given to another split than training.
    """
    ruled = np.full(len(clusters), -1, np.int32)
    train = list(shares).index(TRAIN) if TRAIN in shares else -1
    ruled[clusters[given == train]] = train
    # Backwards: the first of a cluster comes last, and stays.
    measured = np.flatnonzero((given >= 0) & (given != train))[::-1]
    ruled[clusters[measured]] = given[measured]
    ruling = np.where(given >= 0, given, ruled[clusters])
    return np.where(ruling >= 0, ruling, assign_sides(keys, shares)).astype(np.uint8)


def _wrong_shares(found: str) -> SettingError:
    return SettingError(
        f"the split {found}",
        expected="names in small letters with shares above 0 that sum to 1",
        action="Write it as train=0.8,validation=0.1,test=0.1.",
        field="split",
    )
