import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from music21 import harmony

from musicvae.music import chords as chords_module
from musicvae.music.chords import (
    QUALITIES,
    QUALITY_OF_KIND,
    Chord,
    ParsedChord,
    parse_symbol,
    quality_index,
    symbol,
    transpose,
)

ROOTS = range(12)

chords = st.builds(
    lambda root, quality, bass: ParsedChord(root, quality, None if bass == root else bass),
    *(st.integers(0, 11), st.sampled_from(list(QUALITIES)), st.none() | st.integers(0, 11)),
)


# Values


@pytest.mark.parametrize(
    "wrong",
    [
        {"root": 12, "quality": "maj"},
        {"root": 0},
        {"quality": "maj"},
        {"root": 0, "quality": "major"},
        {"bass": 3},
        {"root": 0, "quality": "maj", "bass": 0},  # the root is no other bass
        {"root": 0, "quality": "maj", "bass": 12},
    ],
    ids=str,
)
def test_an_impossible_chord_is_our_mistake(wrong):
    with pytest.raises(AssertionError):
        Chord(0, **wrong)
    with pytest.raises(AssertionError):
        ParsedChord(**wrong)


def test_qualities_are_ordered_for_good():
    """Their places are events of tensors on disk."""
    assert [quality_index(quality) for quality in QUALITIES] == list(range(17))
    assert quality_index("none") == -1
    assert list(QUALITIES)[:4] == ["maj", "min", "dim", "aug"]


def test_no_two_qualities_have_the_same_notes():
    assert len(set(QUALITIES.values())) == len(QUALITIES)
    assert all(intervals == tuple(sorted(set(intervals))) for intervals in QUALITIES.values())


def test_transposing_goes_round_the_octave():
    assert transpose(Chord(3, 11, "7", 6), 2) == Chord(3, 1, "7", 8)
    assert transpose(Chord(3), 2) == Chord(3)


# Symbols


@settings(max_examples=500)
@given(chords)
def test_symbols_come_back(chord):
    assert parse_symbol(symbol(chord)) == chord


def test_no_chord_comes_back():
    assert symbol(ParsedChord()) == "N.C."
    assert parse_symbol("N.C.") == ParsedChord()


def test_the_place_of_a_chord_is_not_in_its_symbol():
    assert symbol(Chord(12, 6, "min7", 4)) == "F#m7/E"


@pytest.mark.parametrize(
    ("text", "quality"),
    [
        *((text, "maj") for text in ("C", "CM", "Cmaj", "CMajor", "Cadd9", "C(add9)")),
        *((text, "min") for text in ("Cm", "Cmin", "C-", "Cmi", "CMin", "Cminor", "Cmadd9")),
        *((text, "dim") for text in ("Cdim", "Co", "C°", "Cmb5", "Cm(b5)")),
        *((text, "aug") for text in ("Caug", "C+", "C+5", "Cmaj7#5")),
        *((text, "sus2") for text in ("Csus2", "C2")),
        *((text, "sus4") for text in ("Csus4", "Csus", "C4", "C(sus4)")),
        *((text, "5") for text in ("C5", "C7no3", "C(no3)", "C(omit3)")),
        *((text, "6") for text in ("C6", "CM6", "C6/9", "C69", "Cadd6", "Cmaj6")),
        *((text, "min6") for text in ("Cm6", "C-6", "Cmin6", "Cm6/9")),
        *((text, "7") for text in ("C7", "C9", "C11", "C13", "Cdom7", "C7b9", "C7(#9)", "C7+9",
                                   "C7b5", "C7-5", "C7alt", "C13(b9,#11)")),
        *((text, "maj7") for text in ("Cmaj7", "CM7", "Cma7", "CΔ", "CΔ7", "C^7", "Cj7", "Cmaj9",
                                      "CMaj9", "Cmaj7(9)", "Cmaj9#11", "C maj7")),
        *((text, "min7") for text in ("Cm7", "C-7", "Cmin7", "Cmi7", "Cm9", "Cm11", "CMi7")),
        *((text, "minmaj7") for text in ("Cm(maj7)", "CmM7", "CmMaj7", "C-^7", "Cm#7", "Cm+7")),
        *((text, "dim7") for text in ("Cdim7", "Co7", "C°7")),
        *((text, "hdim7") for text in ("Cm7b5", "Cm7(b5)", "Cø", "Cø7", "C-7b5", "Chalf-dim7")),
        *((text, "aug7") for text in ("Caug7", "C+7", "C7#5", "C7+5", "C7+", "C9#5")),
        *((text, "7sus4") for text in ("C7sus4", "C7sus", "C9sus4", "C11sus", "Csus7")),
    ],
)  # fmt: skip
def test_lead_sheets(text, quality):
    assert parse_symbol(text) == ParsedChord(0, quality)


