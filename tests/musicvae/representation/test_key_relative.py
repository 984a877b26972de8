import numpy as np

from musicvae.representation import Drums, LeadSheet, Melody
from musicvae.representation.key_relative import UNKNOWN_TONIC, from_home, to_home, way_home


def test_music_goes_home_by_the_nearest_way_and_back(melodies):
    events, tonics = melodies(13, seed=3), np.arange(13)
    home, told = to_home(Melody(bars=2), events, tonics)
    assert told.tolist() == tonics.tolist()
    assert np.abs(way_home(tonics)).max() == 6
    pitches = events >= 2
    moved = (home - events)[pitches]
    assert (moved == np.repeat(way_home(tonics), pitches.sum((1, 2)))).all()
    assert (from_home(Melody(bars=2), home, told) == events).all()
    assert (home[UNKNOWN_TONIC] == events[UNKNOWN_TONIC]).all()


def test_music_that_would_leave_the_range_stays_and_its_tonic_is_unknown():
    events = np.zeros((1, 32, 1), np.int16)
    events[0, 0, 0] = 2  # the lowest key of the piano
    home, tonics = to_home(Melody(bars=2), events, np.array([3]))
    assert (home == events).all() and tonics.tolist() == [UNKNOWN_TONIC]


def test_chords_go_with_the_melody():
    sheet = LeadSheet(bars=1)
    events = np.zeros((1, 16, 3), np.int16)
    events[0, 0, 0] = 50
    events[0, :, 1] = 1 + 7 * 17  # G major
    home, _ = to_home(sheet, events, np.array([7]))
    assert sheet.to_notes(home[0]).chords[0].root == 0


def test_drums_never_move():
    events = np.full((1, 32, 1), 5, np.int16)
    assert (to_home(Drums(bars=2), events, np.array([UNKNOWN_TONIC]))[0] == events).all()
