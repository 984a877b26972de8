"""Runs work on a Ray cluster, whose machines see the same files as this machine.

Each actor runs a pool of one worker process: an item that ends its process harms neither the actor
nor the other items of its batch.
"""

import logging
import os
import pickle
import socket
from collections.abc import Iterable, Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from musicvae.errors import SettingError

from .batch import Batch, Item, Limits, Result, Work
from .pool import Pool

PACKAGE_FOLDER = Path(__file__).parents[2]
"""Ray's actors search for modules first in the folder where Ray was started: in a checkout's folder
they would find a part of this package."""

_MOST_BATCHES = 512
"""The number of batches in a Ray data set. Ray starts its actors anew for each data set."""

_MOST_BYTES = 256 * 1024**2
"""The limit of bytes in a Ray data set."""

_STORE_BYTES = 512 * 1024**2
"""The size of Ray's object store, if we start Ray: enough for the batches and results in flight."""

_CLIENT_PORT = 10001
_CONNECT_TIMEOUT_S = 5.0


def run_on_ray(
    work: Work[Item, Result],
    batches: Iterable[Batch[Item]],
    limits: Limits,
    *,
    workers: int,
    address: str | None,
) -> Iterator[tuple[Batch[Item], Result]]:
    """Yields each batch with its result.

    Args:
        work: The function for each batch.
        batches: The batches.
        limits: The limits on each worker.
        workers: The number of actors.
        address: The cluster's address; None starts a cluster on this machine.

    Raises:
        OSError: If the work can't write.
        SettingError: If Ray is not installed, or no cluster answers at the address.
    """
    ray = _import_ray()
    is_ours = not ray.is_initialized()
    if is_ours:
        _start(ray, address, workers)
    try:
        waiting = iter(batches)
        while window := _take(waiting):
            rows = [{"batch": packed} for _, packed in window.values()]
            done = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
                _Actor,
                batch_size=1,
                compute=ray.data.ActorPoolStrategy(min_size=1, max_size=min(workers, len(rows))),
                fn_constructor_kwargs={"work": pickle.dumps(work), "limits": limits},
            )
            for row in done.iter_rows():
                result = pickle.loads(row["result"])  # noqa: S301  # our own, from `_Actor`
                yield window[int(row["number"])][0], result
    finally:
        if is_ours:
            ray.shutdown()


def _take(waiting: Iterator[Batch[Item]]) -> dict[int, tuple[Batch[Item], bytes]]:
    """The next batches by their numbers, each also as bytes."""
    window: dict[int, tuple[Batch[Item], bytes]] = {}
    size = 0
    while len(window) < _MOST_BATCHES and size < _MOST_BYTES:
        batch = next(waiting, None)
        if batch is None:
            break
        window[batch.number] = batch, pickle.dumps(batch)
        size += len(window[batch.number][1])
    return window


class _Actor:
    """One of Ray's actors: batches in, results out."""

    def __init__(self, work: bytes, limits: Limits) -> None:
        self._pool: Pool[Any, Any] = Pool(pickle.loads(work), limits, workers=1)  # noqa: S301  # our own

    def __call__(self, rows: dict[str, Any]) -> dict[str, Any]:
        batches = [pickle.loads(packed) for packed in rows["batch"]]  # noqa: S301  # from `_take`
        done = list(self._pool.run(batches))
        return {
            "number": [batch.number for batch, _ in done],
            "result": [pickle.dumps(result) for _, result in done],
        }


def _import_ray() -> Any:
    # Ray downloads nothing, and reports no usage.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray  # noqa: PLC0415  # an extra
        import ray.data  # noqa: PLC0415
    except ImportError as error:
        raise SettingError(
            "the engine ray without Ray",
            expected="Ray, which an extra of musicvae installs",
            action="Install musicvae[cluster], or leave out `engine`.",
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
        if address not in (None, "auto", "local"):
            _reach(str(address))
        with chdir(PACKAGE_FOLDER):
            ray.init(address=address, **options)
    except (OSError, ValueError) as error:
        raise SettingError(
            f"no Ray cluster at {address}",
            expected="a cluster's address, such as 10.0.0.1:6379 or auto",
            action="Start a cluster with `ray start --head`, or leave out `address`.",
            field="address",
        ) from error
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    for name in ("ray.data", "ray"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _reach(address: str) -> None:
    """Connects to an address once: Ray itself would try again for half a minute.

    Raises:
        OSError: If nothing answers at the address.
        ValueError: If the text is no address.
    """
    place = urlsplit(address if "://" in address else f"//{address}")
    socket.create_connection(
        (place.hostname or "", place.port or _CLIENT_PORT), _CONNECT_TIMEOUT_S
    ).close()
