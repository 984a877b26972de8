import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicvae.errors import SettingError
from musicvae.music.instruments import DRUM_CLASSES
from musicvae.music.notes import Meter, Note, NoteSequence
from musicvae.representation.hits import hits_from_text, hits_to_text

HITS = st.sets(st.tuples(st.integers(0, 23), st.sampled_from([d.pitch for d in DRUM_CLASSES])))


@given(HITS)
def test_hits_survive_as_text(hits):
    notes = tuple(sorted(Note(step, pitch, step + 1, is_drum=True) for step, pitch in hits))
    drums = NoteSequence(notes, 24, meter=Meter(3, 4))
    assert hits_from_text(hits_to_text(drums)) == drums


def test_text_has_the_meter_and_three_digits_a_step():
    kick_and_hat = (Note(1, 36, 2, is_drum=True), Note(1, 42, 2, is_drum=True))
    assert hits_to_text(NoteSequence(kick_and_hat, 3)) == "4/4 000005000"


@pytest.mark.parametrize(
    "text", ["", "4/4", "4/4 ", "4/4 00", "4/4 200", "4/4 fff", "4/3 001", "0/4 001", "001", "ä"]
)
def test_text_that_is_no_hits_is_refused(text):
    with pytest.raises(SettingError, match="three hexadecimal digits"):
        hits_from_text(text)


def test_very_long_text_is_refused_at_once():
    with pytest.raises(SettingError):
        hits_from_text("4/4 " + "0" * 10_000_001)
