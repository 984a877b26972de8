from dataclasses import replace

import pytest
from engines import FOUR, FOUR_THEN_THREE, PICKUP, TWO_FOUR_BAR, in_meters

from musicvae.errors import RepresentationError, SettingError
from musicvae.generation.excerpts import fit
from musicvae.generation.inputs import Excerpt
from musicvae.music.notes import BarChange, Meter, Note, NoteSequence, TimeGrid
from musicvae.representation import Drums, Groove, Melody, Trio

TWO_BARS = Melody(bars=2)


def fitted(notes, **how):
    return fit(Excerpt(notes=notes, **how), TWO_BARS, "excerpt")


def long_melody(bars):
    notes = [Note(4 * i, 60 + i % 12, 4 * i + 4) for i in range(4 * bars)]
    return NoteSequence(notes=tuple(notes), length_steps=16 * bars)


def test_shorter_music_is_filled_with_silence(melody):
    one_bar = melody.window(0, 16)
    assert fitted(one_bar) == replace(one_bar, length_steps=32)


def test_silence_at_the_end_is_not_too_long(melody):
    assert fitted(replace(melody, length_steps=160)) == melody


def test_bars_are_counted_from_one():
    notes = long_melody(6)
    assert fitted(notes, start_bar=3) == notes.window(32, 32)
    assert fitted(notes, start_bar=1) == notes.window(0, 32)
    assert len(fitted(notes, start_bar=6).notes) == 4


def test_longer_music_is_refused_with_advice():
    with pytest.raises(
        RepresentationError, match=r"6 bars.*at most the 2 bars.*start_bar"
    ) as caught:
        fitted(long_melody(6))
    assert (caught.value.cause, caught.value.field) == ("wrong_length", "excerpt")


def test_bar_past_the_end_is_refused():
    with pytest.raises(
        SettingError, match="bar 7 of music whose last bar is 6; expected 1 to 6"
    ) as caught:
        fitted(long_melody(6), start_bar=7)
    assert caught.value.field == "excerpt.start_bar"
    with pytest.raises(SettingError, match="bar 4294967295"):
        fitted(long_melody(6), start_bar=2**32 - 1)


def test_bars_without_notes_are_refused(melody):
    late = replace(melody, notes=(Note(64, 60, 68),), length_steps=80)
    with pytest.raises(RepresentationError, match="in the 2 bars from bar 1 on") as caught:
        fitted(late, start_bar=1)
    assert caught.value.cause == "empty"
    with pytest.raises(RepresentationError):
        fitted(NoteSequence(notes=(), length_steps=0))


@pytest.mark.parametrize("representation", [Drums(bars=2), Groove(bars=2)], ids=["drums", "groove"])
def test_of_drums_only_where_they_are_hit_counts(representation):
    early = Note(32, 36, 33, is_drum=True, offset=-0.2)
    long = Note(31, 38, 40, is_drum=True)
    notes = NoteSequence(notes=(long, early), length_steps=48)
    fitted = fit(Excerpt(notes=notes), representation, "excerpt")
    assert fitted.notes == (replace(long, end_step=32),)
    late = replace(notes, notes=(long, replace(early, offset=0.0)))
    with pytest.raises(RepresentationError, match="3 bars of music"):
        fit(Excerpt(notes=late), representation, "excerpt")


@pytest.mark.parametrize(
    ("representation", "advice"),
    [
        (TWO_BARS, "Use `reduce` to keep its top line, on the grid."),
        (Drums(bars=2), "Use `reduce` to keep the drums that General MIDI names, on the grid."),
        (Groove(bars=2), "Use `reduce` to keep the drums that General MIDI names."),
        (Trio(bars=2), "Use `reduce` to keep a melody, the lowest line of a bass, and drums"),
    ],
)
def test_advice_names_what_reducing_would_keep(representation, advice):
    band = (Note(0, 36, 1, is_drum=True), Note(0, 60, 4), Note(0, 64, 4))
    with pytest.raises(RepresentationError) as caught:
        fit(Excerpt(notes=NoteSequence(band, 32)), representation, "excerpt")
    assert caught.value.action.startswith(advice)


def test_reducing_is_not_advised_where_it_would_not_help(melody):
    with pytest.raises(RepresentationError, match="Leave the pitched tracks out"):
        fit(Excerpt(notes=melody), Drums(bars=2), "excerpt")


def test_chords_are_refused_or_reduced_to_the_top_line(melody):
    chords = sorted(
        [*melody.notes, *(replace(note, pitch=note.pitch - 12) for note in melody.notes)]
    )
    both = replace(melody, notes=tuple(chords))
    with pytest.raises(RepresentationError, match="together at step 0") as caught:
        fitted(both)
    assert caught.value.cause == "polyphonic"
    assert fitted(both, reduce=True) == melody


def test_another_meter_is_refused(melody):
    with pytest.raises(RepresentationError, match="3/4; expected 4/4") as caught:
        fitted(replace(melody, meter=Meter(3, 4)), reduce=True)
    assert caught.value.cause == "wrong_meter"


@pytest.mark.parametrize(
    ("notes", "bar", "first_step", "pitch"),
    [(TWO_FOUR_BAR, 4, 40, 63), (FOUR_THEN_THREE, 1, 0, 60), (PICKUP, 2, 4, 61)],
    ids=["a bar of 2/4 before", "a change of meter after", "a pickup"],
)
def test_bars_are_the_musics_own(notes, bar, first_step, pitch):
    cut = fitted(notes, start_bar=bar)
    assert cut.notes == notes.window(first_step, 32).notes
    assert cut.notes[0] == Note(0, pitch, 4)
    assert (cut.meter, cut.bar_changes) == (Meter(), ())


