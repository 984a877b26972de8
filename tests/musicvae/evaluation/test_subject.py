from dataclasses import replace

import numpy as np
import pytest

from musicvae.errors import DataError
from musicvae.evaluation.subject import choose, load_data, titles, transposed
from musicvae.representation import Melody


def test_a_model_is_known_by_its_weights(subject):
    assert subject.weights == sum(each.numel() for each in subject.model.parameters())
    assert subject.representation == Melody()


def test_the_data_are_a_split_and_the_training_split(data, held_out):
    assert (len(held_out.held_out), len(held_out.training)) == (20, 40)
    assert held_out.pieces == 10
    assert load_data(data, "validation").pieces == 6
    with pytest.raises(DataError, match="no split 'tset'"):
        load_data(data, "tset")


def test_data_of_another_representation_are_refused(held_out):
    held_out.check(Melody())
    with pytest.raises(DataError, match=r"expected melody with bars 16.*Prepare data"):
        held_out.check(Melody(bars=16))


def test_models_of_one_name_are_told_by_their_versions(subject):
    other = replace(subject, name="other")
    again = replace(subject, version="new")
    assert titles([subject, other]) == ["tiny", "other"]
    assert titles([subject, other, again]) == [f"tiny {subject.version}", "other", "tiny new"]


def test_rows_are_chosen_once_each():
    assert sorted(choose(10, 20, 0).tolist()) == list(range(10))
    assert len(set(choose(100, 7, 0).tolist())) == 7
    assert choose(100, 7, 0).tolist() != choose(100, 7, 1).tolist()


def test_excerpts_are_transposed_each_by_its_own_interval():
    events = np.full((200, 32, 1), 41, np.int16)
    moved = transposed(Melody(), events, most_semitones=2, seed=0)
    assert set(moved[:, 0, 0].tolist()) == {39, 40, 41, 42, 43}
    assert (moved == moved[:, :1]).all()
    assert np.array_equal(transposed(Melody(), events, most_semitones=0, seed=0), events)
