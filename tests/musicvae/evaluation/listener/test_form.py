import numpy as np
from lines import line, lines

from musicvae.evaluation.listener import form

C_HALF = "C4 - E4 - G4 - C5 -"
A_MINOR_HALF = "A4 - C5 - E5 - A4 -"
F_SHARP_HALF = "F#4 - A#4 - C#5 - F#4 -"


def bars(*names):
    """Bars of four steps: by letter a melody each, in small letters in the same rhythm."""
    known = {
        "A": "C4 - E4 -",
        "a": "D4 - F4 -",
        "B": "C4 D4 E4 F4",
        "C": "C4 - - .",
        "-": "- - - -",
    }
    return line(" ".join(known[name] for name in names))[None]


def test_halves_agree_if_their_signatures_do():
    events = lines(
        f"{C_HALF} {C_HALF}", f"{C_HALF} {A_MINOR_HALF}", f"{C_HALF} {F_SHARP_HALF}",
        f"{C_HALF} . . . . . . . .",
    )  # fmt: skip
    assert form.halves_agree(events, bars=8).tolist() == [True, True, False]


def test_the_tonic_ends_in_any_octave():
    events = lines(
        "C4 - E4 - G4 - C6 -",
        "C4 - E4 - C4 - G4 .",
        ". . . . . . . .",
        "A4 - C5 - E5 - A3 .",
    )
    assert form.end_on_tonic(events).tolist() == [True, False, True]


def test_bars_come_back_exactly_or_in_rhythm():
    events = bars("A", "B", "A", "a", "C", "-", "B", "B")
    exact = form.repeat_exactly(events, bars=8)
    assert exact.tolist() == [False, True, False, False, True, True]
    rhythm = form.repeat_rhythm(events, bars=8)
    assert rhythm.tolist() == [False, True, True, False, True, True]


def test_bars_equal_the_bar_before():
    events = bars("A", "A", "a", "-", "-", "B", "B", "A")
    found = form.equal_bar_before(events, events >= 2, bars=8)
    assert found.tolist() == [True, False, False, True, False]


def test_excerpts_do_not_repeat_each_other():
    events = np.concatenate([bars("A", "B"), bars("A", "A")])
    assert form.repeat_exactly(events, bars=2).tolist() == [False, True]
