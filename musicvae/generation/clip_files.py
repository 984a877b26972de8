"""Clips as files in a folder: each whole or not at all, and never over an earlier result."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from musicvae.errors import MidiError
from musicvae.files import temporary_file
from musicvae.generation.replies import Clip
from musicvae.generation.requests import Excerpt
from musicvae.music import midi


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
        folder: Made with the first clip where it is missing.
        command: What made the clips.
        clips: Each with a title.
        draws_picture: Whether all of them are drawn as piano rolls, too.
    """
    kept: list[tuple[str, Clip]] = []
    for title, clip in clips:
        path = folder / f"{command}-{clip.seed}-{len(kept):03d}.mid"
        folder.mkdir(parents=True, exist_ok=True)
        with temporary_file(path) as file:
            file.write_bytes(clip.to_midi())
            path = _keep(file, path)
        kept.append((title, clip))
        yield Kept(path, f"{title}, {len(clip.notes.notes)} notes")
    if draws_picture and kept:
        from musicvae.report.plots import piano_rolls  # noqa: PLC0415  # matplotlib takes half a second

        first = kept[0][1]
        path = folder / f"{command}-{first.seed}.png"
        with temporary_file(path) as file:
            piano_rolls(
                [clip.notes for _, clip in kept],
                file,
                titles=[title for title, _ in kept],
                suptitle=f"{command} · {first.model} · seed {first.seed}",
            )
            path = _keep(file, path)
        yield Kept(path, "all as piano rolls")


def _keep(file: Path, path: Path) -> Path:
    """Names a file after its path, with a number where a file of another content has that name."""
    candidate, number = path, 2
    while True:
        try:
            _link(file, candidate)
        except FileExistsError:
            if candidate.is_file() and candidate.read_bytes() == file.read_bytes():
                return candidate
        else:
            return candidate
        candidate = path.with_stem(f"{path.stem}-{number}")
        number += 1


def _link(file: Path, candidate: Path) -> None:
    """Names a file, at once and whole: another command may be writing the same names.

    Raises:
        FileExistsError: If the name is taken.
    """
    try:
        os.link(file, candidate)
    except FileExistsError:
        raise
    except OSError:  # the disk knows no links (exFAT, say): take the name, then fill it
        candidate.touch(exist_ok=False)
        file.replace(candidate)
