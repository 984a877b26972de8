"""The work of a worker that cuts: it imports no stage that comes later, so it starts sooner."""

import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

from musicvae.work.batch import Begin

from .chunks import Chunk, chunk_path, cut_chunk
from .excerpts import CutSettings


def cut_to_file(settings: CutSettings, folder: Path, chunk: Chunk, begin: Begin) -> None:
    """Cuts a chunk and writes its file into the folder."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # parsers warn of every oddity of every file
        cut_chunk(chunk, settings, folder, begin)


def cut_to_bytes(settings: CutSettings, chunk: Chunk, begin: Begin) -> bytes:
    """Cuts a chunk, and returns the bytes of its file."""
    with TemporaryDirectory() as folder:
        cut_to_file(settings, Path(folder), chunk, begin)
        return chunk_path(Path(folder), chunk).read_bytes()
