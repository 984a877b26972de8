"""What a corpus recipe is: what is known of a collection beside its notes."""

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
    """What a corpus knows of one of its pieces.

    Attributes:
        title: Its title; empty where it has none, None where the file's name says it.
        split_key: What the split hashes, whatever the title; None for the usual.
        given_split: The corpus' own split: `train`, `validation` or `test`.
        style: What the corpus calls its style.
        side: The files that belong to it, by what they hold: `beats`, `chords`, `keys`.
    """

    title: str | None = None
    split_key: str | None = None
    given_split: str | None = None
    style: str = ""
    side: dict[str, Location] = field(default_factory=dict)


FactsOf = Callable[[str], Facts | None]
"""From a file's path to what is known of it."""


@dataclass(frozen=True, kw_only=True)
class Download:
    """A file on the web that holds a corpus.

    Attributes:
        url: Where it is.
        file_name: What it is called here.
        size: In bytes.
        sha256: Its checksum.
        source: Who says so.
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
        name: As one gives it to the commands `prepare` and `fetch`.
        about: What it is, in a few words.
        licence: Of its music, as it states it.
        homepage: Where it comes from.
        download: The file to fetch; None where it is made or packed by hand.
        mark: The path of a file by which it is known, wherever it lies: a regular expression.
        mark_holds: What the first bytes of that file hold.
        side_files: The names of files that belong to pieces without being pieces.
        facts: What a path alone tells of a piece.
        look_up: The same where it takes files: given the listing and the path of the mark.
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
        """What tells of each piece of an input in which the mark was found; None for nothing."""
        return self.facts if self.look_up is None else self.look_up(listing, mark)
