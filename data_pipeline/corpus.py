"""The first stage: finds the pieces in the inputs, and gives each a stable id.

Conventions: an input is a file, a folder, or `music21:NAME` for a collection in music21's corpus.
What a file is, its content says (MIDI by its first bytes); scores go by their endings. Each tune of
an ABC file is a piece. An id is the source's name and the path within it, with `#NUMBER` for a tune
of an ABC file; nothing of an id comes from where the input lies.
"""

import hashlib
import importlib.util
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from musicvae.errors import DataError, ScoreError

BEATS_NAME = "beat_midi.txt"
"""A list of beat times that some collections keep beside a performance."""

_MUSIC21 = "music21:"
_MIDI_ENDINGS = {".mid", ".midi"}
_XML_ENDINGS = {".mxl", ".musicxml", ".xml"}
_ABC_ENDINGS = {".abc"}
_TUNE = re.compile(rb"^X:[ \t]*(\d*)", re.MULTILINE)
_TITLE = re.compile(rb"^T:[ \t]*(.*?)[ \t]*\r?$", re.MULTILINE)
_NO_TITLE = re.compile(
    r"the|reel|jig|hornpipe|polka|march|strathspey|waltz|mazurka|quickstep|highlandfling|air|[0-9]+$"
)
"""What one collection adds to a tune's name and another leaves out."""

MOST_NAMESAKES = 5
"""A name that more pieces of a source bear is no title (`Minuet`, `track 7`)."""

_LICENCE_NAMES = re.compile(r"(licen[cs]e|copying)(\.(md|txt))?", re.IGNORECASE)

_ENCODED = "distributed with music21 by permission of its encoders, see music21/corpus/license.txt"
_MUSIC21_LICENCES = {
    "oneills1850": f"public-domain tunes (O'Neill 1903), {_ENCODED}",
    "ryansMammoth": f"public-domain tunes (Ryan 1883), {_ENCODED}",
    "airdsAirs": f"public-domain tunes (Aird 1778-1801), {_ENCODED}",
    "essenFolksong": f"legal status unclear, not for commercial use, {_ENCODED}",
}


@dataclass(frozen=True, kw_only=True)
class Piece:
    """One piece of music that was found, not yet read.

    Attributes:
        id: Unique within the data set.
        source: The name of its source.
        kind: How it is read: `midi`, `musicxml` or `abc`.
        title: Its normalised title; empty where it has none.
        path: The file it is in.
        split_key: What the split hashes: pieces of one key go to the same side.
        header_bytes: For a tune of an ABC file, the size of the file's own head.
        tune_bytes: For a tune of an ABC file, where it starts and ends.
        beats_path: A list of beat times beside a MIDI file.
    """

    id: str
    source: str
    kind: str
    title: str
    path: Path
    split_key: str
    header_bytes: int = 0
    tune_bytes: tuple[int, int] | None = None
    beats_path: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """All pieces of one input, in order of their ids, and the licence where one was found."""

    source: str
    licence: str | None
    pieces: tuple[Piece, ...]


def find_corpora(inputs: Sequence[str]) -> tuple[Corpus, ...]:
    """Finds every piece in the inputs.

    Raises:
        ScoreError: If a file is no music that can be read.
        DataError: If an input is not there, or a folder holds no music.
    """
    if not inputs:
        raise DataError(
            "no inputs",
            expected="at least one file, folder or music21 collection",
            action="Name one, such as music21:ryansMammoth.",
            field="inputs",
        )
    corpora: list[Corpus] = []
    for name in inputs:
        taken = {corpus.source for corpus in corpora}
        try:
            corpora.append(_find_corpus(name, taken))
        except OSError as error:
            raise DataError(
                f"{name}, which can't be looked into ({error.strerror})",
                expected="files and folders that may be read",
                action="Change their permissions, or leave them out.",
                field="inputs",
            ) from error
    return tuple(corpora)


def normalise_title(title: str) -> str:
    """Brings the titles and file names of one tune in several collections together.

    It rather takes two tunes for one than one for two. Empty where nothing but a kind of dance or a
    number is named.

    >>> normalise_title("The Wind That Shakes The Barley -- Reel")
    'windthatshakesbarley'
    >>> normalise_title("WindThatShakestheBarleyreelThe")
    'windthatshakesbarley'
    """
    plain = unicodedata.normalize("NFKD", title.split("--", maxsplit=1)[0]).lower()
    return _NO_TITLE.sub("", re.sub(r"\W|_", "", plain))


