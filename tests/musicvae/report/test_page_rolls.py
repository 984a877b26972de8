import re

from musicvae.music.chords import Chord
from musicvae.music.notes import Note, NoteSequence
from musicvae.report import page_rolls


def sequence(*notes, **fields):
    return NoteSequence(notes=tuple(sorted(notes)), length_steps=32, **fields)


def test_a_roll_plays_each_note_in_its_voice_at_its_time():
    music = sequence(
        Note(0, 60, 4),
        Note(4, 40, 8, program=33),
        Note(8, 36, 9, velocity=120, is_drum=True, offset=-0.25),
    )
    roll = page_rolls.to_roll(music, qpm=90.0, name="a tune", first_bar=9)
    assert roll.playing == {
        "qpm": 90,
        "quarters": 8.0,
        "notes": [
            [0.0, 1.0, 60, 80, "melody"],
            [1.0, 1.0, 40, 80, "bass"],
            [1.9375, 0.25, 36, 120, "drum"],
        ],
    }
    assert roll.voices == ("bass", "drum", "melody")
    assert roll.svg.count('class="note') == 3
    assert re.findall(r">(\d+)</text>", roll.svg) == ["9", "10"]


def test_chords_are_written_over_the_notes_they_are_played_with():
    music = sequence(chords=(Chord(0, 0, "maj7", 7), Chord(16), Chord(24, 9, "min")))
    roll = page_rolls.to_roll(music, qpm=120.0)
    assert re.findall(r'class="symbol"[^>]*>([^<]*)', roll.svg) == ["Cmaj7/G", "N.C.", "Am"]
    assert [note[2] for note in roll.playing["notes"] if note[0] == 0] == [43, 48, 52, 55, 59]
    assert {note[0] for note in roll.playing["notes"]} == {0.0, 6.0}
    assert {note[1] for note in roll.playing["notes"]} == {4.0, 2.0}


def test_silence_has_a_picture():
    assert "0 notes" in page_rolls.to_roll(sequence(), qpm=120.0).svg
