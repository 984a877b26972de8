import numpy as np
import pytest
from pieces import make_part, make_piece

from musicvae.data_pipeline.cut.lines.melody_score import score_parts, share_of_polyphony

TUNE = (67, 69, 71, 71, 72, 71, 69, 67, 66, 67, 69, 69, 71, 69, 67, 67)
LINE = [(4 * step, pitch, 4 * step + 4) for step, pitch in enumerate(TUNE)]
CHORDS = [
    (8 * step, pitch, 8 * step + 8) for step in range(8) for pitch in (43, 47 + step % 3, 55, 62)
]
BASS = [(4 * step, 31 + 5 * (step % 2), 4 * step + 4) for step in range(16)]


def totals(*parts):
    return [score.total for score in score_parts(make_piece(*parts))]


def component(name, *parts):
    (score, *_) = score_parts(make_piece(*parts))
    return next(each for each in score.components if each.name == name)


def test_a_tune_scores_above_chords_and_bass():
    tune, chords, bass = totals(make_part(*LINE), make_part(*CHORDS), make_part(*BASS))
    assert tune > 3 + max(chords, bass)


def test_drums_have_no_score():
    (score,) = score_parts(make_piece(make_part(*LINE, is_drum=True)))
    assert (score.components, score.total) == ((), -np.inf)


def test_a_score_is_the_sum_of_what_each_rule_says():
    (score,) = score_parts(make_piece(make_part(*LINE, name="Voice")))
    assert score.total == sum(each.value for each in score.components)
    assert len({each.name for each in score.components}) == len(score.components) == 10


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("Lead vocals", 2.0, "its name, 'Lead vocals', says melody"),
        ("Slap Bass", -2.0, "its name, 'Slap Bass', says accompaniment"),
        ("Flute", 0.0, "its name, 'Flute', says neither"),
        ("Bass voice", 0.0, "its name, 'Bass voice', says neither"),
    ],
)
def test_a_name_may_say_it(name, value, why):
    found = component("name", make_part(*LINE, name=name))
    assert (found.value, found.why) == (value, why)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("voices", "0% of its onsets on a sounding note"),
        ("register", "around pitch 69"),
        ("motion", "1.3 semitones from note to note"),
        ("repetition", "20% of its notes repeat the last"),
        ("density", "1.0 onsets a quarter note where it plays"),
        ("presence", "starts notes in 100% of the bars"),
        ("place", "nothing sounds above 100% of its onsets"),
        ("program", "program 73, pipe"),
    ],
)
def test_what_was_found_is_told_in_words(name, why):
    assert component(name, make_part(*LINE, program=73), make_part(*CHORDS)).why == why


def test_a_part_under_another_is_told():
    found = component("place", make_part(*CHORDS), make_part(*LINE))
    assert (found.value, found.why) == (-0.5, "nothing sounds above 0% of its onsets")


def test_a_single_note_is_scored():
    assert np.isfinite(totals(make_part((0, 60, 4)))).all()


def test_the_share_of_polyphony_counts_onsets_on_sounding_notes():
    (line,) = make_piece(make_part((0, 60, 9), (4, 62, 6), (8, 64, 9), (9, 65, 12))).parts
    assert share_of_polyphony(line) == pytest.approx(2 / 3)
