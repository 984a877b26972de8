"""The names of pitch classes in a key."""

from musicvae.music.chords import NAMES
from musicvae.music.notes import Key

_FIFTHS = "FCGDAEB"


def spell(key: Key | None) -> tuple[str, ...]:
    """The name of each pitch class: by the key where it belongs to the key, else the usual name.

    White keys have no signs: a chord on the leading note of C sharp minor is written on C.

    >>> spell(Key(11))[3], spell(Key(1))[6], spell(Key(9, is_minor=True))[8], spell(None)[3]
    ('D#', 'Gb', 'G#', 'Eb')
    >>> spell(Key(1, is_minor=True))[0]
    'C'
    """
    names = list(NAMES)
    if key is not None:
        sharps = count_sharps(key)
        leading = [sharps + 8] if key.is_minor else []
        for fifths in [*range(sharps - 1, sharps + 6), *leading]:  # fifths above C
            letter, signs = _FIFTHS[(fifths + 1) % 7], (fifths + 1) // 7
            if names[7 * fifths % 12] not in _FIFTHS:
                names[7 * fifths % 12] = letter + ("#" if signs > 0 else "b") * abs(signs)
    return tuple(names)


def count_sharps(key: Key) -> int:
    """The sharps of a key's signature, -5 to 6; below 0: its flats."""
    sharps = 7 * (key.tonic + 3 * key.is_minor) % 12
    return sharps - 12 if sharps > 6 else sharps
