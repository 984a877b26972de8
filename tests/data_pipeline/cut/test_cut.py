from dataclasses import replace

import numpy as np
import pytest
from hostile import Hostile, make_piece

from musicvae.data_pipeline.cut.cut import CUTTERS, cut_group, cut_pieces, reject_piece
from musicvae.data_pipeline.cut.excerpts import CutSettings
from musicvae.data_pipeline.readers import read_piece
from musicvae.data_pipeline.rejections import REPAIRED, Rejection
from musicvae.music import midi
from musicvae.music.notes import Meter, NoteSequence
from musicvae.representation import REPRESENTATIONS, Melody

SETTINGS = CutSettings(representation=Melody())


def reason(location, settings=SETTINGS):
    """Why nothing came of it."""
    result = next(cut_pieces([make_piece("0", location)], settings))
    assert result.excerpts == ()
    assert result.signature is None
    (rejection,) = result.rejections
    assert rejection.stage == "piece"
    return rejection.reason, rejection.found


def test_every_representation_has_a_cutter():
    assert CUTTERS.keys() == REPRESENTATIONS.keys()


def test_a_good_piece_is_cut(melody):
    result = next(cut_pieces([make_piece("0", midi.write(melody(0)), style="jazz/bop")], SETTINGS))
    assert len(result.excerpts[0].events) == 7
    assert result.rejections == ()
    assert result.style == "jazz/bop"
    assert result.signature is not None


@pytest.mark.parametrize("data", [b"", b"noise", b"MThd"])
def test_what_is_no_music_is_unreadable(data):
    assert reason(data)[0] == "unreadable"


def test_a_piece_in_another_meter_says_which(melody):
    waltz = midi.write(melody(0, meter=Meter(3, 4)))
    assert reason(waltz) == ("wrong_meter", "bars: 8 in 3/4")


def test_pairs_of_shorter_bars_are_cut_and_counted(melody):
    tune = melody(0)
    polka = midi.write(replace(tune, meter=Meter(2, 4)))
    result = next(cut_pieces([make_piece("0", polka)], SETTINGS))
    (excerpts,) = result.excerpts
    assert excerpts.start_bars.tolist() == [0, 2, 4, 6, 8, 10, 12]
    reel = next(cut_pieces([make_piece("0", midi.write(tune))], SETTINGS))
    np.testing.assert_array_equal(excerpts.events, reel.excerpts[0].events)
    found = "16 bars in 2/4 read as 4/4"
    assert result.rejections == (Rejection(REPAIRED, "joined_bar", found, 16),)
    assert result.bars == {"2/4": 16}


def test_a_piece_without_notes_says_so():
    assert reason(midi.write(NoteSequence(notes=(), length_steps=16)))[0] == "no_notes"


def test_our_own_mistake_has_a_name_and_a_place():
    name, found = reason(Hostile("err"))
    assert name == "internal_error"
    # Its last lines may be in a library: ours are told.
    assert found.startswith("ZeroDivisionError at corpus.py:")
    assert found.endswith(": by zero")


def test_more_memory_than_there_is_costs_the_piece_alone():
    assert reason(Hostile("eat"))[0] == "out_of_memory"


def test_pieces_are_cut_together_as_each_alone(melody):
    pieces = [make_piece(str(number), midi.write(melody(number))) for number in range(3)]
    pieces.insert(1, make_piece("noise", b"noise"))
    begun = []
    results = list(cut_pieces(pieces, SETTINGS, begin=begun.append))
    assert begun == [0, 1, 2, 3, 4]
    for piece, result in zip(pieces, results, strict=True):
        alone = next(cut_pieces([piece], SETTINGS))
        assert result.rejections == alone.rejections
        for one, other in zip(result.excerpts, alone.excerpts, strict=True):
            np.testing.assert_array_equal(one.events, other.events)


def test_pieces_are_given_in_their_order_as_soon_as_they_are_there(melody):
    pieces = [make_piece(str(number), midi.write(melody(number))) for number in range(3)]
    happened = []
    known = {1: reject_piece("crashed", "of old age")}
    results = cut_pieces(pieces, SETTINGS, known=known, one_by_one=True, begin=happened.append)
    happened += (len(result.excerpts) for result in results)
    assert happened == [0, 1, 1, 0, 2, 1]


def test_a_piece_that_we_fail_on_costs_no_other(melody):
    good = read_piece(midi.write(melody(0)), "midi", {})
    (part,) = good.parts
    bad = good._replace(parts=(part._replace(pitches=part.pitches + np.int16(200)),))
    begun = []
    results = cut_group({4: good, 5: bad, 7: good}, SETTINGS, begun.append)
    assert begun == [4, 5, 7]
    assert [len(results[number].excerpts) for number in (4, 5, 7)] == [1, 0, 1]
    assert results[5].rejections[0].reason == "internal_error"
