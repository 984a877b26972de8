"""The recipe of a corpus: the facts of a collection beside its notes."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from musicvae.data_pipeline.sources.locations import Location


@runtime_checkable
class Listing(Protocol):
    """The files of an input, by their paths."""

    def locate(self, path: str) -> Location | None:
        """Where the bytes of the file of this path are, or None where there is none."""
        ...


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The facts that a corpus has of one of its pieces.

    Attributes:
        title: The piece's title; empty where it has none, None where the file's name is the title.
        split_key: The text that the split hashes, whatever the title; None for the usual key.
        given_split: The corpus' own split: `train`, `validation` or `test`.
        style: The piece's style, in the words of the corpus.
        side: The files that belong to the piece, by their content: `beats`, `chords`, `keys`.
    """

    title: str | None = None
    split_key: str | None = None
    given_split: str | None = None
    style: str = ""
    side: dict[str, Location] = field(default_factory=dict)


FactsOf = Callable[[str], Facts | None]
"""Gives the facts of a file by its path; None for a file of another kind."""


@dataclass(frozen=True, kw_only=True)
class Download:
    """A file on the web that holds a corpus.

    Attributes:
        url: The file's address.
        file_name: The file's name on this machine.
        size: The file's size in bytes.
        sha256: The file's checksum.
        source: The public source of size and checksum.
    """

    url: str
    file_name: str
    size: int
    sha256: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """A collection that is known by name.

    Attributes:
        name: The name for the commands `prepare` and `fetch`.
        about: A description in a few words.
        licence: The licence of its music, in its own words.
        homepage: The address of its homepage.
        download: The file to fetch; None where the user gets the corpus by hand.
        mark: A regular expression for the path of the file that marks the corpus.
        mark_holds: Bytes that the head of that file holds.
        side_files: A regular expression for files that belong to pieces without being pieces.
        facts: Gives the facts that a path alone tells.
        look_up: Gives such a function from the listing and the path of the mark, for a corpus that
            keeps facts in files.
    """

    name: str
    about: str
    licence: str
    homepage: str
    download: Download | None = None
    mark: re.Pattern[str]
    mark_holds: bytes = b""
    side_files: re.Pattern[str] | None = None
    facts: FactsOf | None = None
    look_up: Callable[[Listing, str], FactsOf] | None = None

    def facts_in(self, listing: Listing, mark: str) -> FactsOf | None:
        """The function for the facts of an input's pieces, if the corpus has facts."""
        return self.facts if self.look_up is None else self.look_up(listing, mark)
