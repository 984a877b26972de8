"""Reads the split of an earlier data set, which another set of the same music keeps.

A model that is trained on several sets, such as one for each meter, is measured on music that is
new to it only where no piece is in the training split of one set and in another split of the next.
"""

from pathlib import Path

from musicvae.data import shards
from musicvae.data.manifest import COMMON_SUFFIX, load_manifest


def read_earlier_split(folder: Path) -> dict[str, str]:
    """The split of each piece of a data set, by the piece's id.

    Raises:
        DataError: If the folder holds no finished data set.
    """
    return {
        piece: name.removesuffix(COMMON_SUFFIX)
        for name, split in load_manifest(folder).splits.items()
        if split.excerpts
        for piece in set(shards.load(folder, name).pieces)
    }
