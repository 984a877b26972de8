import numpy as np
import pytest

from musicvae.evaluation.language_model import LanguageModel


def rows(*texts):
    return np.array([[ord(letter) - ord("a") for letter in text] for text in texts])


def probabilities(model, size, context):
    """Of every symbol after a context: from the costs of the rows that it ends."""
    whole = np.array([[*context, symbol] for symbol in range(size)])
    before = model.cost(np.array([context])) * len(context) if context else np.zeros(1)
    return np.exp(before - model.cost(whole) * whole.shape[1])


def test_all_that_may_follow_sums_to_one():
    random = np.random.default_rng(0)
    model = LanguageModel(random.integers(0, 6, (30, 20)), 6)
    for context in ([], [0], [1, 2, 3], random.integers(0, 6, 12).tolist()):
        assert probabilities(model, 6, context).sum() == pytest.approx(1)


def test_a_context_is_followed_as_witten_and_bell_say():
    model = LanguageModel(rows("ab", "ab", "ac"), 4)
    # Unigrams: a 3, b 2, c 1 of 6, three kinds; each blends with 1/4.
    unigram = {"b": (2 + 3 / 4) / 9, "d": (0 + 3 / 4) / 9}
    # After "a" came b twice and c once, two kinds; so too after the start and "a", and before
    # that stands nothing but the start.
    for letter, count in (("b", 2), ("d", 0)):
        expected = unigram[letter]
        for _ in range(4):
            expected = (count + 2 * expected) / 5
        found = probabilities(model, 4, [0])[ord(letter) - ord("a")]
        assert found == pytest.approx(expected)


def test_what_was_heard_costs_less():
    random = np.random.default_rng(0)
    scale = np.cumsum(random.choice([-1, 1], (200, 32)), axis=1) % 12
    model = LanguageModel(scale[:150], 12)
    leaps = random.integers(0, 12, (50, 32))
    assert model.cost(scale[150:]).mean() < 1.0
    assert model.cost(leaps).mean() > np.log(12)
    assert model.cost(scale[:150]).mean() < model.cost(scale[150:]).mean()


def test_a_fair_coin_costs_a_bit():
    flips = np.random.default_rng(0).integers(0, 2, (400, 64))
    cost = LanguageModel(flips[:200], 2).cost(flips[200:])
    assert cost.mean() == pytest.approx(np.log(2), abs=0.01)


def test_the_largest_vocabulary_fits():
    symbols = np.random.default_rng(0).integers(0, 512, (20, 32))
    model = LanguageModel(symbols, 512)
    assert np.isfinite(model.cost(np.full((1, 32), 511))).all()
    assert model.cost(symbols).mean() < np.log(512)


def test_rows_are_judged_by_themselves():
    symbols = np.random.default_rng(0).integers(0, 5, (40, 16))
    model = LanguageModel(symbols, 5)
    assert model.cost(symbols)[7] == model.cost(symbols[7:8])[0]
