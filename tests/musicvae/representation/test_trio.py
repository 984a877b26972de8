import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musicvae.errors import RepresentationError
from musicvae.music.chords import Chord
from musicvae.music.notes import Note, NoteSequence
from musicvae.representation import Chords, Drums, Melody, Trio, representation_from_config
from musicvae.representation.trio import TRIO, notes_of

BAR = Trio(bars=1)
lines = st.lists(st.one_of(st.just(0), st.integers(0, 89)), min_size=16, max_size=16)
hits = st.lists(st.one_of(st.just(0), st.integers(0, 511)), min_size=16, max_size=16)


def trio(*notes, length_steps=16, **settings):
    return NoteSequence(tuple(sorted(notes)), length_steps, **settings)


LEAD = Note(0, 72, 4)
BASS = Note(0, 36, 8, program=33)
KICK = Note(0, 36, 1, is_drum=True)


@settings(max_examples=200)
@given(lines, lines, hits)
def test_each_stream_is_as_alone(lead, bass, drums):
    events = np.array([lead, bass, drums], np.int16).T
    notes = BAR.to_notes(events).notes
    alone = Melody(bars=1)
    assert notes_of(notes, "melody") == alone.to_notes(events[:, :1]).notes
    assert [(n.start_step, n.pitch, n.end_step) for n in notes_of(notes, "bass")] == [
        (n.start_step, n.pitch, n.end_step) for n in alone.to_notes(events[:, 1:2]).notes
    ]
    assert notes_of(notes, "drums") == Drums(bars=1).to_notes(events[:, 2:]).notes


def test_three_streams():
    events = BAR.to_tensor(trio(LEAD, BASS, KICK))
    assert BAR.vocabulary_sizes == (90, 90, 512)
    assert events[[0, 4, 8]].tolist() == [[53, 17, 1], [1, 0, 0], [0, 1, 0]]
    assert BAR.to_notes(events) == trio(LEAD, BASS, KICK)
    assert Trio().bars == 16


def test_all_that_is_no_bass_and_no_drum_is_melody():
    for program, stream in [(0, 0), (31, 0), (32, 1), (39, 1), (40, 0), (127, 0)]:
        events = BAR.to_tensor(trio(Note(0, 60, 4, program=program)))
        assert np.flatnonzero(events[0]).tolist() == [stream]


def test_lines_move_together_or_not_at_all():
    low_bass = trio(LEAD, Note(0, 21, 8, program=33), KICK)
    events = BAR.to_tensor(low_bass)
    down, up = BAR.transpose(np.stack([events, events]), np.array([-1, 5]))
    assert np.array_equal(down, events)
    assert BAR.to_notes(up) == low_bass.transpose(5)
    assert np.array_equal(up[:, 2], events[:, 2])


@pytest.mark.parametrize(
    ("cause", "note", "found"),
    [
        ("off_grid", Note(4, 60, 8, offset=1 / 3), "off the grid"),
        ("polyphonic", Note(2, 60, 8), "of the melody"),
        ("polyphonic", Note(2, 40, 8, program=35), "of the bass"),
        ("out_of_range", Note(8, 20, 9, program=33), "of the bass"),
        ("out_of_range", Note(8, 109, 9), "of the melody"),
        ("out_of_range", Note(8, 100, 9, is_drum=True), "the drum 100"),
    ],
)
def test_each_cause_of_refusal(cause, note, found):
    with pytest.raises(RepresentationError, match=found) as caught:
        BAR.to_tensor(trio(LEAD, BASS, KICK, note))
    assert caught.value.cause == cause
    assert caught.value.action.endswith(".")


OVER_CHORDS = Trio(bars=1, chords=True)
CHORDS = (Chord(0, 0, "maj"), Chord(6, 9, "min7", 7), Chord(14))


def test_chords_are_two_condition_streams_after_the_lines():
    played = trio(LEAD, BASS, KICK, chords=CHORDS)
    events = OVER_CHORDS.to_tensor(played)
    assert [stream.is_condition for stream in OVER_CHORDS.streams] == [False] * 3 + [True] * 2
    assert np.array_equal(events[:, :3], BAR.to_tensor(trio(LEAD, BASS, KICK)))
    assert np.array_equal(events[:, 3:], Chords(bars=1, resolution="step").to_tensor(played))
    assert OVER_CHORDS.to_notes(events) == played
    (is_onset,) = OVER_CHORDS.is_onset(events[None])
    assert np.argwhere(is_onset).tolist() == [[0, 0], [0, 1], [0, 2]]


def test_chords_move_with_the_lines_or_stay_with_them():
    low = trio(LEAD, Note(0, 21, 8, program=33), KICK, chords=CHORDS)
    events = OVER_CHORDS.to_tensor(low)
    down, up = OVER_CHORDS.transpose(np.stack([events, events]), np.array([-1, 5]))
    assert np.array_equal(down, events)
    assert OVER_CHORDS.to_notes(up) == low.transpose(5)
    silent = OVER_CHORDS.to_tensor(trio(chords=CHORDS))
    (moved,) = OVER_CHORDS.transpose(silent[None], np.array([-6]))
    assert OVER_CHORDS.to_notes(moved) == trio(chords=CHORDS).transpose(-6)


def test_settings_without_chords_are_written_as_before_trios_had_chords():
    assert "chords" not in BAR.config()
    for each in (BAR, OVER_CHORDS):
        assert representation_from_config(each.config()) == each


def test_the_chords_of_mixed_trios_are_unknown():
    events = np.stack([OVER_CHORDS.to_tensor(trio(LEAD, BASS, KICK, chords=CHORDS))] * 3)
    mixed = TRIO.recombine(events, np.random.default_rng(1))
    assert (mixed[..., 3:] == [205, 13]).all()
    assert np.array_equal(mixed[..., :3], TRIO.recombine(events[..., :3], np.random.default_rng(1)))
