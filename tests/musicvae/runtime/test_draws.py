from dataclasses import replace

import numpy as np
import pytest
import torch

from musicvae.experiment.build import build_prior
from musicvae.music import progressions
from musicvae.music.constraint import parse_constraint
from musicvae.music.notes import Key
from musicvae.runtime.conditions import Conditions
from musicvae.runtime.draw_keys import choose_keys, choose_styles, key_of_chords
from musicvae.runtime.draws import draw_music, mask_of


@pytest.fixture(scope="module")
def parts(make_experiment):
    """A tiny prior and its representation."""
    experiment = make_experiment()
    small = replace(experiment.prior, event_size=12, hidden_size=16)
    experiment = replace(experiment, prior=small)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        prior = build_prior(experiment).eval()
    prior.key_weights[:] = 1 / 25
    return prior.draws, experiment.representation


def draw(parts, rows, seed=1, **asked):
    prior, representation = parts
    asked = {"key": None, "scale": None, "pitch_range": None, **asked}
    return draw_music(
        prior,
        representation,
        seed=seed,
        rows=rows,
        conditions=Conditions(),
        constraint=parse_constraint(**asked),
    )


def test_a_row_is_the_same_among_any_rows(parts):
    eight = draw(parts, range(8))
    turned = draw(parts, [*range(7, -1, -1)])
    assert (turned.events[::-1] == eight.events).all()
    assert (turned.keys[::-1] == eight.keys).all()
    assert eight.masked_nats.tolist() == [0] * 8


def test_temperature_and_top_p_are_of_the_prior_at_its_own_settings(parts):
    prior, representation = parts
    settings = {"seed": 1, "rows": range(4), "conditions": Conditions()}
    usual = draw_music(prior, representation, **settings)
    assert (draw(parts, range(4)).events == usual.events).all()
    other = replace(prior.config, temperature=prior.config.temperature * 1.25, top_p=0.5)
    warm = draw_music(prior, representation, **settings, temperature=1.0, top_p=0.5)
    assert (warm.events != usual.events).any((1, 2)).all()
    before, prior.config = prior.config, other
    try:
        again = draw_music(prior, representation, **settings, top_p=0.9)
    finally:
        prior.config = before
    assert (again.events == warm.events).all()


def test_music_keeps_to_what_is_asked_in_every_key(parts):
    for tonic in ("C", "F#", "Ab", "Bm"):
        asked = {"key": tonic, "pitch_range": "A3-E5"}
        drawn = draw(parts, range(16), **asked)
        constraint = parse_constraint(scale=None, **asked)
        pitches = drawn.events[drawn.events >= 2] + 19
        assert len(pitches) and (constraint.classes & constraint.within_range)[pitches].all()
        assert (drawn.masked_nats > 0).all()
        key = constraint.key
        assert drawn.keys.tolist() == [[key.tonic, int(key.is_minor)]] * 16


def test_keys_are_drawn_by_their_share_in_the_training_music():
    weights = np.zeros(25)
    weights[[2, 14, 24]] = 0.5, 0.25, 0.25
    keys = choose_keys(weights, 1, range(2_000))
    found, counts = np.unique(keys, axis=0, return_counts=True)
    assert found.tolist() == [[2, 0], [2, 1], [12, 2]]
    assert np.abs(counts / 2_000 - [0.5, 0.25, 0.25]).max() < 0.04
    assert (choose_keys(weights, 1, [7, 3]) == keys[[7, 3]]).all()


def test_styles_are_drawn_by_their_share_in_the_training_music():
    weights = np.array([0.5, 0.0, 0.25, 0.25])
    styles = choose_styles(weights, 1, range(2_000))
    counts = np.bincount(styles, minlength=4)
    assert counts[1] == 0 and np.abs(counts / 2_000 - weights).max() < 0.04
    assert (choose_styles(weights, 1, [7, 3]) == styles[[7, 3]]).all()


def test_a_drawn_style_and_the_same_style_told_give_the_same_music(make_bundle, tmp_path):
    styles = ("funk", "rock")
    drums = make_bundle(tmp_path / "b", preset="drums-2bar", draws_events=True, styles=styles)
    parts = drums.networks.draws, drums.representation
    settings = {"seed": 1, "rows": range(8)}
    drawn = draw_music(*parts, **settings, conditions=Conditions())
    assert set(drawn.styles.tolist()) == {0, 1, 2}
    told = draw_music(*parts, **settings, conditions=Conditions(styles=drawn.styles))
    assert (told.events == drawn.events).all()
    other = Conditions(styles=(drawn.styles + 1) % 3)
    assert (
        (draw_music(*parts, **settings, conditions=other).events != drawn.events).any((1, 2)).all()
    )


def test_pitch_classes_without_a_tonic_draw_a_key_that_holds_them():
    constraint = parse_constraint(key=None, scale="G A B C D E F#", pitch_range=None)
    keys = choose_keys(np.full(25, 1 / 25), 1, range(50), constraint)
    assert {tuple(key) for key in keys.tolist()} <= {(7, 0), (4, 1)}


@pytest.mark.parametrize(
    ("text", "key"), [("G | C | D7 | G", Key(7)), ("Am | Dm | E7 | Am", Key(9, is_minor=True))]
)
def test_chords_tell_the_key(text, key):
    chords = progressions.lay_out(progressions.parse(text), bars=4, steps_per_bar=16)
    assert key_of_chords(chords, 64) == (key.tonic, int(key.is_minor))


def test_no_chord_tells_no_key():
    chords = progressions.lay_out(progressions.parse("N.C."), bars=1, steps_per_bar=16)
    assert key_of_chords(chords, 16) == (12, 2)


def test_a_mask_moves_with_the_music(parts):
    _, representation = parts
    constraint = parse_constraint(key=None, scale="C", pitch_range="C4-C5")
    home, moved = mask_of(representation, constraint, np.array([0, -3]))
    assert np.flatnonzero(home == 0).tolist() == [0, 1, 41, 53]
    assert np.flatnonzero(moved == 0).tolist() == [0, 1, 38, 50]


@pytest.mark.parametrize("by", range(-6, 7))
def test_moved_music_can_always_be_moved_back(parts, by):
    _, representation = parts
    mask = mask_of(representation, None, np.array([by]))
    events = np.flatnonzero(mask[0] == 0)[2:]  # after hold and stop
    music = np.zeros((len(events), 32, 1), np.int16)
    music[:, 0, 0] = events
    back = representation.transpose(music, np.full(len(events), -by))
    assert len(events) == 88 - abs(by)
    assert (back[:, 0, 0] == events - by).all()
