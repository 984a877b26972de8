"""Whether music follows its chords."""

from musicvae.music.chords import QUALITIES, Chord
from musicvae.music.notes import Note, NoteSequence

_LEAST_SHARE = 0.4
"""Of the notes on strong beats of held-out lead sheets 0.75 are chord tones, of melodies over the
chords of other music 0.26."""


def follows_chords(notes: NoteSequence) -> bool:
    """Whether at least 0.4 of the pitched notes that start on a beat are tones of their chords.

    Notes where there is no chord do not count; music without a note that counts follows.

    >>> c_major = Chord(0, 0, "maj")
    >>> follows_chords(NoteSequence((Note(0, 64, 4), Note(4, 67, 8)), 16, chords=(c_major,)))
    True
    >>> follows_chords(NoteSequence((Note(0, 66, 4), Note(4, 68, 8)), 16, chords=(c_major,)))
    False
    """
    chord, later = Chord(0), list(reversed(notes.chords))
    are_tones = []
    for note in notes.notes:
        while later and later[-1].start_step <= note.start_step:
            chord = later.pop()
        if chord.root is not None and _is_on_beat(note, notes) and not note.is_drum:
            above = (note.pitch - chord.root) % 12
            are_tones.append(above in QUALITIES[chord.quality] or note.pitch % 12 == chord.bass)
    return sum(are_tones) >= _LEAST_SHARE * len(are_tones)


def _is_on_beat(note: Note, notes: NoteSequence) -> bool:
    return note.start_step % notes.steps_per_quarter == 0
