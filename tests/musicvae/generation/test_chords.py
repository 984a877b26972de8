"""Chords that are given, inferred or drawn: models whose prior keeps progressions."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from musicvae.errors import SettingError
from musicvae.generation.engine import Engine
from musicvae.generation.inputs import Excerpt
from musicvae.generation.loaded_model import Model
from musicvae.generation.provenance import request_again
from musicvae.generation.requests import (
    DecodeRequest,
    EncodeRequest,
    InterpolateRequest,
    SampleRequest,
    TransformRequest,
)
from musicvae.music import midi
from musicvae.music.chords import QUALITIES, Chord
from musicvae.music.notes import Key, Note, NoteSequence
from musicvae.runtime.draw_keys import key_of_chords

NAMES = ("trio-16bar", "leadsheet-4bar")
MAJOR, MINOR = ((0, "maj"), (5, "maj"), (7, "7"), (0, "maj")), ((0, "min"), (5, "min"), (7, "7"))
BORROWED = ((0, "maj"), (3, "maj"), (8, "maj"), (0, "maj"))
G_MAJOR = {7, 9, 11, 0, 2, 4, 6}


def row(mode, chords):
    """A kept progression of four bars, a chord a bar."""
    cells = [1 + root * len(QUALITIES) + list(QUALITIES).index(name) for root, name in chords]
    slots = [(cells[slot // 2 % len(cells)], 0) for slot in range(8)]
    return [mode, *np.ravel(slots)]


@pytest.fixture(scope="module")
def bundles(make_bundle, tmp_path_factory):
    folder = tmp_path_factory.mktemp("chords")
    kept = [row(0, MAJOR), row(1, MINOR), *[row(0, BORROWED)] * 2]
    kept += [row(0, MAJOR[shift:] + MAJOR[:shift]) for shift in (1, 2, 3)] * 11
    return {
        name: make_bundle(
            folder / name,
            name=name,
            preset=name,
            draws_events=True,
            progressions=torch.tensor(kept),
        )
        for name in NAMES
    }


@pytest.fixture(scope="module")
def engine(bundles):
    return Engine(list(bundles.values()))


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


def sample(engine, name, **asked):
    return list(engine.sample(SampleRequest(model=name, seed=3, temperature=1.0, **asked)))


def a_minor_song(*, drums=True):
    """Four bars: a tune, a bass and a pad over A minor and F, and drums."""
    notes = []
    for bar, (root, tones) in enumerate([(33, (57, 60, 64)), (29, (57, 60, 65))] * 2):
        first = 16 * bar
        notes += [Note(first, root, first + 16, program=33)]
        notes += [Note(first, tone, first + 16, program=90) for tone in tones]
        notes += [Note(first + step, 69 + 3 * (step // 8), first + step + 4) for step in (0, 8)]
        notes += [Note(first + step, 36, first + step + 1, is_drum=True) for step in (0, 8) * drums]
    return NoteSequence(tuple(sorted(notes)), length_steps=64)


def test_chords_are_optional(engine, name):
    info = engine.model(name)
    assert (info.takes_chords, info.needs_chords) == (True, False)


def test_a_model_without_progressions_needs_chords(make_bundle, tmp_path, name):
    bundle = make_bundle(tmp_path, name=name, preset=name, draws_events=True)
    info = Engine([bundle]).model("")
    assert info.takes_chords == info.needs_chords == (name == "leadsheet-4bar")


def test_drawn_chords_depend_on_seed_and_index_alone(engine, name):
    nine = sample(engine, name, count=9)
    assert len({clip.chords for clip in nine}) > 3
    assert sample(engine, name, count=1, first_index=6) == nine[6:7]
    for clip in nine:
        tonic, mode = key_of_chords(clip.notes.chords, 64)
        assert clip.notes.key == Key(tonic, is_minor=mode == 1)
        assert midi.read(clip.to_midi()).chords == clip.notes.chords


def test_a_draw_over_drawn_chords_is_the_draw_over_these_chords(engine, name):
    (clip,) = sample(engine, name, count=1, first_index=2)
    again = request_again(clip.provenance())
    assert again.chords == clip.chords
    assert list(engine.sample(again)) == [clip]


def test_a_key_decides_the_chords(engine, name):
    drawn = sample(engine, name, count=9, key="G")
    assert {clip.notes.key for clip in drawn} == {Key(7)}
    assert len({clip.chords for clip in drawn}) > 1
    for chord in (chord for clip in drawn for chord in clip.notes.chords):
        tones = {(chord.root + tone) % 12 for tone in QUALITIES[chord.quality]}
        assert tones <= G_MAJOR, "progressions with tones of other keys are not drawn"
    (minor,) = sample(engine, name, count=1, key="Em")
    assert minor.chords.startswith("Em | Am | B7")


def test_latents_are_decoded_over_one_progression(engine, name):
    first, second = sample(engine, name, count=2)
    latents = [first.latent, second.latent]
    how = {"model": name, "seed": 3, "temperature": 1.0}
    decoded = list(engine.decode(DecodeRequest(latents=latents, **how)))
    morphed = list(engine.interpolate(InterpolateRequest(points=latents, count=3, **how)))
    assert {clip.chords for clip in [*decoded, *morphed]} == {first.chords}
    (again,) = engine.decode(DecodeRequest(latents=latents[1:], **how))
    assert again.notes == decoded[1].notes


def test_chords_are_inferred_from_all_notes_of_the_music(engine):
    song = a_minor_song()
    excerpt = Excerpt(song, reduce=True)
    encoded = engine.encode(EncodeRequest(model="trio-16bar", excerpt=excerpt))
    assert encoded.chords == "Am | F | Am | F"
    told = engine.encode(EncodeRequest(model="trio-16bar", excerpt=excerpt, chords="Am | F"))
    assert told == encoded
    changed = engine.transform(
        TransformRequest(model="trio-16bar", point=excerpt, amounts={"note_density": 1.0}, seed=1)
    )
    assert changed.after.chords == "Am | F | Am | F"


def test_written_chords_are_kept(engine, name):
    tune = replace(
        a_minor_song(drums=False),
        chords=(Chord(0, 2, "min7"), Chord(16, 7, "7"), Chord(32, 0, "6")),
    )
    encoded = engine.encode(EncodeRequest(model=name, excerpt=Excerpt(tune, reduce=True)))
    assert encoded.chords == "Dm7 | G7 | C6 | C6"


def test_drums_alone_imply_no_chords(engine):
    notes = tuple(note for note in a_minor_song().notes if note.is_drum)
    encoded = engine.encode(EncodeRequest(excerpt=Excerpt(NoteSequence(notes, length_steps=64))))
    assert encoded.chords == "N.C. | N.C. | N.C. | N.C."


def test_a_clip_brings_its_chords(bundles, name):
    model = Model(bundles[name])
    (clip,) = model.sample(seed=8, temperature=1.0)
    assert clip.chords != model.sample(seed=1)[0].chords
    moved = model.transform(clip, {"note_density": 1.0}, seed=1)
    assert moved.before.chords == moved.after.chords == clip.chords
    other = model.transform(clip, {"note_density": 1.0}, seed=1, chords="C | F")
    assert other.after.chords == "C | F | C | F"


def test_a_bundle_keeps_its_progressions(bundles, name):
    kept = bundles[name].networks.draws.progressions
    assert kept[0].tolist() == row(0, MAJOR)


def test_models_that_play_over_no_chords_refuse_them(make_bundle, tmp_path):
    bundle = make_bundle(tmp_path, name="trio", preset="trio-16bar", draws_events=True)
    with pytest.raises(SettingError, match="choose a model that takes chords"):
        list(Engine([bundle]).sample(SampleRequest(chords="C")))
