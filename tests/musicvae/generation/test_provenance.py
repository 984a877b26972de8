import numpy as np
import pytest

from musicvae.errors import LatentError, SettingError
from musicvae.generation.inputs import Excerpt
from musicvae.generation.provenance import request_again
from musicvae.generation.replies import DECODED, GIVEN, GROOVED, SAMPLED, Clip
from musicvae.generation.requests import TRANSFER, DecodeRequest, GrooveRequest, SampleRequest
from musicvae.music import midi
from musicvae.music.notes import Note, NoteSequence


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


def test_a_request_again_has_the_chords():
    how = {"model": "tiny", "seed": 2**63 - 1, "temperature": 0.1, "top_p": 0.9, "qpm": 97.3}
    again = request_again(clip(SAMPLED, chords="C | Am . . G7").provenance())
    assert again == SampleRequest(first_index=7, chords="C | Am . . G7", **how)
    again = request_again(clip(DECODED, chords="N.C.").provenance())
    assert again == DecodeRequest(latents=[(0.25, -1.5)], chords="N.C.", **how)


def test_hits_that_were_given_are_given_again():
    hits = (Note(0, 36, 1, 100, is_drum=True, offset=0.25), Note(4, 38, 5, 30, is_drum=True))
    made = clip(GROOVED, notes=NoteSequence(notes=hits, length_steps=32, qpm=97.3))
    again = request_again(midi.read_provenance(made.to_midi()))
    assert isinstance(again, GrooveRequest)
    assert (again.task, again.point, again.qpm) == (TRANSFER, (0.25, -1.5), 97.3)
    bare = (Note(0, 36, 1, is_drum=True), Note(4, 38, 5, is_drum=True))
    assert again.onto == Excerpt(notes=NoteSequence(notes=bare, length_steps=32))


def test_music_that_no_model_made_has_no_request():
    with pytest.raises(SettingError, match="given to a model"):
        request_again(clip(GIVEN).provenance())


def test_provenance_holds_the_numbers_of_numpy(melody):
    provenance = {"seed": np.int64(2**62), "temperature": np.float32(0.5)}
    written = midi.write(melody, provenance=provenance)
    assert midi.read_provenance(written) == {"seed": 2**62, "temperature": 0.5}
