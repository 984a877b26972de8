import numpy as np
import pytest

from musicvae.evaluation.listener import drums
from musicvae.music.instruments import DRUM_CLASSES

BITS = {drum.name: 1 << index for index, drum in enumerate(DRUM_CLASSES)}
CLOSED, OPEN, RIDE, CRASH = (
    BITS[name] for name in ("closed hi-hat", "open hi-hat", "ride cymbal", "crash cymbal")
)
KICK = BITS["kick"]


def pattern(text, repeats=1):
    """Drums of one excerpt: `c`, `o`, `r` and `!` for cymbals, `k` for a kick, `.` for silence."""
    known = {"c": CLOSED, "o": OPEN, "r": RIDE, "!": CRASH, "k": KICK, ".": 0}
    return np.array([[known[letter] for letter in text * repeats]], np.int16)


@pytest.mark.parametrize(
    ("events", "is_periodic"),
    [
        (pattern("c.", 16), True),
        (pattern("c.c.c.o.", 4), True),  # hi-hats and ride count as one instrument
        (pattern("ckrk....", 4), True),
        (pattern("c......c..c.....", 2), False),  # only a whole bar comes back
        (pattern("c." * 15 + ".."), False),  # not to the end
        (pattern("!.", 16), False),  # crashes keep no pattern
        (pattern("k.", 16), False),
    ],
)
def test_cymbals_repeat_from_beginning_to_end(events, is_periodic):
    assert drums.have_periodic_cymbals(events, longest=8).tolist() == [is_periodic]


def test_a_period_of_three_quarters_is_too_long():
    events = pattern("c...c......." * 3)[:, :32]
    assert drums.have_periodic_cymbals(events, longest=8).tolist() == [False]
    assert drums.have_periodic_cymbals(events, longest=12).tolist() == [True]


def test_steps_are_compared_with_the_bar_before():
    first, second = "k...c...k...c...", "k...c...k..kc..."
    changed = drums.steps_changed(pattern(first + second), bars=2)
    assert (len(changed), changed.sum()) == (16, 1)
    assert not drums.steps_changed(pattern(first, 4), bars=4).any()


def test_crashes_are_counted_in_every_bar():
    events = pattern("!.......!......." + "." * 16 + "k" * 16)
    assert drums.crashes(events, bars=3).tolist() == [2, 0, 0]
