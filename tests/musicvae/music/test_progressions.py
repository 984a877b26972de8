import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicvae.errors import SettingError
from musicvae.music.chords import QUALITIES, Chord, parse_symbol
from musicvae.music.progressions import MOST_CHARACTERS, hint_at_bars, lay_out, parse, write


def laid(text, *, bars=4, steps_per_bar=16):
    chords = lay_out(parse(text), bars=bars, steps_per_bar=steps_per_bar)
    return [(chord.start_step, chord.root, chord.quality, chord.bass) for chord in chords]


def test_chords_of_a_bar_share_it():
    assert laid("C | Am | F G7/B | N.C.") == [
        (0, 0, "maj", None),
        (16, 9, "min", None),
        (32, 5, "maj", None),
        (40, 7, "7", 11),
        (48, None, "none", None),
    ]


def test_a_dot_goes_on():
    assert laid("C . . G | .", bars=2) == [(0, 0, "maj", None), (12, 7, "maj", None)]


def test_three_chords_start_on_the_nearest_steps():
    assert [step for step, *_ in laid("C F G", bars=1)] == [0, 5, 11]
    assert [step for step, *_ in laid("C F G", bars=1, steps_per_bar=12)] == [0, 4, 8]


def test_fewer_bars_are_repeated():
    assert [root for _, root, _, _ in laid("C | F | G", bars=8)] == [0, 5, 7, 0, 5, 7, 0, 5]


def test_bar_lines_may_stand_at_the_ends():
    assert laid("| C | F |", bars=2) == laid("C|F", bars=2) == laid(" C  |  F ", bars=2)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "bar 1 without a chord"),
        ("|", "bar 1 without a chord"),
        ("C || F", "bar 2 without a chord"),
        ("C | H7 | F", "'H7' in bar 2"),
        ("C | x y | z | u", "'x' in bar 2, 'y' in bar 2, 'z' in bar 3 and 1 more"),
        ("C" + "x" * 50, "'Cxxxxxxxxxxxxxxx' in bar 1"),
        ("C " * MOST_CHARACTERS, f"chords of {2 * MOST_CHARACTERS} characters"),
    ],
)
def test_what_is_no_progression_is_refused_by_bar(text, found):
    with pytest.raises(SettingError) as caught:
        parse(text)
    assert caught.value.found == found
    assert caught.value.field == "chords"


def test_what_the_excerpt_cannot_hold_is_refused():
    with pytest.raises(SettingError, match="5 bars of chords; expected 1 to 4 bars"):
        laid("C | C | C | C | C")
    with pytest.raises(SettingError, match="17 cells in bar 2; expected at most the 16 steps"):
        laid("C | " + "F " * 17)


CHORDS = st.tuples(
    st.integers(0, 63),
    st.none() | st.tuples(st.integers(0, 11), st.sampled_from(sorted(QUALITIES))),
)


@given(st.lists(CHORDS, max_size=8, unique_by=lambda each: each[0]))
def test_written_chords_hold_where_they_did(made):
    chords = [Chord(step, *(kind or ())) for step, kind in sorted(made)]
    text = write(chords, bars=4, steps_per_bar=16)
    assert holding(lay_out(parse(text), bars=4, steps_per_bar=16)) == holding(chords)


def holding(chords):
    """The chord of each step."""
    held, steps = (None, "none"), []
    for step in range(64):
        for chord in chords:
            if chord.start_step == step:
                held = (chord.root, chord.quality)
        steps.append(held)
    return steps


def test_written_chords_are_short():
    assert write(lay_out(parse("C | Am"), bars=4, steps_per_bar=16), bars=4, steps_per_bar=16) == (
        "C | Am | C | Am"
    )
    assert write([], bars=2, steps_per_bar=16) == "N.C. | N.C."
    assert parse_symbol("N.C.").root is None


@pytest.mark.parametrize(
    "text",
    [
        "C",
        "C Am",
        "C | Am F G",
        "| C Am F G |",
        "C . . Am",
        "no | chords at all",
        "",
        "no chords here",
    ],
)
def test_other_chords_get_no_hint_at_bars(text):
    assert hint_at_bars(text) is None
