"""The hits of drums as a line of text, which the provenance of a clip holds.

    4/4 005000040000005000040000...

First the meter; then for every step three hexadecimal digits, a bit for each of the nine classes of
`musicvae.representation.drums`.
"""

import re

import numpy as np

from musicvae.errors import SettingError
from musicvae.music.notes import Meter, NoteSequence
from musicvae.representation.drums import EVENTS, join_hits, read_hits, split_hits, write_notes

MOST_STEPS = 4_096
"""Of a line that is read."""

_DIGITS = 3
_FORM = re.compile(r"([1-9]\d?)/(1|2|4|8|16|32|64) ([0-9a-f]*)")


def hits_to_text(notes: NoteSequence) -> str:
    """Writes which classes are hit at each step; how they are played is left out."""
    hits = join_hits(write_notes(notes.notes, notes.length_steps))
    return f"{notes.meter} {''.join(f'{step:0{_DIGITS}x}' for step in hits.tolist())}"


def hits_from_text(text: str) -> NoteSequence:
    """Reads drums that `hits_to_text` wrote.

    Raises:
        SettingError: If the text is none.
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
