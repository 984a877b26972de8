"""Clips as files in a folder: each whole or not at all, and never over an earlier result."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from musicvae.errors import MidiError
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
        with _partial(folder / f"{command}-{clip.seed}-{len(kept):03d}.mid") as partial:
            partial.file.write_bytes(clip.to_midi())
            path = partial.keep()
        kept.append((title, clip))
        yield Kept(path, f"{title}, {len(clip.notes.notes)} notes")
    if draws_picture and kept:
        from musicvae.report.plots import piano_rolls  # noqa: PLC0415  # matplotlib takes half a second

        first = kept[0][1]
        with _partial(folder / f"{command}-{first.seed}.png") as partial:
            piano_rolls(
                [clip.notes for _, clip in kept],
                partial.file,
                titles=[title for title, _ in kept],
                suptitle=f"{command} · {first.model} · seed {first.seed}",
            )
            path = partial.keep()
        yield Kept(path, "all as piano rolls")


def write(path: Path, data: bytes) -> None:
    """Writes a file whole or not at all, in place of the one that is there."""
    with _partial(path) as partial:
        partial.file.write_bytes(data)
        partial.file.replace(path)


@dataclass(frozen=True)
class _Partial:
    """A file that is being written, and the path that it is for."""

    file: Path
    path: Path

    def keep(self) -> Path:
        """Names it after its path, with a number where a file of another content has that name."""
        candidate, number = self.path, 2
        while True:
            try:
                self._link(candidate)
            except FileExistsError:
                if candidate.is_file() and candidate.read_bytes() == self.file.read_bytes():
                    return candidate
            else:
                return candidate
            candidate = self.path.with_stem(f"{self.path.stem}-{number}")
            number += 1

    def _link(self, candidate: Path) -> None:
        """Names it, at once and whole: another command may be writing the same names.

        Raises:
            FileExistsError: If the name is taken.
        """
        try:
            os.link(self.file, candidate)
        except FileExistsError:
            raise
        except OSError:  # the disk knows no links (exFAT, say): take the name, then fill it
            candidate.touch(exist_ok=False)
            self.file.replace(candidate)


@contextmanager
def _partial(path: Path) -> Iterator[_Partial]:
    """A file to fill in the folder of `path`, which is made; whatever happens, it does not stay.

    Raises:
        OSError: With a `filename`, which Python leaves out where a disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not of `tempfile`, whose files no one else may read.
    file = path.with_name(f"{path.stem}.{secrets.token_hex(8)}.partial{path.suffix}")
    try:
        yield _Partial(file, path)
    except OSError as error:
        error.filename = str(path)
        raise
    finally:
        file.unlink(missing_ok=True)
