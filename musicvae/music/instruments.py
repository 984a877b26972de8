"""The piano's range, the basses of General MIDI, and nine classes of drums."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int8

LOWEST_PITCH = 21
HIGHEST_PITCH = 108
"""The piano's 88 keys."""

BASS_PROGRAMS = range(32, 40)
BASS_PROGRAM = 33
"""The program that plays the bass back: the electric bass, played with fingers."""


@dataclass(frozen=True, slots=True)
class DrumClass:
    """A class of drums.

    Attributes:
        name: The name in plain words.
        pitch: The General MIDI key that plays the class.
        others: The other keys of the class: of General MIDI 1 and 2 (27 to 87), and 22 and 26, the
            hi-hat's edges on the Roland TD-11, on which the Groove data was played.
    """

    name: str
    pitch: int
    others: tuple[int, ...]


DRUM_CLASSES = (
    DrumClass("kick", 36, (35,)),
    DrumClass("snare", 38, (27, 28, 31, 32, 33, 34, 37, 39, 40, 56, 65, 66, 75, 85)),
    DrumClass("closed hi-hat", 42, (22, 44, 54, 68, 69, 70, 71, 73, 78, 80)),
    DrumClass("open hi-hat", 46, (26, 67, 72, 74, 79, 81)),
    DrumClass("low tom", 45, (29, 41, 43, 61, 64, 84)),
    DrumClass("mid tom", 48, (47, 60, 63, 77, 86, 87)),
    DrumClass("high tom", 50, (30, 62, 76, 83)),
    DrumClass("crash cymbal", 49, (52, 55, 57, 58)),
    DrumClass("ride cymbal", 51, (53, 59, 82)),
)
"""The nine classes, in the order of their bits.

Magenta's `drums_encoder_decoder` has the same classes. Magenta's map for the Roland TD-11 differs
in three keys, whose pads play other drums than in General MIDI: there 45 is a mid tom (here a low
tom), 48 a high tom (here a mid tom), 58, the rim of the low tom, a low tom (here a crash cymbal).
"""

CLASS_OF_PITCH: Int8[np.ndarray, " pitch"] = np.full(128, -1, np.int8)
"""The class of each MIDI pitch; -1 for no class."""
for _index, _drum in enumerate(DRUM_CLASSES):
    CLASS_OF_PITCH[[_drum.pitch, *_drum.others]] = _index
CLASS_OF_PITCH.flags.writeable = False

CYMBALS = (2, 3, 7, 8)
"""The classes of the hi-hats, the crash and the ride cymbal."""
TOMS = (4, 5, 6)
"""The classes of the toms, the lowest first."""
