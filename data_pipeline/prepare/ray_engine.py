"""Cuts chunks on the machines of a Ray cluster, which see the same files as this one.

Each actor has one process of its own for the pieces, as a run on one machine has: a file that ends
it costs neither the actor nor its chunk. A chunk's file comes back as bytes and is written here, so
that a run that was killed goes on, with this engine or the other.
"""

import logging
import os
import pickle
import tempfile
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

import musicvae
from musicvae.data_pipeline.cut.chunks import Chunk, unwritable
from musicvae.errors import SettingError
from musicvae.files import write_file

from .workers import Pool, WorkSettings

_MOST_CHUNKS = 512
"""A data set of Ray has so many chunks: it starts its actors anew for each."""

_MOST_BYTES = 256 * 1024**2
"""And no more bytes than that: pieces from a compressed archive travel with theirs."""

PACKAGE_FOLDER = Path(musicvae.__file__).parent.parent
"""Ray's actors look for modules where Ray was started, before all else: in a checkout's folder they
would find a part of this package."""

_STORE_BYTES = 512 * 1024**2
"""Ray's own store, where we start it: enough for what is on the way."""


def run_ray(
    chunks: Iterator[Chunk],
    settings: WorkSettings,
    folder: Path,
    *,
    workers: int,
    address: str | None,
) -> Iterator[Chunk]:
    """Cuts chunks on a cluster, or on one that is started here where `address` is None.

    Raises:
        SettingError: If Ray is not installed, or there is no cluster at the address.
    """
    ray = _import_ray()
    is_ours = not ray.is_initialized()
    if is_ours:
        _start(ray, address, workers)
    try:
        while window := _take(chunks):
            yield from _run_window(ray, window, settings, folder, workers)
    finally:
        if is_ours:
            ray.shutdown()


def _run_window(
    ray: Any, window: dict[int, tuple[Chunk, bytes]], settings: WorkSettings, folder: Path,
    workers: int,
) -> Iterator[Chunk]:  # fmt: skip
    rows = [{"chunk": packed} for _, packed in window.values()]
    done = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
        _CutOnRay,
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=min(workers, len(rows))),
        fn_constructor_kwargs={"settings": settings},
    )
    for row in done.iter_rows():
        chunk, _ = window[int(row["number"])]
        try:
            write_file(folder / chunk.name, row["file"], is_durable=True)
        except OSError as error:
            raise unwritable(folder, error) from error
        yield chunk


def _take(chunks: Iterator[Chunk]) -> dict[int, tuple[Chunk, bytes]]:
    """The next chunks by their numbers, and as bytes."""
    window: dict[int, tuple[Chunk, bytes]] = {}
    size = 0
    while len(window) < _MOST_CHUNKS and size < _MOST_BYTES:
        chunk = next(chunks, None)
        if chunk is None:
            break
        window[chunk.number] = chunk, pickle.dumps(chunk)
        size += len(window[chunk.number][1])
    return window


class _CutOnRay:
    """An actor: chunks in, their files out."""

    def __init__(self, settings: WorkSettings) -> None:
        self._pool = Pool(settings, workers=1)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        numbers, files = [], []
        for packed in batch["chunk"]:
            chunk = pickle.loads(packed)  # noqa: S301  # our own, from `_take`
            with tempfile.TemporaryDirectory() as folder:
                for done in self._pool.run([chunk], Path(folder)):
                    numbers.append(done.number)
                    files.append((Path(folder) / done.name).read_bytes())
        return {"number": numbers, "file": files}


def _import_ray() -> Any:
    # It asks the network for nothing, and tells nobody of this run.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray  # noqa: PLC0415  # an extra
        import ray.data  # noqa: PLC0415
    except ImportError as error:
        raise SettingError(
            "the engine ray without Ray",
            expected="Ray, which comes with an extra",
            action="Install musicvae[cluster], or leave --engine out.",
            field="engine",
        ) from error
    return ray


def _start(ray: Any, address: str | None, workers: int) -> None:
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address is None:
        options |= {
            "num_cpus": max(workers, 1) + 1,
            "include_dashboard": False,
            "object_store_memory": _STORE_BYTES,
        }
    try:
        with chdir(PACKAGE_FOLDER):
            ray.init(address=address, **options)
    except (ConnectionError, ValueError) as error:
        raise SettingError(
            f"no Ray cluster at {address}",
            expected="the address of one, such as 10.0.0.1:6379 or auto",
            action="Start it with `ray start --head`, or leave --address out.",
            field="address",
        ) from error
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    for name in ("ray.data", "ray"):
        logging.getLogger(name).setLevel(logging.ERROR)
