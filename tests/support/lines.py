"""Lines of music as events, written as a musician would spell them."""

import numpy as np

from musicvae.representation.melody import FIRST_PITCH_EVENT, STOP

LOWEST = 21
NAMES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def pitch(name):
    """The MIDI number of `C4`, `F#3` or `Bb5`."""
    letter, sign, octave = name[0], name[1:-1], name[-1]
    return 12 * (int(octave) + 1) + NAMES[letter] + sign.count("#") - sign.count("b")


def line(text):
    """The events of one line, a word a step: a note, `-` holds, `.` stops."""
    events = {"-": 0, ".": STOP}
    return np.array(
        [
            events[word] if word in events else pitch(word) - LOWEST + FIRST_PITCH_EVENT
            for word in text.split()
        ],
        np.int16,
    )


def lines(*texts):
    """Several lines of one length."""
    return np.stack([line(text) for text in texts])