@pytest.mark.parametrize(
    ("text", "chord"),
    [
        ("C#m7b5/G", ParsedChord(1, "hdim7", 7)),
        ("Bbmaj7", ParsedChord(10, "maj7")),
        ("B♭7", ParsedChord(10, "7")),
        ("Cb", ParsedChord(11, "maj")),
        ("F/A", ParsedChord(5, "maj", 9)),
        ("Am/c", ParsedChord(9, "min", 0)),
        ("C/C", ParsedChord(0, "maj")),
        ("C6/9/G", ParsedChord(0, "6", 7)),
        (" Ebm7 / Bb ", ParsedChord(3, "min7", 10)),
    ],
)
def test_roots_and_basses(text, chord):
    assert parse_symbol(text) == chord


@pytest.mark.parametrize(
    ("text", "chord"),
    [
        ("N", ParsedChord()),
        ("A:min7/b3", ParsedChord(9, "min7", 0)),
        ("F#:maj/3", ParsedChord(6, "maj", 10)),
        ("G:7/b7", ParsedChord(7, "7", 5)),
        ("Bb:maj7/7", ParsedChord(10, "maj7", 9)),
        ("D:maj/9", ParsedChord(2, "maj", 4)),
        ("C/5", ParsedChord(0, "maj", 7)),
        ("D:sus4(b7)", ParsedChord(2, "7sus4")),
        ("C:maj6", ParsedChord(0, "6")),
        ("C:minmaj7", ParsedChord(0, "minmaj7")),
        ("C:hdim7", ParsedChord(0, "hdim7")),
        ("C:maj(9)", ParsedChord(0, "maj")),
        ("C:maj(7)", ParsedChord(0, "maj7")),
        ("C:min7(*b7)", ParsedChord(0, "min")),
        ("C:dim(bb7)", ParsedChord(0, "dim7")),
        ("C:(1,b3,5,b7)", ParsedChord(0, "min7")),
        ("C:(1,4,5)", ParsedChord(0, "sus4")),
        ("C:(1,5)", ParsedChord(0, "5")),
        ("C:1", ParsedChord(0, "5")),
    ],
)
def test_harte(text, chord):
    assert parse_symbol(text) == chord


@pytest.mark.parametrize(
    "text", ["", "H", "X", "xyz", "Gr+6", "C:foo", "C/Q", "C7/", "am", "Allegro", "D.C.", "C" * 99]
)
def test_what_is_no_symbol(text):
    assert parse_symbol(text) is None


@given(st.text("ABCDEFGHabcdefg#b♯♭mMajinsuød°+-/()0123456789:*,.N ", max_size=20))
def test_any_text_is_a_chord_or_none(text):
    chord = parse_symbol(text)
    assert chord is None or parse_symbol(symbol(chord)) == chord


# MusicXML


def test_each_kind_that_music21_knows_has_the_quality_of_its_triad():
    """All but the chords that stand on no root of theirs."""
    unknown = set(harmony.CHORD_TYPES) - set(QUALITY_OF_KIND)
    assert unknown == {"Neapolitan", "Italian", "French", "German", "Tristan"}
    for kind in set(harmony.CHORD_TYPES) - unknown - {"pedal", "seventh-flat-five"}:
        sounding = harmony.ChordSymbol(root="C", kind=kind).pitches
        intervals = {pitch.midi % 12 for pitch in sounding}
        assert set(QUALITIES[QUALITY_OF_KIND[kind]]) <= intervals, kind


@pytest.mark.parametrize(
    ("kind", "quality"),
    [("dominant", "7"), ("major-minor", "minmaj7"), ("half-diminished", "hdim7"), ("none", "none"),
     ("dominant-ninth", "7"), ("suspended-fourth", "sus4")],
)  # fmt: skip
def test_kinds_as_in_the_standard(kind, quality):
    assert QUALITY_OF_KIND[kind] == quality


def test_one_pattern_says_which_of_the_changes_it_found():
    assert chords_module._TOKEN.groups == len(chords_module._CHANGES)
