"""Meters and grids as people write them."""

from musicvae.errors import SettingError
from musicvae.music.notes import STEPS_PER_QUARTER, Meter, TimeGrid

RESOLUTIONS = (4, 12)
"""Steps a quarter note: 16th notes, or a finer grid that holds triplets and swing, too."""

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


def parse_grid(text: str) -> TimeGrid:
    """Reads a grid as `TimeGrid` prints it.

    Raises:
        SettingError: If the text is no grid.

    >>> print(parse_grid("3/4"), parse_grid("4/4 by 12"))
    3/4 4/4 by 12
    """
    meter, by, steps = text.partition(" by ")
    return TimeGrid(parse_meter(meter), check_steps_per_quarter(steps) if by else STEPS_PER_QUARTER)


def check_steps_per_quarter(steps: object) -> int:
    """Makes sure that music can be written on so many steps a quarter note; their text is read.

    Raises:
        SettingError: If it can't.
    """
    for resolution in RESOLUTIONS:
        if str(steps) == str(resolution):
            return resolution
    raise SettingError(
        f"`steps_per_quarter` {steps}",
        expected=" or ".join(map(str, RESOLUTIONS)),
        action="Choose 4, or 12 to hold triplets and swing.",
        field="steps_per_quarter",
    )
