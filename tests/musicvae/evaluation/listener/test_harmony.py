import numpy as np
import pytest
from lines import lines

from musicvae.evaluation.listener import harmony
from musicvae.music.chords import parse_symbol, quality_index
from musicvae.music.notes import Meter
from musicvae.representation.chords import write_chords


def chord_row(*symbols, steps):
    """The chords of one excerpt, a symbol for some steps each; `N` is no chord."""
    chords = [parse_symbol(each) for each in symbols]
    roots = np.array([-1 if each.root is None else each.root for each in chords])
    qualities = np.array([quality_index(each.quality) for each in chords])
    starts = np.arange(len(chords)) * steps
    row = write_chords(starts, roots, qualities, np.full(len(chords), -1), steps * len(chords))
    return row[None, :, 0]


@pytest.mark.parametrize(
    ("meter", "expected"),
    [
        (Meter(4, 4), [0, 8, 16, 24]),
        (Meter(3, 4), [0, 12]),
        (Meter(6, 8), [0, 6, 12, 18]),
        (Meter(2, 4), [0, 8]),
    ],
)
def test_strong_beats_follow_the_meter(meter, expected):
    found = harmony.strong_steps(meter, bars=2, steps_per_bar=meter.steps_per_bar(4))
    assert found.tolist() == expected


def test_the_sounding_note_is_judged_by_its_chord():
    #        E over C   F over C   held F over Am: a semitone above E   A over Am
    events = lines("E4 - F4 - - - A4 .")
    chords = chord_row("C", "C", "Am", "Am", steps=2)
    steps = np.array([0, 2, 4, 6])
    assert harmony.are_chord_tones(events, chords, steps).tolist() == [True, False, False, True]
    above = harmony.are_semitone_above(events, chords, steps)
    assert above.tolist() == [False, True, True, False]


def test_a_chord_tone_a_semitone_above_another_is_a_chord_tone():
    events, chords = lines("C5 - - -"), chord_row("Cmaj7", steps=4)  # C is above its B
    assert harmony.are_chord_tones(events, chords, np.array([0])).tolist() == [True]
    assert harmony.are_semitone_above(events, chords, np.array([0])).tolist() == [False]


def test_steps_without_a_note_or_a_chord_do_not_count():
    events, chords = lines("C4 - . - D4 - E4 -"), chord_row("C", "C", "N", "N", steps=2)
    steps = np.array([0, 2, 4, 6])
    assert harmony.are_chord_tones(events, chords, steps).tolist() == [True]


@pytest.mark.parametrize(
    ("symbol", "tones"),
    [
        ("C", {0, 4, 7}),
        ("Bbm7b5", {10, 1, 4, 8}),
        ("F#dim7", {6, 9, 0, 3}),
        ("G7sus4", {7, 0, 2, 5}),
    ],
)
def test_chords_have_the_tones_of_their_symbols(symbol, tones):
    melody = lines("C4 C#4 D4 D#4 E4 F4 F#4 G4 G#4 A4 A#4 B4")
    found = harmony.are_chord_tones(melody, chord_row(symbol, steps=12), np.arange(12))
    assert set(np.flatnonzero(found).tolist()) == tones


def test_intervals_above_the_bass_are_consonant_or_harsh():
    names = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
    melody = lines(" ".join(f"{name}5 - - -" for name in names))
    bass = lines(" ".join(["C2", *"-" * 47]))
    consonant = harmony.are_consonant(melody, bass, steps_per_quarter=4)
    assert np.flatnonzero(consonant).tolist() == [0, 3, 4, 7, 8, 9]
    harsh = harmony.are_harsh(melody, bass, steps_per_quarter=4)
    assert np.flatnonzero(harsh).tolist() == [1, 6, 11]


def test_only_quarter_beats_count_at_which_both_sound():
    melody = lines("C5 F#5 - - . - - - E5 - - -")
    bass = lines("C2 - - - - - - - . - - -")
    assert harmony.are_consonant(melody, bass, steps_per_quarter=4).tolist() == [True]
    assert not harmony.are_harsh(melody, bass, steps_per_quarter=4).any()


def test_a_bass_is_judged_by_the_key_of_its_melody():
    melody = lines("C4 - D4 - E4 - F4 - G4 - - - E4 - C4 -", ". . . . . . . . . . . . . . . .")
    bass = lines("C2 - - - F#2 - - - G2 - - - C2 - - -", "C2 - - - F#2 - - - G2 - - - C2 - - -")
    assert harmony.shares_in_key_of(melody, bass).tolist() == pytest.approx([3 / 4])
