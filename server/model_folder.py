"""A folder of bundles that a server follows."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from musicvae.bundle.format import CONFIG_FILE, read_name
from musicvae.errors import BusyError, MusicVAEError

from .models import Models

log = logging.getLogger(__name__)


class ModelFolder:
    """Follows a folder of bundles: what is new or changed is loaded, what is gone is unloaded.

    Args:
        folder: The folder; each folder in it with a `config.json` is a bundle.
        models: The models of the server.
    """

    def __init__(self, folder: Path, models: Models) -> None:
        self._folder, self._models = folder, models
        self._seen = {path: _state(path) for path in find_bundles(folder)}
        self._names = {path: read_name(path) for path in self._seen}

    async def follow(self, pause_s: float) -> None:
        """Looks at the folder again and again."""
        while True:
            await asyncio.sleep(pause_s)
            try:
                await self.look()
            except OSError as error:  # a file that went away during the look
                log.warning("%s is looked at again: %s", self._folder, error)

    async def look(self) -> None:
        """Looks at the folder once. What fails is told in the log, and changes nothing."""
        found = {path: _state(path) for path in find_bundles(self._folder)}
        for path in [path for path, state in found.items() if self._seen.get(path) != state]:
            try:
                self._names[path] = (await self._models.load(path)).name
            except BusyError as error:
                log.warning("%s is loaded later: %s", path.name, error)
                continue
            except MusicVAEError as error:
                log.warning("%s is not loaded: %s", path.name, error)
            self._seen[path] = found[path]
        for path in self._seen.keys() - found.keys():
            del self._seen[path]
            name = self._names.pop(path, "")
            if name in self._models.names and name not in self._names.values():
                try:
                    await self._models.unload(name)
                except MusicVAEError as error:
                    log.warning("%s stays: %s", name, error)


def find_bundles(folder: Path) -> list[Path]:
    """The bundles in a folder, sorted by name."""
    return sorted(path.parent for path in folder.glob(f"*/{CONFIG_FILE}"))


def _state(bundle: Path) -> list[tuple[str, int, int]]:
    """The names, sizes and times of a bundle's files: a change of a file changes them."""
    files = [(path, path.stat()) for path in sorted(bundle.iterdir()) if path.is_file()]
    return [(path.name, found.st_size, found.st_mtime_ns) for path, found in files]
