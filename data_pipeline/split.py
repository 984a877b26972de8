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
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Int64

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


def assign_split(key: str, shares: Mapping[str, float]) -> str:
    """The side of the split that a piece with this key falls on.

    >>> assign_split("acacia", {"test": 1.0})
    'test'
    """
    digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
    point = int.from_bytes(digest, "big") / 2**64
    for name, share in shares.items():
        point -= share
        if point < 0:
            return name
    return name  # rounding: the shares sum to a little less than 1


def assign_clusters(
    clusters: Int64[np.ndarray, " batch"],
    keys: Sequence[str],
    given: Sequence[str | None],
    shares: Mapping[str, float],
) -> list[str]:
    """The side of each piece.

    Args:
        clusters: The cluster of each piece; equal numbers are one cluster.
        keys: The key of each.
        given: The split that its own corpus puts it in; None where there is none.
        shares: By the split's name. A given split that is none of these does not count.

    A piece without a split of its own goes where its cluster is measured on: with the first piece
    of it that is given to another split than training.
    """
    smallest: dict[int, str] = {}
    ruled: dict[int, str] = {}
    for cluster, key, split in zip(clusters.tolist(), keys, given, strict=True):
        smallest[cluster] = min(key, smallest.get(cluster, key))
        if split is not None and split in shares and ruled.get(cluster, TRAIN) == TRAIN:
            ruled[cluster] = split
    sides = {
        cluster: ruled.get(cluster) or assign_split(key, shares)
        for cluster, key in smallest.items()
    }
    return [
        split if split is not None and split in shares else sides[cluster]
        for cluster, split in zip(clusters.tolist(), given, strict=True)
    ]


def _wrong_shares(found: str) -> SettingError:
    return SettingError(
        f"the split {found}",
        expected="names in small letters with shares above 0 that sum to 1",
        action="Write it as train=0.8,validation=0.1,test=0.1.",
        field="split",
    )
