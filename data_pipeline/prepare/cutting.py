"""Cuts chunks in worker processes, on this machine or on a Ray cluster; each becomes one file."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from musicvae.data_pipeline.cut.chunks import Chunk, chunk_path
from musicvae.data_pipeline.cut.excerpts import CutSettings
from musicvae.data_pipeline.cut.work import cut_to_bytes, cut_to_file
from musicvae.errors import DataError
from musicvae.files import write_file
from musicvae.work import Limits, Pool

UNSURE = ("crashed", "timed_out", "out_of_memory")
"""The reasons for rejecting a piece that depend on the machine and the moment, too."""


def cut_chunks(
    chunks: Iterator[Chunk],
    settings: CutSettings,
    folder: Path,
    limits: Limits,
    *,
    workers: int,
    address: str | None = None,
    on_ray: bool = False,
) -> Iterator[Chunk]:
    """Writes the file of each chunk into the folder, and yields each chunk when it is written.

    Args:
        chunks: The chunks.
        settings: The settings of cutting.
        folder: The folder of the files.
        limits: The limits on each worker.
        workers: The number of processes, or of Ray's actors.
        address: The Ray cluster's; None starts a cluster on this machine.
        on_ray: Whether Ray does the work. A chunk's file then comes back as bytes.

    Raises:
        DataError: If the folder can't be written.
        SettingError: If Ray is not installed, or there is no cluster at the address.
    """
    try:
        if on_ray:
            # Ray is an extra, and takes a second to import.
            from musicvae.work.ray_engine import run_on_ray  # noqa: PLC0415

            work = partial(cut_to_bytes, settings)
            for chunk, data in run_on_ray(work, chunks, limits, workers=workers, address=address):
                write_file(chunk_path(folder, chunk), data, is_durable=True)
                yield chunk
        else:
            with Pool(partial(cut_to_file, settings, folder), limits, workers=workers) as pool:
                for chunk, _ in pool.run(chunks):
                    yield chunk
    except OSError as error:
        raise DataError(
            f"{folder}, which can't be written ({error.strerror or error})",
            expected="a folder with room for the excerpts",
            action="Make room, or choose another folder; run again, and it goes on where it was.",
            field="out",
        ) from error
