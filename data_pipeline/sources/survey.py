"""Looks through the names of an input's files, and recognises corpora.

A compressed tar is read from its start for each look; all other inputs are only listed.
"""

import hashlib
from array import array
from dataclasses import dataclass

from musicvae.errors import DataError

from .archives import Entry
from .corpora import CORPORA, Corpus, Facts, FactsOf
from .inputs import LICENCE_NAMES, Input, licence_line
from .locations import Location
from .path_names import PathNames, tidy

_NO_FACTS = Facts()


@dataclass(frozen=True, kw_only=True)
class Survey:
    """The facts from an input's names that every piece needs.

    Attributes:
        top: The folder that all tidy paths begin with, and a slash; may be empty.
        names: The names of all files.
        corpora: The corpora that were recognised.
        licence: The first line of a licence file.
        state: A digest of all names and states.
    """

    top: str
    names: PathNames
    corpora: tuple[Corpus, ...]
    licence: str | None
    state: str
    _tellers: tuple[FactsOf, ...]

    def facts_of(self, path: str) -> Facts:
        """The facts that the recognised corpora have of a file beside its notes."""
        known = (tell(path) for tell in self._tellers)
        return next((facts for facts in known if facts is not None), _NO_FACTS)

    def is_side_file(self, path: str) -> bool:
        """Whether a file belongs to pieces of a recognised corpus."""
        return any(_has_side_file(corpus, path) for corpus in self.corpora)


def look_through(found: Input) -> Survey:
    """Looks through the names, and at the heads of the files that mark a corpus."""
    top: str | None = None
    licence: str | None = None
    marks: dict[str, str] = {}
    digest = hashlib.blake2b(digest_size=16)
    hashes = array("q")
    for entry in found.listing.entries():
        digest.update(f"{entry.path}\0{entry.state}\0".encode(errors="surrogateescape"))
        path = tidy(entry.path)
        hashes.append(hash(path))
        first, slash, _ = path.partition("/")
        own_top = first + slash if slash else ""
        top = own_top if top in (None, own_top) else ""
        for corpus in CORPORA.values():
            if corpus.name not in marks and _is_mark(entry, corpus):
                marks[corpus.name] = entry.path
        name = entry.path.rpartition("/")[2]
        if licence is None and entry.path.count("/") <= 1 and LICENCE_NAMES.fullmatch(name):
            licence = licence_line(head_of(entry.location) or b"")
    corpora = tuple(CORPORA[name] for name in marks)
    tellers = [corpus.facts_in(found.listing, marks[corpus.name]) for corpus in corpora]
    return Survey(
        top=top or "",
        names=PathNames(hashes),
        corpora=corpora,
        licence=licence,
        state=digest.hexdigest(),
        _tellers=tuple(teller for teller in tellers if teller is not None),
    )


def _is_mark(entry: Entry, corpus: Corpus) -> bool:
    if corpus.mark.search(entry.path) is None:
        return False
    return corpus.mark_holds in (head_of(entry.location) or b"")


def is_kept(path: str) -> bool:
    """Whether a file belongs to pieces of any corpus, so that it must be at hand beside them."""
    return any(_has_side_file(corpus, path) for corpus in CORPORA.values())


def _has_side_file(corpus: Corpus, path: str) -> bool:
    return corpus.side_files is not None and corpus.side_files.search(path) is not None


def head_of(location: Location | None) -> bytes | None:
    """The first bytes; None where they can't be read."""
    try:
        return None if location is None else location.head()
    except DataError:
        return None
