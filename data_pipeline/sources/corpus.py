"""The first stage: finds the pieces in the inputs, and gives each a stable id.

Conventions: a file's content tells its kind. Each tune of an ABC file is a piece; any other file of
music is one piece. An id is the source's name and the path within it, with `#POSITION:NUMBER` for a
tune of an ABC file. An id does not depend on where the input lies on disk; a folder has the same
ids as an archive of the folder. Files without music are counted and passed over.
"""

import hashlib
import re
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain, count, pairwise
from pathlib import Path

import numpy as np

from musicvae.data_pipeline.readers import kind_of
from musicvae.data_pipeline.rejections import Rejection
from musicvae.errors import DataError, MusicVAEError, ScoreError

from .archives import Entry, is_archive
from .inputs import Input, open_input
from .locations import HEAD_BYTES, HeldBytes, Location, ZipBytes
from .path_names import readable, tidy
from .survey import Survey, head_of, is_kept, look_through
from .titles import normalise_title

MOST_NAMESAKES = 5
"""A name of more pieces than this, in all sources, is no title (`Minuet`, `track 7`)."""

UNREADABLE = "unreadable"
"""The kind of a file that can't be opened, or that is named as music but holds none. Reading its
bytes raises the error."""

_MOST_TUNES = 50_000
"""The limit on one ABC file; the largest collection on the web has as many tunes in all."""

_MUSIC_ENDINGS = (".mid", ".midi", ".rmi", ".mxl", ".musicxml", ".abc", ".krn", ".h2pattern")

