"""Clips as files in a folder: each whole or not at all, and never over an earlier result."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from musicvae.files import temporary_file
from musicvae.generation.replies import Clip

_MOST_NAME = 64  # characters of a model's name in the name of a file


@dataclass(frozen=True)
class Kept:
    """A written file, and its content in a few words."""

    path: Path
    content: str


def keep(
    folder: Path,
    command: str,
    clips: Iterable[tuple[str, Clip]],
    *,
    draws_picture: bool,
    labels: Sequence[str] = (),
) -> Iterator[Kept]:
    """Writes each clip as it comes as `MODEL-COMMAND-SEED-LABEL.mid`, and a picture of all.

    Args:
        folder: The folder, made with the first clip if it is missing.
        command: The command or request that made the clips.
        clips: The clips, each with a title.
        draws_picture: Whether to write all clips as piano rolls to `MODEL-COMMAND-SEED.png`.
        labels: One for each clip; by default the clips are numbered from 000.
    """
    kept: list[tuple[str, Clip]] = []
    for title, clip in clips:
        label = labels[len(kept)] if labels else f"{len(kept):03d}"
        path = folder / f"{_stem(clip, command)}-{label}.mid"
        folder.mkdir(parents=True, exist_ok=True)
        with temporary_file(path) as file:
            file.write_bytes(clip.to_midi())
            path = _keep(file, path)
        kept.append((title, clip))
        yield Kept(path, f"{title}, {_content(clip)}")
    if draws_picture and kept:
        from musicvae.report.plots import piano_rolls  # noqa: PLC0415  # matplotlib takes half a second

        first = kept[0][1]
        path = folder / f"{_stem(first, command)}.png"
        with temporary_file(path) as file:
            piano_rolls(
                [clip.notes for _, clip in kept],
                file,
                titles=[title for title, _ in kept],
                suptitle=f"{command} · {first.model} · seed {first.seed}",
            )
            path = _keep(file, path)
        yield Kept(path, "all as piano rolls")


def _content(clip: Clip) -> str:
    """The number of notes, the chords that they play over, and the cost of the constraint."""
    chords = f", over {clip.chords}" if clip.chords and clip.notes.chords else ""
    cost = "" if clip.constraint_nats is None else f", cost {clip.constraint_nats:.1f} nats"
    return f"{len(clip.notes.notes)} notes{chords}{cost}"


def _stem(clip: Clip, command: str) -> str:
    # A server may give its model any name, such as ../../home.
    model = re.sub(r"[^\w-]+", "_", clip.model)[:_MOST_NAME]
    return f"{model}-{command}-{clip.seed}"


def _keep(file: Path, path: Path) -> Path:
    """Gives a file its name, with a number if a file of other content has that name already."""
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
    """Gives a whole file its name in one step, since another command may write the same names.

    Raises:
        FileExistsError: If the name is taken.
    """
    try:
        os.link(file, candidate)
    except FileExistsError:
        raise
    except OSError:  # a disk without links, such as exFAT: take the name, then fill the file
        candidate.touch(exist_ok=False)
        file.replace(candidate)
