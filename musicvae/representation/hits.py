"""The hits of nine classes of drums, as booleans, as numbers of nine bits, and as text.

Conventions: `DRUM_CLASSES` gives the classes and their order. The bit `i` of a number, worth
`2 ** i`, says that class `i` is hit at a step. The provenance of a clip holds the text:

    4/4 005000040000005000040000...

The text has the meter, then the number of every step in three hexadecimal digits.
"""

import re
from collections.abc import Iterable

import numpy as np
from jaxtyping import Bool, Int, Int16

from musicvae.errors import SettingError
from musicvae.music.instruments import CLASS_OF_PITCH, DRUM_CLASSES
from musicvae.music.notes import Meter, Note, NoteSequence

EVENTS = 1 << len(DRUM_CLASSES)
"""The number of events: 512, all numbers of nine bits."""

HITS = "hits"
"""The name of the line that nine streams of hits form together."""

MOST_STEPS = 4_096
"""The limit of a text's length, in steps."""

_BITS = 1 << np.arange(len(DRUM_CLASSES), dtype=np.int16)
_DIGITS = 3
_FORM = re.compile(r"([1-9]\d?)/(1|2|4|8|16|32|64) ([0-9a-f]*)")


def write_hits(
    starts: Int[np.ndarray, " note"], pitches: Int[np.ndarray, " note"], length_steps: int
) -> Bool[np.ndarray, "step 9"]:
    """Marks the classes that are hit at each step, for music of any length.

    Pitches without a class (see `CLASS_OF_PITCH`) are left out.

    Args:
        starts: The step of each hit, below `length_steps`, in any order.
        pitches: MIDI numbers.
        length_steps: The length of the music.
    """
    # A tenth column, with the index -1, takes the hits without a class.
    hits = np.zeros((length_steps, len(DRUM_CLASSES) + 1), np.bool_)
    hits[starts, CLASS_OF_PITCH[pitches]] = True
    return hits[:, :-1]


def write_notes(notes: Iterable[Note], length_steps: int) -> Bool[np.ndarray, "step 9"]:
    """Marks the hits of drum notes, as `write_hits`."""
    columns = [(note.start_step, note.pitch) for note in notes]
    starts, pitches = np.array(columns, np.int32).reshape(-1, 2).T
    return write_hits(starts, pitches, length_steps)


def read_hits(hits: Bool[np.ndarray, "step 9"]) -> list[Note]:
    """The notes of hits, sorted; each lasts a step."""
    steps, classes = (column.tolist() for column in np.nonzero(hits))
    return sorted(
        Note(step, DRUM_CLASSES[index].pitch, step + 1, is_drum=True)
        for step, index in zip(steps, classes, strict=True)
    )


def join_hits(
    hits: Int[np.ndarray, "*any 9"] | Bool[np.ndarray, "*any 9"],
) -> Int16[np.ndarray, "*any"]:
    """Joins the hits of each step to one number."""
    events: Int16[np.ndarray, "*any"] = hits @ _BITS
    return events


def split_hits(events: Int[np.ndarray, "*any"]) -> Bool[np.ndarray, "*any 9"]:
    """Splits each number into the hits that `join_hits` joined."""
    hits: Bool[np.ndarray, "*any 9"] = (events[..., None] & _BITS) > 0
    return hits


def known_drums(notes: Iterable[Note]) -> tuple[Note, ...]:
    """Keeps the drums that have a class."""
    return tuple(note for note in notes if note.is_drum and CLASS_OF_PITCH[note.pitch] >= 0)


def hits_to_text(notes: NoteSequence) -> str:
    """Writes the hits of every step, without loudness and timing."""
    hits = join_hits(write_notes(notes.notes, notes.length_steps))
    return f"{notes.meter} {''.join(f'{step:0{_DIGITS}x}' for step in hits.tolist())}"


def hits_from_text(text: str) -> NoteSequence:
    """Reads drums that `hits_to_text` wrote.

    Raises:
        SettingError: If the text has another form.
    """
    is_short = len(text) <= len("99/64 ") + _DIGITS * MOST_STEPS
    found = _FORM.fullmatch(text) if is_short else None
    digits = found[3] if found else ""
    rows = [int(digits[at : at + _DIGITS], 16) for at in range(0, len(digits), _DIGITS)]
    if found is None or len(digits) % _DIGITS or max(rows, default=EVENTS) >= EVENTS:
        raise SettingError(
            f"hits {text[:20]!r}",
            expected="a meter, and three hexadecimal digits a step",
            action="Copy them from a clip that this program made.",
            field="provenance",
        )
    return NoteSequence(
        notes=tuple(read_hits(split_hits(np.array(rows, np.int16)))),
        length_steps=len(rows),
        meter=Meter(int(found[1]), int(found[2])),
    )
