from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicvae.errors import AttributeNameError
from musicvae.music.attributes import ATTRIBUTES, get_attribute
from musicvae.music.notes import Meter, Note, NoteSequence


def melody(*notes, length_steps=16, steps_per_quarter=4):
    """Notes as (position, pitch), one step long."""
    made = tuple(sorted(Note(start, pitch, start + 1) for start, pitch in notes))
    return NoteSequence(made, length_steps, steps_per_quarter=steps_per_quarter)


def measure(sequence):
    return {name: attribute.measure(sequence) for name, attribute in ATTRIBUTES.items()}


def rhythm(*positions):
    length_steps = max([16, *(position + 1 for position in positions)])
    return melody(*((position, 60) for position in positions), length_steps=length_steps)


@pytest.mark.parametrize(
    ("pitches", "share"),
    [
        ((60, 62, 64, 65, 67, 69, 71, 72), 1.0),
        ((61, 63, 66, 68, 70), 0.0),
        ((60, 61, 62, 63), 0.5),
        ((67, 69, 71, 72, 74, 76, 78, 79), 7 / 8),  # G major: its F sharp is no white key
    ],
)
def test_c_diatonic(pitches, share):
    assert measure(melody(*enumerate(pitches)))["c_diatonic"] == share


@pytest.mark.parametrize(
    ("positions", "share"),
    [((), 0.0), (range(16), 1.0), ((0, 4, 8, 12), 0.25), ((3,), 1 / 16)],
)
def test_note_density(positions, share):
    assert measure(rhythm(*positions))["note_density"] == share


def test_a_chord_is_one_onset():
    chord = melody((0, 60), (0, 64), (0, 67), (8, 60))
    assert measure(chord)["note_density"] == 2 / 16


@pytest.mark.parametrize(
    ("notes", "semitones"),
    [
        ((), 0.0),
        (((0, 60),), 0.0),
        (((0, 60), (4, 60)), 0.0),
        (((0, 60), (4, 62), (8, 60)), 2.0),  # down counts as up
        (((0, 60), (4, 72), (8, 71)), 6.5),
        (((0, 48), (0, 60), (4, 50), (4, 64)), 4.0),  # the top notes of chords
    ],
)
def test_average_interval(notes, semitones):
    assert measure(melody(*notes))["average_interval"] == semitones


@pytest.mark.parametrize(
    ("positions", "sixteenth", "eighth"),
    [
        ((0, 4, 8, 12), 0.0, 0.0),  # quarter notes
        (range(0, 16, 2), 0.0, 0.0),  # eighths: each off-beat has its beat
        (range(16), 0.0, 0.0),  # 16th notes
        ((2, 6, 10, 14), 0.0, 1.0),  # off-beats alone
        ((1, 5, 9, 13), 1.0, 0.0),  # a 16th late all along
        ((0, 3, 6, 8), 0.25, 0.25),  # 3 lacks its 2, 6 lacks its 4
        ((0, 1, 4, 7), 0.25, 0.0),  # 1 has its 0, 7 lacks its 6
        ((0, 2, 3), 0.0, 0.0),
    ],
)
def test_syncopation(positions, sixteenth, eighth):
    found = measure(rhythm(*positions))
    assert (found["syncopation_16th"], found["syncopation_8th"]) == (sixteenth, eighth)


@pytest.mark.parametrize(
    ("meter", "positions", "eighth"),
    [
        (Meter(7, 8), (0, 4, 8, 12), 0.0),
        (Meter(7, 8), (2, 6, 10), 1.0),
        (Meter(7, 16), (0, 4), 0.0),
        (Meter(7, 16), (2, 6), 1.0),
        (Meter(3, 4), (0, 4, 8), 0.0),
        (Meter(6, 8), (0, 6), 0.5),  # its second beat is between two quarters
        (Meter(6, 8), (0, 4, 6), 0.0),
    ],
)
def test_a_bar_measures_the_same_wherever_it_stands(meter, positions, eighth):
    length = meter.steps_per_bar()
    for bar in range(4):
        moved = rhythm(*(bar * length + position for position in positions))
        found = measure(replace(moved, meter=meter))
        assert (found["syncopation_16th"], found["syncopation_8th"]) == (0.0, eighth), bar


def test_a_finer_grid_measures_the_same():
    coarse = melody((0, 60), (3, 62), (6, 65), (12, 66))
    fine = melody((0, 60), (9, 62), (18, 65), (36, 66), length_steps=48, steps_per_quarter=12)
    assert measure(fine) == measure(coarse)


def test_drums_have_rhythm_and_no_pitch():
    drums = tuple(Note(step, 37 + step, step + 1, is_drum=True) for step in (0, 2, 6))
    assert measure(NoteSequence(drums, 16)) == {
        "c_diatonic": 0.0,
        "note_density": 3 / 16,
        "average_interval": 0.0,
        "syncopation_16th": 0.0,
        "syncopation_8th": pytest.approx(1 / 3),
    }


def test_silence_measures_nothing():
    for length_steps in (0, 32):
        silence = NoteSequence((), length_steps)
        assert measure(silence) == dict.fromkeys(ATTRIBUTES, 0.0)


notes = st.builds(
    lambda start, length, pitch: Note(start, pitch, start + length),
    *(st.integers(0, 63), st.integers(1, 8), st.integers(0, 127)),
)


@given(st.lists(notes, max_size=30))
def test_measures_stay_in_their_range(made):
    found = measure(NoteSequence(tuple(sorted(made)), 71))
    assert 0 <= found.pop("average_interval") <= 127
    assert all(0 <= share <= 1 for share in found.values())


@given(st.lists(notes, max_size=30), st.integers(-12, 12))
def test_transposing_changes_no_interval_and_no_rhythm(made, semitones):
    made = [note for note in made if 12 <= note.pitch <= 115]
    sequence = NoteSequence(tuple(sorted(made)), 71)
    before, after = measure(sequence), measure(sequence.transpose(semitones))
    before.pop("c_diatonic")
    after.pop("c_diatonic")
    assert after == before


def test_every_attribute_explains_itself():
    for name, attribute in ATTRIBUTES.items():
        assert attribute.name == name
        assert attribute.unit
        assert attribute.definition.endswith(".")
        assert get_attribute(name) is attribute


def test_an_unknown_name_lists_those_there_are():
    with pytest.raises(AttributeNameError, match="'swing'; expected c_diatonic, note_density"):
        get_attribute("swing")
    with pytest.raises(AttributeNameError, match="expected note_density"):
        get_attribute("c_diatonic", {"note_density"})
    with pytest.raises(AttributeNameError, match="no attributes"):
        get_attribute("c_diatonic", ())
