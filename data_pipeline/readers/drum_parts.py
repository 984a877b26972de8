"""Marks parts as drums that the user names: drums of General MIDI that are not on channel 10.

NUMBER          the part of this number, from 1, in the order of `musicvae inspect`
track:NAME      the parts of this name
channel:NUMBER  the notes of this MIDI channel, 1 to 16
"""

import re
from collections.abc import Iterable
from typing import TypeVar

from musicvae.data_pipeline.readers.piece import Part
from musicvae.errors import SettingError
from musicvae.music.midi.parsed import ParsedTrack

DRUM_CHANNEL = "channel:10"
"""The drums of General MIDI, which are drums in any case."""

_FORM = re.compile(r"[1-9]\d{0,3}|track:.+|channel:(?:[1-9]|1[0-6])")

_AnyPart = TypeVar("_AnyPart", Part, ParsedTrack)


def check_drums(drums: str) -> None:
    """Checks the name of drum parts.

    Raises:
        SettingError: If the name has none of the forms above.
    """
    if not _FORM.fullmatch(drums):
        raise SettingError(
            f"drums={drums!r}",
            expected="channel:NUMBER with a channel from 1 to 16, track:NAME, or the number of a "
            "part from 1",
            action="Name the drums as one of them; musicvae inspect lists the parts.",
            field="drums",
        )


def find_channel(drums: str) -> int | None:
    """The channel, from 0, whose notes are read as drums; None where no channel is added."""
    if drums == DRUM_CHANNEL or not drums.startswith("channel:"):
        return None
    return int(drums.removeprefix("channel:")) - 1


def mark_drums(parts: Iterable[_AnyPart], drums: str) -> tuple[_AnyPart, ...]:
    """Marks the parts that `drums` names by their number or their name."""
    name = drums.removeprefix("track:") if drums.startswith("track:") else None
    return tuple(
        part._replace(is_drum=True, program=0)
        if part.name == name or str(number) == drums
        else part
        for number, part in enumerate(parts, 1)
    )
