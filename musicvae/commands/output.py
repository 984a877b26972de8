"""The standard streams of a command, which survive a closed pipe and any encoding."""

from __future__ import annotations

import io
import os
import sys


class _Pipe(io.FileIO):
    """A stream whose reader may close it (`| head -1`): further output is dropped.

    The command goes on, so that it finishes its work.
    """

    def write(self, data: object, /) -> int:
        try:
            return super().write(data)  # type: ignore[arg-type]  # bytes, by io's law
        except BrokenPipeError:
            with open(os.devnull, "wb") as void:  # noqa: PTH123
                os.dup2(void.fileno(), self.fileno())
            return len(memoryview(data))  # type: ignore[arg-type]


def protect_streams() -> None:
    """Lets the streams survive a closed pipe, and write `?` for what their encoding lacks."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if type(stream) is io.TextIOWrapper:  # not the stream of a test in this process
            if not stream.isatty():
                stream.flush()
                raw = io.BufferedWriter(_Pipe(stream.fileno(), "wb", closefd=False))
                stream = io.TextIOWrapper(
                    raw, stream.encoding, line_buffering=stream.line_buffering
                )
                setattr(sys, name, stream)
            stream.reconfigure(errors="replace")
