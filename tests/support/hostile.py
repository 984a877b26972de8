"""Pieces that do something to the process that reads or cuts them."""

import os
import time
from dataclasses import dataclass
from typing import ClassVar

from musicvae.data_pipeline.sources.corpus import Piece
from musicvae.data_pipeline.sources.locations import hold
from musicvae.representation import Melody


@dataclass(frozen=True)
class Hostile:
    """A location that crashes, hangs, eats memory or raises what it should not."""

    deed: str

    def head(self):
        return b"MThd"

    def read(self):
        match self.deed:
            case "crash":
                os._exit(3)
            case "hang":
                time.sleep(600)
            case "eat":
                return bytes(1 << 40)
            case "eat slowly":
                whole = []
                while True:
                    whole.append(bytearray(10_000_000))
            case "err":
                raise ZeroDivisionError("by zero")
        raise AssertionError(self.deed)


@dataclass(frozen=True)
class Seen:
    """A location that does nothing itself, but makes a `FragileMelody` do a deed."""

    data: bytes
    deed: str = ""
    last: ClassVar = [""]

    def head(self):
        return self.data[:4]

    def read(self):
        self.last[0] = self.deed
        return self.data


class FragileMelody(Melody):
    """A representation that does the deed of the piece that was read last, once it is cut."""

    @property
    def length_steps(self):
        if Seen.last[0]:
            Hostile(Seen.last[0]).read()
        return super().length_steps


def make_piece(name, location, **fields):
    """A piece of MIDI bytes, or of a location."""
    location = hold(location) if isinstance(location, bytes) else location
    return Piece(
        id=f"files/{name}",
        source="files",
        kind="midi",
        title="",
        split_key=name,
        location=location,
        **fields,
    )
