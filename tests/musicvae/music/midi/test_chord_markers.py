"""Chords in MIDI files: markers, as sequencers show them."""

import io

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smf_bytes import END, NOTE, smf

from musicvae.errors import MidiError
from musicvae.music import midi
from musicvae.music.chords import MOST_CHORDS, QUALITIES, Chord
from musicvae.music.notes import Note, NoteSequence

NOTES = (Note(0, 60, 8), Note(8, 64, 16))
CHORDS = st.tuples(
    st.integers(0, 63),
    st.none() | st.tuples(st.integers(0, 11), st.sampled_from(sorted(QUALITIES))),
)


@given(st.lists(CHORDS, max_size=6, unique_by=lambda each: each[0]))
def test_chords_survive_a_file(made):
    chords = tuple(Chord(step, *(kind or ())) for step, kind in sorted(made))
    sheet = NoteSequence(notes=NOTES, length_steps=64, chords=chords)
    assert midi.read(midi.write(sheet)) == sheet


def file_with(*markers, ticks_per_beat=480):
    """A tune of four bars with markers at ticks."""
    head, tune = mido.MidiTrack(), mido.MidiTrack()
    now = 0
    for tick, text in markers:
        head.append(mido.MetaMessage("marker", text=text, time=tick - now))
        now = tick
    tune.append(mido.Message("note_on", note=60, velocity=80, time=0))
    tune.append(mido.Message("note_off", note=60, time=16 * ticks_per_beat))
    file = mido.MidiFile(type=1, ticks_per_beat=ticks_per_beat, tracks=[head, tune])
    data = io.BytesIO()
    file.save(file=data)
    return data.getvalue()


def test_markers_that_are_chords_are_read_onto_their_steps():
    data = file_with((0, "C"), (950, "Am7"), (3840, "N.C."))
    assert midi.read(data).chords == (Chord(0, 0, "maj"), Chord(8, 9, "min7"), Chord(32))


@pytest.mark.parametrize("others", [("Intro",), ("C", "Chorus"), ("C" + "#" * 40,), ("",), ("é",)])
def test_other_markers_are_no_chords(others):
    markers = [(480 * index, text) for index, text in enumerate(others)]
    assert midi.read(file_with(*markers)).chords == ()


def test_a_name_of_a_section_among_chords_is_left_out():
    data = file_with((0, "Verse"), (0, "C"), (960, "F"), (1920, "G"))
    assert [chord.root for chord in midi.read(data).chords] == [0, 5, 7]


def test_of_two_chords_on_a_step_the_last_counts():
    assert midi.read(file_with((0, "C"), (10, "F"))).chords == (Chord(0, 5, "maj"),)


def test_chord_past_the_end_is_left_out():
    data = file_with((0, "C"), (480 * 16, "G"))
    assert [chord.start_step for chord in midi.read(data).chords] == [0]


def marker(text, *, kind=6):
    return bytes([0x00, 0xFF, kind, len(text)]) + text.encode()


C, A_MINOR, F = Chord(0, 0, "maj"), Chord(4, 9, "min"), Chord(8, 5, "maj")


def test_markers_between_the_notes_of_the_only_track_are_chords():
    track = marker("C") + NOTE + marker("Am") + NOTE + marker("F") + NOTE + END
    assert midi.read(smf(track, format_=0)).chords == (C, A_MINOR, F)


def test_markers_behind_a_control_and_of_later_tracks_are_chords():
    first = b"\x00\xb0\x07\x40" + marker("C") + END
    second = NOTE + marker("Am") + marker("x", kind=7) + NOTE + END  # a cue point is no marker
    assert midi.read(smf(first, second)).chords == (C, A_MINOR)


def test_more_chords_than_are_read_are_refused():
    def file(count):
        return smf(marker("C") * count + NOTE + END, format_=0)

    assert midi.read(file(MOST_CHORDS)).chords == (C,)
    with pytest.raises(MidiError, match="more than 4096 chords; expected at most 4096 chords"):
        midi.read(file(MOST_CHORDS + 1))