_KINDS = "MIDI, MusicXML, ABC, kern or h2pattern files"
_TUNE = re.compile(rb"^X:[ \t]*(\d*)", re.MULTILINE)
_TITLE = re.compile(rb"^T:[ \t]*(.*?)[ \t]*\r?$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """One piece of music that was found, not yet read.

    Attributes:
        id: Unique within the data set.
        source: The name of its source.
        kind: The reader's kind: one of `readers.KINDS`, or `UNREADABLE`.
        title: Its normalised title; empty where it has none.
        split_key: The text that the split hashes: pieces of one key go to the same split.
        given_split: The split that its corpus gives it: `train`, `validation`, `test` or None.
        style: Its style, in the words of its corpus; may be empty.
        location: The location of its bytes.
        side: The locations of the files that belong to it, by their content: `beats`, `chords`,
            `keys`.
    """

    id: str
    source: str
    kind: str
    title: str
    split_key: str
    given_split: str | None = None
    style: str = ""
    location: Location
    side: dict[str, Location] = field(default_factory=dict)

    def read_bytes(self) -> bytes:
        """The piece's bytes; for a tune of an ABC file the bytes of the file's head and the tune.

        Raises:
            DataError: If the file can't be read, is too large or of no kind.
        """
        data = self.location.read()
        if self.kind != UNREADABLE:
            return data
        if kind_of(data[:HEAD_BYTES]) == "abc":
            raise DataError(
                f"an ABC file of more than {_MOST_TUNES} tunes",
                expected=f"at most {_MOST_TUNES}",
                action="Divide it.",
            )
        raise DataError(
            f"a file named as music that starts with {data[:8]!r}",
            expected=_KINDS,
            action="Export it anew, or leave it out.",
        )

    def read_side(self) -> dict[str, bytes]:
        """The bytes of the files that belong to the piece.

        Raises:
            DataError: If a file can't be read, or is too large.
        """
        return {role: location.read() for role, location in self.side.items()}

    @property
    def held_bytes(self) -> int:
        """The bytes that travel with the piece to another process."""
        locations = (self.location, *self.side.values())
        return sum(sum(map(len, each.parts)) for each in locations if isinstance(each, HeldBytes))


@dataclass(frozen=True, kw_only=True)
class CorpusSource:
    """All pieces of one input.

    Attributes:
        name: The first part of its pieces' ids.
        licence: Its licence, if a licence was found.
        corpora: The names of the corpora that were recognised in it.
        piece_count: The number of its pieces.
        rejected_files: The files that are no pieces, by reason: `no_music`, `side_file` (it belongs
            to pieces), `archive` (within the input), `locked` (a member of an archive that is
            encrypted, packed by a rare method, or a link), `link` (to a folder, or to nothing),
            `no_file` (a pipe, a device) or `unreadable` (it went away, or may not be looked at).
            What was found is the path of the first file, within the source.
        state: Changes when a file is added, taken away or changed, as far as names, sizes and
            times can tell.
    """

    name: str
    licence: str | None
    corpora: tuple[str, ...]
    piece_count: int
    rejected_files: tuple[Rejection, ...]
    state: str
    _input: Input = field(repr=False)
    _survey: Survey = field(repr=False)
    _common_titles: frozenset[int] = field(default=frozenset(), repr=False)

    def fingerprint(self) -> str:
        """A digest of the names and the content of all files, which are read for it."""
        digest = hashlib.blake2b(digest_size=16)
        with _looking_into(self._input):
            for entry in self._input.listing.entries():
                digest.update(f"{entry.path}\0".encode(errors="surrogateescape"))
                digest.update(hashlib.blake2b(_content(entry)).digest())
        return digest.hexdigest()

    def pieces(self) -> Iterator[Piece]:
        """Every piece; the same pieces in the same order each time, looked up anew.

        Raises:
            DataError: If the input can't be looked into any more.
        """
        with _looking_into(self._input):
            for found in _find(self._input, self.name, self._survey):
                if isinstance(found, Piece):
                    yield _with_split_key(found, self._common_titles)


def open_sources(
    inputs: Sequence[str], *, leave_out: Path | None = None
) -> tuple[CorpusSource, ...]:
    """Looks through the inputs, and gives a source for each.

    Args:
        inputs: The inputs, as the user named them.
        leave_out: A folder below an input that is passed over, such as the output folder.

    Raises:
        ScoreError: If a file is no music that can be read.
        DataError: If an input is not there or a damaged archive, or a folder holds no music.
    """
    if not inputs:
        raise DataError(
            "no inputs",
            expected="at least one file, folder or music21 collection",
            action="Name one, such as music21:ryansMammoth.",
            field="inputs",
        )
    sources: list[CorpusSource] = []
    # Their hashes: the titles themselves would take ten times the memory.
    titles = array("q")
    for name in inputs:
        found = _open(name, leave_out)
        sources.append(_look_into(found, {source.name for source in sources}, titles))
    common = _find_common(titles)
    return tuple(replace(source, _common_titles=common) for source in sources)


def _content(entry: Entry) -> bytes:
    """The bytes of a file; of a zip's member its checksum; nothing where they can't be read."""
    if isinstance(entry.location, ZipBytes):
        return entry.state.encode()
    try:
        return b"" if entry.location is None else entry.location.read()
    except DataError:
        return b""


def _find_common(titles: "array[int]") -> frozenset[int]:
    """The hashes of names that are too common to be titles."""
    hashes = np.array(titles, np.int64)
    hashes.sort()
    is_common = hashes[MOST_NAMESAKES:] == hashes[:-MOST_NAMESAKES]
    return frozenset(hashes[MOST_NAMESAKES:][is_common].tolist())


def _look_into(found: Input, taken: set[str], titles: "array[int]") -> CorpusSource:
    """The source of an input; adds the hash of each piece's title to `titles`."""
    source = readable(found.source)
    numbers = (f"{source}-{number}" for number in count(2))
    source = source if source not in taken else next(new for new in numbers if new not in taken)
    rejections: dict[str, Rejection] = {}
    piece_count = 0
    with _looking_into(found):
        survey = look_through(found)
        for each in _find(found, source, survey):
            if isinstance(each, Piece):
                piece_count += 1
                titles.append(hash(each.title))
            else:
                first = rejections.setdefault(each.reason, replace(each, count=0))
                rejections[each.reason] = replace(first, count=first.count + 1)
    if not piece_count:
        raise _no_music(found)
    known_licence = "; ".join(corpus.licence for corpus in survey.corpora)
    return CorpusSource(
        name=source,
        licence=found.licence or known_licence or survey.licence,
        corpora=tuple(corpus.name for corpus in survey.corpora),
        piece_count=piece_count,
        rejected_files=tuple(rejections[reason] for reason in sorted(rejections)),
        state=survey.state,
        _input=found,
        _survey=survey,
    )


def _open(name: str, leave_out: Path | None) -> Input:
    try:
        return open_input(name, is_kept, leave_out=leave_out)
    except OSError as error:
        raise _closed(name, error) from error


def _find(found: Input, source: str, survey: Survey) -> Iterator[Piece | Rejection]:
    """Each file as a piece, as its tunes, or as a rejection; no title is a split key yet."""
    times: Counter[int] = Counter()
    for entry in found.listing.entries():
        path = survey.names.tell_apart(tidy(entry.path), times).removeprefix(survey.top)
        if entry.location is None:
            yield Rejection("file", entry.reason, path)
            continue
        head = head_of(entry.location)
        kind = UNREADABLE if head is None else kind_of(head)
        if kind is None and path.lower().endswith(_MUSIC_ENDINGS):
            kind = UNREADABLE
        if kind is None:
            yield Rejection("file", _reason(entry, head or b"", survey), path)
            continue
        facts = survey.facts_of(entry.path)
        stem = path[: path.rfind(".")] if "." in path.rpartition("/")[2][1:] else path
        title = normalise_title(stem.rpartition("/")[2]) if facts.title is None else facts.title
        piece = Piece(
            id=f"{source}/{path}",
            source=source,
            kind=kind,
            title="" if facts.split_key else title,
            split_key=facts.split_key or f"{source}/{stem}",
            given_split=facts.given_split,
            style=facts.style,
            location=entry.location,
            side=facts.side,
        )
        if kind == "abc":
            yield from _tunes(piece)
        else:
            yield piece


def _reason(entry: Entry, head: bytes, survey: Survey) -> str:
    if survey.is_side_file(entry.path):
        return "side_file"
    return "archive" if is_archive(head) else "no_music"


def _tunes(file: Piece) -> Iterator[Piece]:
    try:
        data = file.location.read()
    except DataError:
        yield file  # reading the piece raises the error
        return
    if b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    first = _TUNE.search(data)
    if first is None:
        yield file
        return
    if sum(1 for _ in _TUNE.finditer(data)) > _MOST_TUNES:
        yield replace(file, kind=UNREADABLE)
        return
    head = data[: first.start()]
    for index, (match, following) in enumerate(pairwise(chain(_TUNE.finditer(data), [None]))):
        assert match is not None  # only the last is
        tune = data[match.start() : len(data) if following is None else following.start()]
        title = _TITLE.search(tune)
        number = match[1].decode() or "0"
        # Numbers repeat in files that were joined: the position in the file tells them apart.
        yield replace(
            file,
            id=f"{file.id}#{index + 1}:{number}",
            title=normalise_title(title[1].decode("utf-8", errors="replace")) if title else "",
            split_key=hashlib.blake2b(tune, digest_size=16).hexdigest(),
            location=HeldBytes((head, tune), len(head) + len(tune)),
        )


def _with_split_key(piece: Piece, common_titles: frozenset[int]) -> Piece:
    """Makes a piece's title its split key, unless the title is too common."""
    if not piece.title or hash(piece.title) in common_titles:
        return piece
    return replace(piece, split_key=piece.title)


@contextmanager
def _looking_into(found: Input) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _closed(found.name, error) from error


def _closed(name: str, error: OSError) -> DataError:
    path = name if error.filename in (None, name) else f"{readable(error.filename)} in {name}"
    return DataError(
        f"{path}, which can't be looked into ({error.strerror})",
        expected="files and folders that may be read",
        action="Change their permissions, or leave them out.",
        field="inputs",
    )


def _no_music(found: Input) -> MusicVAEError:
    if found.is_file:
        return ScoreError(
            f"{found.name}, which is no music that can be read",
            expected=_KINDS,
            action="Export it as MIDI or MusicXML.",
            field="inputs",
        )
    return DataError(
        f"no music in {found.name}",
        expected=_KINDS,
        action="Check the path; give an archive within it as an input of its own.",
        field="inputs",
    )
