import pytest

from musicvae.errors import SettingError
from musicvae.music.constraint import Constraint, parse_constraint
from musicvae.music.notes import Key
from musicvae.music.scales import SCALES, parse_key, parse_range, parse_scale, scale_of_key

TONICS = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("C", Key(0)),
        ("g", Key(7)),
        ("Em", Key(4, is_minor=True)),
        ("F# minor", Key(6, is_minor=True)),
        ("B♭ major", Key(10)),
        ("Cb", Key(11)),
        (" Dmin ", Key(2, is_minor=True)),
    ],
)
def test_keys_are_read_as_musicians_write_them(text, key):
    assert parse_key(text) == key


@pytest.mark.parametrize("text", ["", "H", "C dorian", "minor", "C##", "Cm7", "C" * 10_000])
def test_what_is_no_key_is_told(text):
    with pytest.raises(SettingError, match="Write it like G, Em"):
        parse_key(text)


def test_every_scale_is_read_at_every_tonic():
    for name, steps in SCALES.items():
        for tonic, letter in enumerate(
            ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"]
        ):
            read = parse_scale(f"{letter} {name}")
            assert read.pitch_classes == {(tonic + step) % 12 for step in steps}
            assert read.key is not None and read.key.tonic == tonic


def test_a_scale_is_told_to_the_model_by_its_third():
    assert parse_scale("D dorian").key == Key(2, is_minor=True)
    assert parse_scale("G mixolydian").key == Key(7)
    assert parse_scale("C D E").key is None
    assert parse_scale("G Dorian") == parse_scale("G dorian")
    assert parse_key("E Minor") == parse_key("Em") != parse_key("E MAJOR")
    assert parse_scale("C D E").pitch_classes == {0, 2, 4}


@pytest.mark.parametrize("text", ["", "G klingon", "dorian", "X dorian", "C D E q", "C " * 100])
def test_what_is_no_scale_is_told(text):
    with pytest.raises(SettingError) as caught:
        parse_scale(text)
    assert caught.value.field == "scale"
    assert "dorian" in str(caught.value)


def test_ranges_are_read():
    assert parse_range("C4-B4") == (60, 71)
    assert parse_range("c-1 - g9") == (0, 127)
    assert parse_range("Bb2-F#5") == (46, 78)


@pytest.mark.parametrize("text", ["", "C4", "C5-C4", "C4-H5", "60-72", "C4-G10", "C4 C5", "C4-"])
def test_what_is_no_range_is_told(text):
    with pytest.raises(SettingError, match="C4 is middle C"):
        parse_range(text)


def test_a_minor_key_holds_its_leading_note():
    assert scale_of_key(Key(9, is_minor=True)).pitch_classes == {9, 11, 0, 2, 4, 5, 7, 8}


def test_notes_keep_to_all_that_is_asked():
    asked = parse_constraint(key="G", scale="C D E F", pitch_range="C4-C5")
    assert asked is not None
    both = asked.classes & asked.within_range
    assert both.nonzero()[0].tolist() == [60, 62, 64, 72]
    assert asked.nearest_key == Key(7)
    assert parse_constraint(key=None, scale=None, pitch_range=None) is None


@pytest.mark.parametrize(
    ("asked", "field", "found"),
    [
        ({"key": "C", "scale": "C# D#", "pitch_range": None}, "scale", "'C# D#'.* the key 'C'"),
        ({"key": "C", "scale": None, "pitch_range": "C#4-C#4"}, "range", "'C#4-C#4'.* of 'C'"),
    ],
)
def test_a_constraint_that_leaves_no_note_is_told(asked, field, found):
    with pytest.raises(SettingError, match=found) as caught:
        parse_constraint(**asked)
    assert caught.value.field == field


def test_an_empty_constraint_allows_all_pitches():
    assert Constraint().classes.all() and Constraint().within_range.all()
