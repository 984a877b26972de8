"""The collections in music21's own corpus, by the names of their folders."""

import importlib.util
import re
from pathlib import Path

from musicvae.errors import DataError

PREFIX = "music21:"

_ENCODED = "distributed with music21 by permission of its encoders, see music21/corpus/license.txt"
_LICENCES = {
    "oneills1850": f"public-domain tunes (O'Neill 1903), {_ENCODED}",
    "ryansMammoth": f"public-domain tunes (Ryan 1883), {_ENCODED}",
    "airdsAirs": f"public-domain tunes (Aird 1778-1801), {_ENCODED}",
    "essenFolksong": f"legal status unclear, not for commercial use, {_ENCODED}",
}


def collection_folder(collection: str) -> Path:
    """The folder of a collection.

    Raises:
        DataError: If music21's corpus has no collection of this name.
    """
    spec = importlib.util.find_spec("music21")
    # Importing music21 takes a second; its folder is known without.
    assert spec is not None and spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0]) / "corpus" / collection
    if not re.fullmatch(r"\w[\w-]*", collection) or not folder.is_dir():
        raise DataError(
            f"no collection {collection!r} in music21's corpus",
            expected=f"one such as {', '.join(sorted(_LICENCES))}",
            action=f"Give {PREFIX}NAME with the name of a folder in music21's corpus.",
            field="inputs",
        )
    return folder


def collection_licence(collection: str) -> str:
    """The licence of a collection."""
    return _LICENCES.get(collection, _ENCODED)