def _find_corpus(name: str, taken: set[str]) -> Corpus:
    licence: str | None
    if name.startswith(_MUSIC21):
        collection = name.removeprefix(_MUSIC21)
        root = _music21_folder(collection)
        source, licence = name, _MUSIC21_LICENCES.get(collection, _ENCODED)
    else:
        root = Path(name).resolve()
        if not root.exists():
            raise DataError(
                f"no file or folder {name}",
                expected="a MIDI file, a score, a folder of them, or music21:NAME",
                action="Check the path.",
                field="inputs",
            )
        source, licence = _readable(root.name), _find_licence(root)
    numbers = (f"{source}-{number}" for number in count(2))
    source = source if source not in taken else next(new for new in numbers if new not in taken)
    paths = [root]
    if root.is_dir():
        paths = sorted(
            (path for path in root.rglob("*") if path.is_file()),
            key=lambda path: path.relative_to(root).as_posix(),
        )
    pieces = _with_titles([piece for path in paths for piece in _find_pieces(path, root, source)])
    if not pieces and root.is_file():
        raise ScoreError(
            f"{name}, which is no music that can be read",
            expected="a MIDI file, or a score ending in .abc, .mxl, .musicxml or .xml",
            action="Export it as MIDI or MusicXML.",
            field="inputs",
        )
    if not pieces:
        raise DataError(
            f"no music in the folder {name}",
            expected="MIDI files, or scores ending in .abc, .mxl, .musicxml or .xml",
            action="Check the path, and unpack archives first.",
            field="inputs",
        )
    return Corpus(source=source, licence=licence, pieces=pieces)


def _music21_folder(collection: str) -> Path:
    spec = importlib.util.find_spec("music21")
    # Importing music21 takes a second; its folder is known without.
    assert spec is not None and spec.submodule_search_locations
    corpus = Path(spec.submodule_search_locations[0]) / "corpus"
    folder = corpus / collection
    if not re.fullmatch(r"\w[\w-]*", collection) or not folder.is_dir():
        raise DataError(
            f"no collection {collection!r} in music21's corpus",
            expected=f"one such as {', '.join(sorted(_MUSIC21_LICENCES))}",
            action=f"Give {_MUSIC21}NAME with the name of a folder in music21's corpus.",
            field="inputs",
        )
    return folder


def _find_licence(root: Path) -> str | None:
    folder = root if root.is_dir() else root.parent
    for path in sorted(folder.iterdir()):
        if path.is_file() and _LICENCE_NAMES.fullmatch(path.name):
            text = path.read_text(encoding="utf-8", errors="replace")
            lines = (line.strip(" #\t") for line in text.splitlines())
            return next((line[:200] for line in lines if line), None)
    return None


def _with_titles(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """Gives pieces that have a title of their own that title as the split's key."""
    namesakes = Counter(piece.title for piece in pieces)
    return tuple(
        replace(piece, split_key=piece.title)
        if piece.title and namesakes[piece.title] <= MOST_NAMESAKES
        else piece
        for piece in pieces
    )


def _find_pieces(path: Path, root: Path, source: str) -> Iterator[Piece]:
    ending = path.suffix.lower()
    performance = _performance(path, root)
    piece = Piece(
        id=f"{source}/{_within(path, root)}",
        source=source,
        kind="midi",
        title="" if performance is not path else normalise_title(_readable(path.stem)),
        path=path,
        split_key=_within(performance.with_suffix(""), root),
    )
    if ending in _ABC_ENDINGS:
        yield from _find_tunes(replace(piece, kind="abc"))
    elif ending in _XML_ENDINGS:
        yield replace(piece, kind="musicxml")
    elif ending in _MIDI_ENDINGS or _starts_as_midi(path):
        beats = path.parent / BEATS_NAME
        yield replace(piece, beats_path=beats if beats.is_file() else None)


def _within(path: Path, root: Path) -> str:
    is_below = root in path.parents
    return _readable(path.relative_to(root).as_posix() if is_below else path.name)


def _performance(path: Path, root: Path) -> Path:
    """The file whose key a file shares: its own, unless it is a version of another.

    A folder with a list of beats is one song, in however many versions within and below it; the
    first MIDI file beside the list stands for it.
    """
    for folder in path.parents[: len(path.relative_to(root).parts)]:
        if (folder / BEATS_NAME).is_file():
            files = sorted(file for file in folder.iterdir() if file.suffix in _MIDI_ENDINGS)
            return next(iter(files), path)
    return path


def _readable(name: str) -> str:
    """A file's name as text that can be written, even where the name is in no known encoding."""
    return name.encode(errors="surrogateescape").decode(errors="replace")


def _starts_as_midi(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(4) == b"MThd"
    except OSError:
        return False


def _find_tunes(file: Piece) -> Iterator[Piece]:
    try:
        data = file.path.read_bytes()
    except OSError:
        data = b""  # reading the piece will say why
    starts = list(_TUNE.finditer(data))
    if not starts:
        yield file
        return
    ends = [match.start() for match in starts[1:]] + [len(data)]
    for index, (match, end) in enumerate(zip(starts, ends, strict=True)):
        title = _TITLE.search(data, match.start(), end)
        number = match[1].decode() or "0"
        # Numbers repeat in files that were joined: the place in the file tells them apart.
        yield replace(
            file,
            id=f"{file.id}#{index + 1}:{number}",
            title=normalise_title(title[1].decode("utf-8", errors="replace")) if title else "",
            split_key=_hash(data[match.start() : end]),
            header_bytes=starts[0].start(),
            tune_bytes=(match.start(), end),
        )


def _hash(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()
