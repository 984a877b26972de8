from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicvae.music.notes import Note, NoteSequence
from musicvae.representation import REPRESENTATIONS

FORMS = [form(bars=2) for form in REPRESENTATIONS.values() if form.kind.reduction is not None]


def sequence(*notes):
    return NoteSequence(notes=tuple(sorted(notes)), length_steps=32)


def reduced(name, *notes):
    return REPRESENTATIONS[name].kind.reduction.reduce(sequence(*notes)).notes


def hit(step, pitch, offset=0.0, velocity=80):
    return Note(step, pitch, step + 1, velocity, is_drum=True, offset=offset)


NOTES = st.builds(
    lambda start, pitch, length, program, is_drum, offset: Note(
        start, pitch, min(start + length, 32), 80, 0 if is_drum else program, is_drum, offset
    ),
    st.integers(0, 31),
    st.integers(0, 127),
    st.integers(1, 9),
    st.sampled_from([0, 12, 33, 48]),
    st.booleans(),
    st.sampled_from([-0.5, -0.3, 0.0, 0.2, 0.5]),
)


@pytest.mark.parametrize("representation", FORMS, ids=lambda each: each.name)
@given(notes=st.lists(NOTES, max_size=25))
def test_any_music_is_held_once_it_is_reduced(representation, notes):
    music = representation.kind.reduction.reduce(sequence(*notes))
    assert representation.check(music) is None
    assert representation.kind.reduction.reduce(music) == music


@pytest.mark.parametrize("representation", FORMS, ids=lambda each: each.name)
@given(seed=st.integers(0, 2**32 - 1))
def test_music_of_the_model_stays_as_it_is(representation, seed):
    sizes = representation.vocabulary_sizes
    rows = np.random.default_rng(seed).integers(0, sizes, (32, len(sizes)))
    music = representation.to_notes(rows)
    assert representation.kind.reduction.reduce(music) == music


def test_drums_are_what_general_midi_names_on_the_grid():
    notes = (hit(0, 36, 0.3), hit(4, 3), Note(4, 60, 8), hit(8, 22, -0.4, 100))
    assert reduced("drums", *notes) == (hit(0, 36), hit(8, 22, 0.0, 100))
    assert reduced("groove", *notes) == (hit(0, 36, 0.3), hit(8, 22, -0.4, 100))


def test_trio_is_a_top_line_a_lowest_line_and_drums():
    chord = [Note(0, pitch, 8, program=12) for pitch in (60, 64, 67)]
    octaves = [Note(0, 28, 8, program=35), Note(0, 40, 8, program=35)]
    assert reduced("trio", *chord, *octaves, hit(0, 36, 0.2)) == (
        Note(0, 28, 8, program=33),
        hit(0, 36),
        Note(0, 67, 8),
    )


def test_lowest_line_goes_on_under_what_starts_above_it():
    bass = [Note(0, 40, 16, program=33), Note(4, 52, 8, program=33), Note(8, 35, 20, program=33)]
    assert reduced("trio", *bass) == (Note(0, 40, 8, program=33), Note(8, 35, 20, program=33))


def test_lowest_of_several_programs_is_the_bass_where_there_is_none():
    lead, low = Note(0, 72, 4), Note(0, 45, 4, program=48)
    middle = Note(4, 60, 8, program=24)
    assert reduced("trio", lead, low, middle) == (
        replace(low, program=33),
        lead,
        replace(middle, program=0),
    )
    assert reduced("trio", lead, Note(0, 40, 4)) == (lead,)  # one program is a melody
    named = Note(0, 50, 4, program=33)
    assert named in reduced("trio", lead, low, named)
