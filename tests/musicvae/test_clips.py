import base64
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicvae import midi
from musicvae.clips import DECODED, SAMPLED, Clip, latent_from_text, latent_to_text
from musicvae.errors import LatentError, SettingError
from musicvae.notes import Note, NoteSequence
from musicvae.requests import DecodeRequest, SampleRequest, request_again

FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


def clip(method, **changes):
    notes = NoteSequence(notes=(Note(0, 60, 4),), length_steps=16, qpm=97.3)
    made = {
        "notes": notes,
        "latent": (0.25, -1.5),
        "method": method,
        "seed": 2**63 - 1,
        "index": 7,
        "temperature": 0.1,
        "top_p": 0.9,
        "model": "tiny",
        "model_version": "abc",
        "attributes": {},
    }
    return Clip(**{**made, **changes})


@given(st.lists(FLOATS).map(tuple))
def test_latent_survives_as_text(latent):
    assert latent_from_text(latent_to_text(latent)) == latent


@pytest.mark.parametrize(
    "text",
    ["?", "AAA", "AAAA", base64.b64encode(struct.pack("<f", float("nan"))).decode(), "ä"],
)
def test_text_that_is_no_latent_is_refused(text):
    with pytest.raises(LatentError, match="expected a latent as base64"):
        latent_from_text(text)


def test_provenance_makes_the_request_again():
    how = {"model": "tiny", "seed": 2**63 - 1, "temperature": 0.1, "top_p": 0.9, "qpm": 97.3}
    again = request_again(midi.read_provenance(clip(SAMPLED).to_midi()))
    assert again == SampleRequest(first_index=7, **how)
    again = request_again(midi.read_provenance(clip(DECODED).to_midi()))
    assert again == DecodeRequest(latents=[(0.25, -1.5)], **how)


@pytest.mark.parametrize(
    "name", ["method", "model", "seed", "temperature", "top_p", "qpm", "index"]
)
def test_provenance_that_lacks_something_is_refused(name):
    said = clip(SAMPLED).provenance()
    del said[name]
    with pytest.raises(SettingError, match=name):
        request_again(said)


def test_provenance_of_another_make_is_refused():
    with pytest.raises(SettingError, match="invalid literal"):
        request_again({**clip(SAMPLED).provenance(), "seed": "many"})
    with pytest.raises(LatentError):
        request_again({**clip(DECODED).provenance(), "latent": "!"})
