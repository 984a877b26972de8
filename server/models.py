"""The models that are served: loaded, swapped and unloaded while calls go on.

A call keeps the engine that it began with, so that a change drops no call.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, KeysView, Sequence
from dataclasses import replace
from pathlib import Path

from musicvae.bundle.format import Bundle, check_name, load
from musicvae.errors import SettingError
from musicvae.generation.engine import Engine
from musicvae.generation.replies import ModelInfo

from .health import Health

Prove = Callable[[ModelInfo, Engine], Awaitable[None]]
"""Makes music with one model of an engine, and raises a `BundleError` if it has no notes."""

log = logging.getLogger(__name__)


class Models:
    """The models of a server.

    Args:
        bundles: The models at the start; the first is the default model.
        health: Says which models are served.
        prove: Checks a new model before it is served.
        most_bytes: The limit of the sizes of all bundles together.

    Attributes:
        engine: Answers new calls.
    """

    def __init__(
        self, bundles: Sequence[Bundle], health: Health, prove: Prove, most_bytes: int
    ) -> None:
        self.engine = Engine(bundles)
        self._bundles = {bundle.name: bundle for bundle in bundles}
        self._health, self._prove, self._most_bytes = health, prove, most_bytes
        self._changing = asyncio.Lock()
        for name in self._bundles:
            health.add(name)

    @property
    def names(self) -> KeysView[str]:
        """The names of the models, also after later changes."""
        return self._bundles.keys()

    async def prove_all(self) -> None:
        """Makes music with every model; each is then served.

        Raises:
            BundleError: If a model makes no notes.
        """
        for model in self.engine.models():
            await self._prove(model, self.engine)
            self._health.serve(model.name)

    async def load(self, folder: str | Path, name: str = "") -> ModelInfo:
        """Loads a bundle and serves it, in place of a model of its name.

        What was served before is served on until the new model has made music.

        Args:
            folder: The folder of the bundle, or the name of an embedded bundle.
            name: The name to serve it under; empty for the bundle's own.

        Raises:
            MusicVAEError: If the bundle is not found or damaged, makes no notes, or is too large
                beside the others.
        """
        async with self._changing:
            bundle = await asyncio.to_thread(load, folder)
            if name:
                check_name(name)
                bundle = replace(bundle, name=name)
            alone = Engine([bundle])
            (model,) = alone.models()
            self._check_size(model)
            await self._prove(model, alone)
            self._health.add(bundle.name)
            # A model that is replaced keeps its place: the default model stays the default.
            self._bundles[bundle.name] = bundle
            self.engine = Engine(list(self._bundles.values()))
            self._health.serve(bundle.name)
            log.info("loaded model %s %s", bundle.name, bundle.version)
            return model

    async def unload(self, name: str) -> None:
        """Serves a model no longer; calls in progress finish.

        Raises:
            ModelNotFoundError: If there is no such model.
            SettingError: If it is the last.
        """
        async with self._changing:
            self.engine.model(name)
            if len(self._bundles) == 1:
                raise SettingError(
                    f"the last model, {name}",
                    expected="a model that is left",
                    action="Load another model first.",
                    field="name",
                )
            del self._bundles[name]
            self.engine = Engine(list(self._bundles.values()))
            self._health.remove(name)
            log.info("unloaded model %s", name)

    def _check_size(self, model: ModelInfo) -> None:
        others = [each.size_bytes for each in self.engine.models() if each.name != model.name]
        size = sum(others) + model.size_bytes
        if size > self._most_bytes:
            raise SettingError(
                f"{size} bytes of models with {model.name}",
                expected=f"at most {self._most_bytes}",
                action="Unload a model first.",
                field="folder",
            )
