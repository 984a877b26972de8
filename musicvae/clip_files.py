"""Clips as files in a folder: each whole or not at all, and never over an earlier result."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from musicvae import midi
from musicvae.clips import Clip
from musicvae.errors import MidiError
from musicvae.plots import piano_rolls
from musicvae.requests import Excerpt


@dataclass(frozen=True)
class Kept:
    """A file that was written, and what it holds in a few words."""

    path: Path
    content: str


def read_excerpt(path: Path, *, start_bar: int | None, reduce: bool) -> Excerpt:
    """Reads a MIDI file as a request's input.

    Raises:
        MidiError: If it is no MIDI file, or past the limits.
    """
    try:
        notes = midi.read(path.read_bytes())
    except MidiError as error:
        found = f"{path}: {error.found}"
        raise MidiError(found, expected=error.expected, action=error.action) from error
    return Excerpt(notes=notes, start_bar=start_bar, reduce=reduce)


def keep(
    folder: Path, command: str, clips: Iterable[tuple[str, Clip]], *, draws_picture: bool
) -> Iterator[Kept]:
    """Writes each clip as it comes, `COMMAND-SEED-INDEX.mid`, and at last a picture of all.

    Args:
        folder: Made where it is missing.
        command: What made the clips.
        clips: Each with a title.
        draws_picture: Whether all of them are drawn as piano rolls, too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept: list[tuple[str, Clip]] = []
    for title, clip in clips:
        data = clip.to_midi()
        path = _free(folder / f"{command}-{clip.seed}-{len(kept):03d}.mid", data)
        write(path, data)
        kept.append((title, clip))
        yield Kept(path, f"{title}, {len(clip.notes.notes)} notes")
    if draws_picture and kept:
        first = kept[0][1]
        drawn = folder / f"{command}-{first.seed}.drawn.png"
        piano_rolls(
            [clip.notes for _, clip in kept],
            drawn,
            titles=[title for title, _ in kept],
            suptitle=f"{command} · {first.model} · seed {first.seed}",
        )
        picture = _free(folder / f"{command}-{first.seed}.png", drawn.read_bytes())
        drawn.rename(picture)
        yield Kept(picture, "all as piano rolls")


def write(path: Path, data: bytes) -> None:
    """Writes a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(data)
    partial.rename(path)


def _free(path: Path, data: bytes) -> Path:
    """A path that holds these bytes or nothing yet."""
    candidate, number = path, 2
    while candidate.exists() and candidate.read_bytes() != data:
        candidate, number = path.with_stem(f"{path.stem}-{number}"), number + 1
    return candidate
