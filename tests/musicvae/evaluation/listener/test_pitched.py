import numpy as np
import pytest
from lines import lines

from musicvae.evaluation.listener import pitched

C_MAJOR = "C4 - D4 - E4 - F4 - G4 - - - E4 - C4 -"
WITH_F_SHARP = "C4 - D4 - E4 - F#4 - G4 - - - E4 - C4 -"
A_MINOR = "A4 - - - E4 - C4 - B3 - G#3 - A3 - - -"
CHROMATIC = "C4 - C#4 - D4 - D#4 - E4 - F4 - F#4 - G4 -"
LEAP = "C4 - - - C#5 - - - C4 - - - C4 - - -"
SILENCE = ". . . . . . . . . . . . . . . ."


def test_notes_outside_the_key_are_counted():
    events = lines(C_MAJOR, WITH_F_SHARP, A_MINOR)
    shares = pitched.shares_in_key(events).tolist()
    assert shares == pytest.approx([1, 6 / 7, 1])
    assert pitched.are_in_key(events).tolist() == [True, False, True]


def test_a_scale_may_be_any_but_must_hold_every_note():
    events = lines(C_MAJOR, WITH_F_SHARP, A_MINOR, CHROMATIC)
    # All notes of the second are in G major; G sharp beside G natural's neighbours is in no scale.
    assert pitched.are_in_scale(events).tolist() == [True, True, False, False]


def test_an_octave_is_no_leap():
    events = lines(LEAP, "C4 - - - C5 - - - C4 - - - C4 - - -", CHROMATIC)
    assert pitched.have_leaps(events).tolist() == [True, False, False]


def test_intervals_stay_within_an_excerpt():
    events = lines("C4 D4 . E4", "C6 C6 - F5")
    assert pitched.interval_sizes(events).tolist() == [2, 2, 0, 7]
    assert pitched.are_steps(events).tolist() == [True, True, False, False]


def test_semitones_are_steps_and_thirds_are_none():
    assert pitched.are_steps(lines("C4 C#4 E4 D4")).tolist() == [True, False, True]


def test_octaves_are_one_pitch_class():
    assert pitched.class_counts(lines("C4 C5 G4 C6", "C4 C#4 D4 .")).tolist() == [2, 3]


@pytest.mark.parametrize(
    "measure",
    [
        pitched.shares_in_key,
        pitched.are_in_key,
        pitched.are_in_scale,
        pitched.have_leaps,
        pitched.class_counts,
    ],
)
def test_silence_gives_no_value(measure):
    with_silence = measure(lines(SILENCE, LEAP, SILENCE))
    assert with_silence.tolist() == measure(lines(LEAP)).tolist()
    assert len(with_silence) == 1


def test_a_given_key_judges_notes_too():
    events = lines(C_MAJOR, C_MAJOR, C_MAJOR)
    shares = pitched.shares_in_keys(events, np.array([0, 7, -1]))
    assert shares.tolist() == pytest.approx([1, 6 / 7])  # F is not in G major
