import pytest

from musicvae.errors import (
    BundleError,
    LatentError,
    RepresentationError,
    RequestError,
    SettingError,
)
from musicvae.generation.engine import Engine
from musicvae.generation.inputs import Excerpt
from musicvae.generation.provenance import request_again
from musicvae.generation.replies import DECODED, GIVEN, GROOVED
from musicvae.generation.requests import (
    GROOVE_TASKS,
    HUMANISE,
    TAP_TO_DRUMS,
    TRANSFER,
    DecodeRequest,
    EncodeRequest,
    GrooveRequest,
)
from musicvae.music import midi
from musicvae.music.notes import DEFAULT_VELOCITY, Note, NoteSequence

KICKS = NoteSequence(
    notes=tuple(Note(step, 36, step + 1, 100, is_drum=True) for step in range(0, 32, 4)),
    length_steps=32,
    qpm=140.0,
)
LATENT = (0.5,) * 8


def asked(task, notes, **how):
    onto = Excerpt(notes=KICKS) if task == TRANSFER else None
    return GrooveRequest(task=task, point=Excerpt(notes=notes), onto=onto, seed=4, **how)


def hits(notes):
    return [(note.start_step, note.pitch) for note in notes.notes]


@pytest.mark.parametrize("task", GROOVE_TASKS)
def test_server_answers_as_the_engine_does(family_client, family_engine, beat, task):
    request = asked(task, beat, temperature=1.0)
    ours, theirs = family_engine.groove(request), family_client.groove(request)
    assert theirs == ours
    assert theirs.after.to_midi() == ours.after.to_midi()
    assert (ours.before.model, ours.before.index, ours.after.index) == ("groove-2bar", 0, 1)


def test_humanised_hits_stay_and_their_playing_is_made(family_engine, beat):
    made = family_engine.groove(asked(HUMANISE, beat, temperature=1.0))
    assert hits(made.after.notes) == hits(made.before.notes) == hits(beat)
    assert {(n.velocity, n.offset) for n in made.before.notes.notes} == {(DEFAULT_VELOCITY, 0.0)}
    assert len({(n.velocity, n.offset) for n in made.after.notes.notes}) > 5
    assert made.after.notes.qpm == beat.qpm


def test_humanising_does_not_hear_how_the_hits_were_played(family_engine, beat):
    bare = NoteSequence(
        tuple(Note(n.start_step, n.pitch, n.end_step, 33, is_drum=True) for n in beat.notes), 32
    )
    played, plain = (family_engine.groove(asked(HUMANISE, each)) for each in (beat, bare))
    assert played.after.notes.notes == plain.after.notes.notes


def test_taps_are_the_onsets_of_any_music(family_engine, melody):
    late = NoteSequence(
        notes=tuple(Note(n.start_step, n.pitch, n.end_step, offset=0.25) for n in melody.notes),
        length_steps=32,
    )
    made = family_engine.groove(asked(TAP_TO_DRUMS, late))
    taps = [(n.start_step, n.offset) for n in made.before.notes.notes]
    assert taps == [(n.start_step, 0.25) for n in melody.notes]
    assert len({n.pitch for n in made.before.notes.notes}) == 1
    assert hits(made.after.notes) != hits(made.before.notes)
    one_tap = [Note(0, pitch, 4) for pitch in (3, 60, 64)]
    made = family_engine.groove(
        asked(TAP_TO_DRUMS, NoteSequence(notes=tuple(one_tap), length_steps=16))
    )
    assert hits(made.before.notes) == [(0, 42)]


def test_transfer_plays_other_hits(family_engine, beat):
    made = family_engine.groove(asked(TRANSFER, beat))
    assert hits(made.after.notes) == hits(made.before.notes) == hits(KICKS)
    assert made.after.notes.qpm == KICKS.qpm
    as_played = family_engine.encode(
        EncodeRequest(model="groove-2bar", excerpt=Excerpt(notes=beat))
    )
    assert made.after.latent == as_played.latent
    again = GrooveRequest(task=TRANSFER, point=as_played.latent, onto=Excerpt(notes=KICKS), seed=4)
    assert family_engine.groove(again).after == made.after


@pytest.mark.parametrize("task", GROOVE_TASKS)
def test_clip_is_made_again_from_its_file(family_engine, beat, task):
    made = family_engine.groove(asked(task, beat, temperature=1.0, top_p=0.9, qpm=77.0))
    assert (made.before.method, made.after.method) == (
        GIVEN,
        DECODED if task == TAP_TO_DRUMS else GROOVED,
    )
    request = request_again(midi.read_provenance(made.after.to_midi()))
    again = (
        next(family_engine.decode(request))
        if isinstance(request, DecodeRequest)
        else family_engine.groove(request).after
    )
    assert again.to_midi() == made.after.to_midi()


@pytest.mark.parametrize(
    ("fields", "kind", "wrong"),
    [
        ({"task": "swing"}, SettingError, {"task"}),
        ({"task": HUMANISE, "point": LATENT}, SettingError, {"point"}),
        ({"task": HUMANISE, "onto": Excerpt(notes=KICKS)}, SettingError, {"onto"}),
        ({"task": TRANSFER}, SettingError, {"onto"}),
        (
            {"task": TAP_TO_DRUMS, "point": LATENT, "onto": Excerpt(notes=KICKS), "qpm": 1.0},
            RequestError,
            {"point", "onto", "qpm"},
        ),
    ],
)
def test_request_tells_what_is_wrong_with_it(fields, kind, wrong):
    with pytest.raises(kind) as caught:
        GrooveRequest(**{"point": Excerpt(notes=KICKS), **fields})
    assert {each.field for each in caught.value.violations} == wrong


def test_music_that_is_no_drums_has_no_groove(family_client, melody):
    with pytest.raises(RepresentationError, match="which is no drum") as caught:
        family_client.groove(asked(HUMANISE, melody))
    assert caught.value.field == "point.excerpt"
    both = GrooveRequest(task=TRANSFER, point=(0.1,) * 9, onto=Excerpt(notes=melody))
    with pytest.raises(RequestError) as caught:
        family_client.groove(both)
    assert {each.field for each in caught.value.violations} == {"point.latent", "onto"}


def test_latent_of_another_model_is_refused(family_client):
    request = GrooveRequest(task=TRANSFER, point=(0.1,) * 9, onto=Excerpt(notes=KICKS))
    with pytest.raises(LatentError, match="9 values; expected 8"):
        family_client.groove(request)


def test_other_models_have_no_grooves(family, family_client, beat):
    with pytest.raises(SettingError, match="'drums-2bar', whose music is drums") as caught:
        family_client.groove(asked(HUMANISE, beat, model="drums-2bar"))
    assert caught.value.field == "model"
    alone = Engine([family["melody-2bar"]])
    with pytest.raises(BundleError, match="no model of grooves among melody-2bar"):
        alone.groove(asked(HUMANISE, beat))
