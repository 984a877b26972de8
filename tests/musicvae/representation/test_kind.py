import pytest

from musicvae.music.attributes import ATTRIBUTES
from musicvae.music.notes import Note, NoteSequence
from musicvae.representation import REPRESENTATIONS

RHYTHM = {"note_density", "syncopation_16th", "syncopation_8th"}
TUNE = (Note(0, 60, 1), Note(3, 61, 4), Note(8, 65, 9))
BAND = (
    *TUNE,
    *(Note(step, 36, step + 4, program=33) for step in range(0, 16, 4)),
    *(Note(step, 42, step + 1, is_drum=True) for step in range(16)),
)


def measure(name, notes):
    return REPRESENTATIONS[name].kind.measure(NoteSequence(tuple(sorted(notes)), 16))


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("melody", set(ATTRIBUTES)),
        ("lead_sheet", set(ATTRIBUTES)),
        ("trio", set(ATTRIBUTES)),
        ("drums", RHYTHM),
        ("drum_hits", RHYTHM),
        ("groove", RHYTHM),
        ("chords", set()),
    ],
)
def test_music_is_measured_by_the_attributes_that_say_something_of_it(name, attributes):
    assert set(measure(name, TUNE)) == attributes


def test_the_melody_alone_is_measured_of_a_trio():
    assert measure("trio", BAND) == measure("melody", TUNE) != measure("melody", BAND)


@pytest.mark.parametrize("form", REPRESENTATIONS.values(), ids=REPRESENTATIONS)
def test_a_kind_has_a_name_that_finds_it_and_words(form):
    assert REPRESENTATIONS[form.kind.name] is form
    assert form.kind.content
    assert "_" not in form.kind.words
