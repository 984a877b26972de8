"""A latent space of music: train it, sample it, morph it, serve it.

>>> import musicvae
>>> model = musicvae.load("melody-2bar")
>>> first, second = model.sample(2, seed=7)
>>> z = model.encode([first, second])
>>> (between,) = model.decode(z.mean(axis=0))
>>> path = between.save("between.mid")

A model takes notes, paths of MIDI files, and clips. `clip.show()` shows a clip and plays it; a
notebook does so by itself. `Engine` and `Client` answer requests, in this process or by a server.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import version

    from musicvae.errors import MusicVAEError
    from musicvae.generation.engine import Engine
    from musicvae.generation.inputs import Excerpt
    from musicvae.generation.loaded_model import Model, load
    from musicvae.generation.replies import Clip
    from musicvae.generation.requests import (
        DecodeRequest,
        EncodeRequest,
        GrooveRequest,
        InterpolateRequest,
        SampleRequest,
        TransformRequest,
    )
    from musicvae.generation.sounds import Sound
    from musicvae.music import midi
    from musicvae.music.midi import read as read_midi
    from musicvae.music.notes import Note, NoteSequence
    from musicvae.rpc.async_client import AsyncClient
    from musicvae.rpc.client import Client
    from musicvae.rpc.credentials import Credentials

    from_pretrained = load
    __version__ = version("musicvae")

__all__ = [
    "AsyncClient",
    "Client",
    "Clip",
    "Credentials",
    "DecodeRequest",
    "EncodeRequest",
    "Engine",
    "Excerpt",
    "GrooveRequest",
    "InterpolateRequest",
    "Model",
    "MusicVAEError",
    "Note",
    "NoteSequence",
    "SampleRequest",
    "Sound",
    "TransformRequest",
    "__version__",
    "from_pretrained",
    "load",
    "midi",
    "read_midi",
]

_MODULES = {
    "MusicVAEError": "errors",
    "Engine": "generation.engine",
    "Excerpt": "generation.inputs",
    "Model": "generation.loaded_model",
    "load": "generation.loaded_model",
    "Clip": "generation.replies",
    "DecodeRequest": "generation.requests",
    "EncodeRequest": "generation.requests",
    "GrooveRequest": "generation.requests",
    "InterpolateRequest": "generation.requests",
    "SampleRequest": "generation.requests",
    "TransformRequest": "generation.requests",
    "Sound": "generation.sounds",
    "Note": "music.notes",
    "NoteSequence": "music.notes",
    "AsyncClient": "rpc.async_client",
    "Client": "rpc.client",
    "Credentials": "rpc.credentials",
}


def __getattr__(name: str) -> object:
    """Imports a public name when it is first used: all of them together take half a second."""
    match name:
        case "__version__":
            return import_module("importlib.metadata").version("musicvae")
        case "midi":
            return import_module("musicvae.music.midi")
        case "read_midi":
            return import_module("musicvae.music.midi").read
        case "from_pretrained":
            return import_module("musicvae.generation.loaded_model").load
        case _ if name in _MODULES:
            return getattr(import_module(f"musicvae.{_MODULES[name]}"), name)
    raise AttributeError(f"module 'musicvae' has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names, imported or not."""
    return sorted({*globals(), *__all__})
