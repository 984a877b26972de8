import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musicvae.errors import RepresentationError
from musicvae.music.instruments import DRUM_CLASSES
from musicvae.music.notes import Note, NoteSequence
from musicvae.representation import Groove
from musicvae.representation.groove import hits_alone, taps, write_hits
from musicvae.representation.recombination import mix_grooves

BAR = Groove(bars=1)
PLAYED = [drum.pitch for drum in DRUM_CLASSES]


def hit(step, pitch, velocity=80, offset=0.0, length=1):
    return Note(step, pitch, step + length, velocity, is_drum=True, offset=offset)


def groove(*notes, length_steps=16, **settings):
    return NoteSequence(tuple(sorted(notes)), length_steps, **settings)


@settings(max_examples=300)
@given(
    st.dictionaries(
        st.tuples(st.integers(0, 31), st.sampled_from(PLAYED)),
        st.tuples(st.integers(1, 127), st.integers(-512, 512).map(lambda part: part / 1024)),
        max_size=60,
    )
)
def test_legal_music_comes_back(hits):
    representation = Groove(bars=2)
    excerpt = groove(*(hit(*at, *how) for at, how in hits.items()), length_steps=32)
    assert representation.to_notes(representation.to_tensor(excerpt)) == excerpt


def test_the_three_numbers_of_a_hit():
    events = BAR.to_tensor(groove(hit(3, 38, 100, -0.25), hit(0, 51, 1, 0.5), hit(0, 36, 127)))
    assert BAR.vocabulary_sizes == (2,) * 9 + (127,) * 9 + (1025,) * 9
    assert events.shape == (16, 27)
    assert events[3, [1, 10, 19]].tolist() == [1, 99, 256]
    assert events[0, [8, 17, 26]].tolist() == [1, 0, 1024]
    assert events[0, [0, 9, 18]].tolist() == [1, 126, 512]
    assert events[:, :9].sum() == 3
    assert (events[1:3, 18:] == 512).all()
    assert not events[1:3, :18].any()


def test_what_stands_where_nothing_is_hit_counts_for_nothing():
    events = np.full((16, 27), 100, np.int16)
    events[:, :9] = 0
    assert BAR.to_notes(events) == groove()


def test_the_loudest_of_a_class_at_a_step_stays_and_then_the_earliest():
    loud = [hit(0, 38, 60, -0.3), hit(0, 40, 90, 0.125), hit(0, 37, 20)]
    assert BAR.to_notes(BAR.to_tensor(groove(*loud))).notes == (hit(0, 38, 90, 0.125),)
    even = [hit(0, 38, 60, 0.125), hit(0, 40, 60, -0.25)]
    assert BAR.to_notes(BAR.to_tensor(groove(*even))).notes == (hit(0, 38, 60, -0.25),)


def test_what_is_not_kept():
    rich = groove(hit(0, 35, 70, 0.1, length=5), qpm=90.0)
    (note,) = BAR.to_notes(BAR.to_tensor(rich)).notes
    assert note.pitch == 36
    assert note.end_step == 1
    assert abs(note.offset - 0.1) <= 1 / 2048


@pytest.mark.parametrize(
    ("cause", "note"),
    [
        ("no_drums", Note(0, 60, 4)),
        ("off_grid", hit(4, 38, offset=0.6)),
        ("out_of_range", hit(0, 21)),
    ],
)
def test_each_cause_of_refusal(cause, note):
    with pytest.raises(RepresentationError) as caught:
        BAR.to_tensor(groove(note))
    assert caught.value.cause == cause
    assert caught.value.action.endswith(".")


def test_playing_between_two_steps_is_legal():
    assert BAR.check(groove(hit(4, 38, offset=-0.5))) is None


def test_hits_of_whole_parts_may_come_in_any_order():
    events = write_hits(
        np.array([5, 0, 0, 3]),
        np.array([36, 38, 40, 99]),
        np.array([10, 20, 30, 40]),
        np.array([0.5, 0.0, -0.5, 0.0], np.float32),
        6,
    )
    assert events.dtype == np.int16
    assert np.argwhere(events[:, :9]).tolist() == [[0, 1], [5, 0]]
    assert events[0, [10, 19]].tolist() == [29, 0]


PLAYING = BAR.to_tensor(groove(hit(0, 36, 90, 0.25), hit(0, 51, 30, -0.5), hit(6, 38, 1, -0.125)))[
    None
]


def test_hits_alone_are_the_same_hits_without_their_playing():
    bare = hits_alone(PLAYING)
    assert np.array_equal(bare[..., :9], PLAYING[..., :9])
    notes = Groove(bars=1).to_notes(bare[0]).notes
    assert {(note.velocity, note.offset) for note in notes} == {(80, 0.0)}
    assert len(notes) == 3


def test_taps_are_the_rhythm_with_the_timing_of_the_loudest():
    tapped = Groove(bars=1).to_notes(taps(PLAYING)[0]).notes
    found = [(note.start_step, note.pitch, note.velocity, note.offset) for note in tapped]
    assert found == [(0, 42, 80, 0.25), (6, 42, 80, -0.125)]


def test_mixed_grooves_have_the_cymbals_of_another_and_toms_that_are_exchanged_whole():
    beats = np.concatenate(
        [
            BAR.to_tensor(
                groove(hit(0, 36, 90, 0.25), hit(2, tom, 50, 0.1), hit(4, 51, ride, 0.0))
            )[None]
            for tom, ride in zip([45, 48, 50] * 20, [30, 60] * 30, strict=True)
        ]
    )
    mixed = mix_grooves(beats, np.random.default_rng(0))
    kicks, toms, rides = set(), [], []
    for each in mixed:
        by_step = {note.start_step: note for note in BAR.to_notes(each).notes}
        assert len(by_step) == 3
        kicks.add((by_step[0].pitch, by_step[0].velocity))
        toms.append((by_step[2].pitch, by_step[2].velocity, round(by_step[2].offset, 1)))
        rides.append((by_step[4].pitch, by_step[4].velocity))
    assert kicks == {(36, 90)}
    assert set(toms) == {(45, 50, 0.1), (48, 50, 0.1), (50, 50, 0.1)}
    assert [pitch for pitch, _, _ in toms] != [45, 48, 50] * 20
    assert rides == [(51, velocity) for velocity in [60, 30] * 30]
