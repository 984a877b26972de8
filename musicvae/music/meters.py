"""Meters as people write them."""

from musicvae.errors import SettingError
from musicvae.music.notes import Meter

_BEATS = {str(count) for count in range(1, 256)}
_NOTE_VALUES = {"1", "2", "4", "8", "16"}


def parse_meter(text: str) -> Meter:
    """Reads a meter such as 3/4.

    Raises:
        SettingError: If the text is no meter.

    >>> parse_meter("6/8")
    Meter(numerator=6, denominator=8)
    """
    beats, _, note_value = text.strip().partition("/")
    if beats not in _BEATS or note_value not in _NOTE_VALUES:
        raise SettingError(
            f"`meter` {text}",
            expected="a meter such as 4/4, 3/4 or 6/8",
            action="Write the meter as two numbers, such as 3/4.",
            field="meter",
        )
    return Meter(int(beats), int(note_value))
