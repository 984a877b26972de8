from dataclasses import replace

import numpy as np
import pytest

from musicvae.evaluation.listening import PAIRS, make_pairs
from musicvae.evaluation.subject import load_data


@pytest.fixture(scope="module")
def pairs(subject, held_out):
    return make_pairs(subject, held_out, seed=3)


def test_each_pair_is_a_real_excerpt_and_a_draw(pairs, subject, held_out):
    representation = subject.representation
    real = {representation.to_notes(each) for each in held_out.held_out.events[:]}
    assert len(pairs) == PAIRS
    assert all(pair.real.notes in real for pair in pairs)
    assert not any(pair.draw.notes in real for pair in pairs)
    assert len({pair.real.title for pair in pairs}) == held_out.pieces == PAIRS


def test_only_the_music_tells_the_clips_of_a_pair_apart(member):
    def frame(clip):
        return replace(clip.notes, notes=()), clip.qpm

    for pair in make_pairs(member.subject, member.data, seed=0):
        assert frame(pair.real) == frame(pair.draw)


def test_the_seed_decides(pairs, subject, held_out):
    assert make_pairs(subject, held_out, seed=3) == pairs
    other = make_pairs(subject, held_out, seed=4)
    assert [pair.real for pair in other] != [pair.real for pair in pairs]
    assert {pair.draw.notes for pair in other}.isdisjoint({pair.draw.notes for pair in pairs})


def test_the_order_of_one_model_does_not_tell_that_of_another(pairs, subject, held_out):
    other = make_pairs(replace(subject, name="other"), held_out, seed=3)
    assert [pair.real for pair in other] == [pair.real for pair in pairs]
    assert [p.is_draw_first for p in other] != [p.is_draw_first for p in pairs]


def test_the_draw_comes_first_about_every_second_time(subject, held_out):
    first = [
        pair.is_draw_first
        for seed in range(20)
        for pair in make_pairs(subject, held_out, seed=seed)
    ]
    assert 0.4 < np.mean(first) < 0.6


def test_clip_a_is_the_first(pairs):
    for pair in pairs:
        assert pair.clips[0] == (pair.draw if pair.is_draw_first else pair.real)
        assert set(map(id, pair.clips)) == {id(pair.draw), id(pair.real)}


def test_a_tiny_split_gives_a_short_test(subject, make_data, tmp_path):
    data = load_data(make_data(tmp_path / "data", {"test": 4}), "test")
    assert len(make_pairs(subject, data, seed=0)) == 4