@pytest.mark.parametrize(
    ("notes", "bar", "said"),
    [
        (TWO_FOUR_BAR, 2, "bar 3 in 2/4; expected 4/4.*`start_bar`, such as 1"),
        (FOUR_THEN_THREE, 2, "bar 3 in 3/4; expected 4/4.*such as 1"),
        (FOUR_THEN_THREE, 3, "bar 3 in 3/4; expected 4/4"),
        (PICKUP, None, "bar 1 in 1/4; expected 4/4.*such as 2"),
        (
            replace(
                PICKUP, meter=Meter(), bar_changes=(BarChange(0, Meter()), BarChange(4, Meter()))
            ),
            None,
            "bar 1 of 1 quarter notes; expected whole bars in 4/4.*such as 2",
        ),
        (TWO_FOUR_BAR, 8, "bar 8 of music whose last bar is 7"),
    ],
)
def test_only_bars_that_do_not_fit_are_refused(notes, bar, said):
    with pytest.raises((RepresentationError, SettingError), match=said):
        fitted(notes, start_bar=bar)


TWO, ONE = Meter(2, 4), Meter(1, 4)


@pytest.mark.parametrize("meter", [Meter(2, 2), TWO, ONE])
def test_shorter_bars_are_joined_and_cut_time_is_common_time(melody, meter):
    assert fitted(replace(melody, meter=meter)) == melody
    longer = replace(long_melody(6), meter=meter)
    bar = 16 // meter.steps_per_bar()
    assert fitted(longer, start_bar=2 * bar + 1) == long_melody(6).window(32, 32)
    assert len(fitted(longer, start_bar=6 * bar).notes) == 4 // bar
    with pytest.raises(RepresentationError, match=f"{6 * bar} bars of music"):
        fitted(longer)


def test_bars_are_joined_from_the_first_bar_used():
    longer = replace(long_melody(6), meter=TWO)
    assert fitted(longer, start_bar=2).notes == long_melody(6).window(8, 32).notes
    with pytest.raises(RepresentationError, match="at most the 2 bars of the model, 4 of these"):
        fitted(longer)


def test_bars_are_joined_only_with_bars_beside_them():
    notes = in_meters(FOUR, TWO, FOUR, TWO, TWO)
    with pytest.raises(RepresentationError, match=r"bar 2 in 2/4; expected 4/4.*such as 3"):
        fitted(notes, start_bar=1)
    assert fitted(notes, start_bar=3).notes == notes.window(24, 32).notes


def test_a_meter_is_counted_from_the_first_bar_used_whatever_the_music_says():
    assert fitted(replace(long_melody(2), meter=Meter(3, 4)), meter="4/4") == long_melody(2)
    for notes, bar, step in ((TWO_FOUR_BAR, 2, 16), (FOUR_THEN_THREE, 3, 32), (PICKUP, 2, 4)):
        cut = fitted(notes, start_bar=bar, meter="4/4")
        assert cut.notes == notes.window(step, 32).notes
        assert (cut.meter, cut.bar_changes) == (Meter(), ())
    assert fitted(TWO_FOUR_BAR, start_bar=1) == fitted(TWO_FOUR_BAR, start_bar=1, meter="2/2")
    with pytest.raises(RepresentationError, match="4 bars of music; expected at most the 2 bars"):
        fitted(FOUR_THEN_THREE, meter="4/4")


def test_a_meter_that_the_model_has_not_is_refused(melody):
    with pytest.raises(RepresentationError, match="`meter` 3/4; expected 4/4") as caught:
        fitted(melody, meter="3/4")
    assert (caught.value.cause, caught.value.field) == ("wrong_meter", "excerpt.meter")


THREE, JIG = Meter(3, 4), Meter(6, 8)


@pytest.mark.parametrize(
    ("own", "asked", "meters", "read"),
    [
        (THREE, None, (Meter(), THREE, JIG), THREE),
        (TWO, None, (Meter(), THREE), Meter()),
        (TWO, None, (Meter(), TWO), TWO),
        (THREE, "6/8", (Meter(), THREE, JIG), JIG),
        (THREE, "4/4", (Meter(), THREE), Meter()),
    ],
)
def test_of_several_meters_of_a_model_the_musics_own_is_taken(own, asked, meters, read):
    music = replace(long_melody(6), meter=own)
    grids = tuple(map(TimeGrid, meters))
    cut = fit(Excerpt(music, start_bar=1, meter=asked), TWO_BARS, "excerpt", grids)
    length = 2 * read.steps_per_bar()
    assert (cut.meter, cut.length_steps) == (read, length)
    assert cut.notes == music.window(0, length).notes


@pytest.mark.parametrize("asked", [None, "5/4"])
def test_all_meters_of_a_model_are_named(asked):
    music = replace(long_melody(6), meter=Meter(5, 4))
    grids = tuple(map(TimeGrid, (Meter(), THREE, JIG)))
    with pytest.raises(RepresentationError, match="5/4; expected 4/4, 3/4 or 6/8"):
        fit(Excerpt(music, start_bar=1, meter=asked), TWO_BARS, "x", grids)


@pytest.mark.parametrize(("given", "used"), [(3.6, 10.0), (120.5, 120.5), (5000.0, 480.0)])
def test_tempo_is_brought_to_what_clips_may_have(melody, given, used):
    assert fitted(replace(melody, qpm=given)).qpm == used
