"""The names of pitches and keys, as musicians write them; C4 is middle C, MIDI number 60."""

from musicvae.music.notes import Key

NAMES = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")
MAJOR_TONICS = ("C", "D♭", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")
MINOR_TONICS = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "G♯", "A", "B♭", "B")


def pitch_name(pitch: int) -> str:
    """Names a MIDI pitch, with sharps.

    >>> pitch_name(60), pitch_name(70)
    ('C4', 'A♯4')
    """
    return f"{NAMES[pitch % 12]}{pitch // 12 - 1}"


def key_name(key: Key) -> str:
    """Names a key by its signature of fewest sharps or flats.

    >>> key_name(Key(3)), key_name(Key(8, is_minor=True))
    ('E♭ major', 'G♯ minor')
    """
    if key.is_minor:
        return f"{MINOR_TONICS[key.tonic]} minor"
    return f"{MAJOR_TONICS[key.tonic]} major"
