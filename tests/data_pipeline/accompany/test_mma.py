"""The real MMA plays: Debian's package mma."""

import os
import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from musicvae.data_pipeline.accompany.mma import GROOVES, Groove, find_command, play, write_song
from musicvae.data_pipeline.rejections import Rejection
from musicvae.errors import SettingError
from musicvae.music.chords import QUALITIES, ParsedChord
from musicvae.music.instruments import BASS_PROGRAM, CLASS_OF_PITCH

pytestmark = pytest.mark.skipif(
    shutil.which("mma") is None and "CI" not in os.environ,
    reason="mma is not installed: apt-get install mma",
)

C, F, G7 = ParsedChord(0, "maj"), ParsedChord(5, "maj"), ParsedChord(7, "7")
ROCK, BALLAD = Groove("60sRock", "60sRock1"), Groove("Ballad", "Ballad")
BAR = 16


def play_beats(beats, groove=ROCK, *, seed=1, length_steps=None):
    song = write_song(beats, groove, seed=seed)
    return play(song, find_command(), length_steps=length_steps or 4 * len(beats))


def basses(notes):
    return [note for note in notes if not note.is_drum]


def test_the_groove_changes_every_eight_bars_after_a_fill():
    lines = write_song([C] * 4 * 18, GROOVES[1], seed=7).splitlines()
    assert lines[:4] == ["RndSeed 7", "Tempo 120", "Groove 8Beat", "1 C C C C"]
    before = {after: line for line, after in pairwise(lines)}
    assert {
        int(bar.split()[0]): groove for bar, groove in before.items() if groove.startswith("Groove")
    } == {
        1: "Groove 8Beat",
        8: "Groove 8BeatFill",
        9: "Groove 8Beat1",
        16: "Groove 8BeatFill",
        17: "Groove 8Beat",
    }
    assert sum(line[0].isdigit() for line in lines) == 18


def test_a_groove_without_a_fill_goes_on():
    lines = write_song([C] * 4 * 9, ROCK, seed=7).splitlines()
    assert [line for line in lines if line.startswith("Groove")] == [
        "Groove 60sRock",
        "Groove 60sRock1",
    ]


def test_the_bass_plays_every_kind_of_chord():
    """On the first beat its root, or the bass that is written, where the groove does not walk."""
    chords = [ParsedChord(root, quality) for root, quality in enumerate([*QUALITIES][:12])]
    chords += [ParsedChord(2, quality) for quality in [*QUALITIES][12:]]
    chords += [ParsedChord(0, "maj", 4), ParsedChord(9, "min7", 7), ParsedChord(0, "maj", 10)]
    notes = basses(play_beats([chord for chord in chords for _ in range(4)], BALLAD))
    firsts = {note.start_step: note.pitch % 12 for note in notes}
    wanted = [chord.root if chord.bass is None else chord.bass for chord in chords]
    assert [firsts.get(BAR * bar) for bar in range(len(chords))] == wanted


def test_where_there_is_no_chord_the_drums_play_alone():
    notes = play_beats([C] * 4 + [ParsedChord()] * 4 + [F] * 4)
    bass_bars = {note.start_step // BAR for note in basses(notes)}
    assert bass_bars == {0, 2}
    assert {note.start_step // BAR for note in notes if note.is_drum} == {0, 1, 2}


def test_nothing_is_taken_past_the_end():
    notes = play_beats([C, F] * 8, length_steps=40)
    assert {note.start_step // BAR for note in notes} == {0, 1, 2}
    assert max(note.end_step for note in notes) <= 40


def test_the_seed_decides():
    first, again, other = (
        play_beats([C, F, G7, C] * 4, GROOVES[1], seed=seed) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_a_song_may_be_longer_than_mma_takes_by_itself():
    notes = play_beats([C] * 4 * 501)
    assert max(note.start_step for note in notes) >= BAR * 500


def test_every_groove_is_there_and_keeps_to_the_grid():
    beats = ([C, C, F, F] + [G7] * 4) * 8  # sixteen bars: groove, fill and variant

    def listen(groove):
        return play_beats(beats, groove)

    with ThreadPoolExecutor(2) as pool:
        played = dict(zip(GROOVES, pool.map(listen, GROOVES), strict=True))
    for groove, notes in played.items():
        assert not isinstance(notes, Rejection), notes
        bass, drums = basses(notes), [note for note in notes if note.is_drum]
        assert {note.program for note in bass} == {BASS_PROGRAM}, groove
        assert {note.start_step // BAR for note in bass} == set(range(16)), groove
        assert {note.start_step // BAR for note in drums} == set(range(16)), groove
        assert all(24 <= note.pitch <= 60 for note in bass), groove
        assert all(abs(note.offset) <= 0.25 for note in bass), groove
        off = sum(abs(note.offset) > 0.25 for note in drums)
        assert off <= 0.05 * len(drums), groove
        classes = {int(CLASS_OF_PITCH[note.pitch]) for note in drums} - {-1}
        assert len(classes) >= 2, groove


def test_a_groove_that_is_not_there_is_told():
    failed = play_beats([C] * 4, Groove("NoSuchGroove", "60sRock"))
    assert isinstance(failed, Rejection)
    assert failed.reason == "mma_failed"
    assert failed.found.startswith("Error:") and "NOSUCHGROOVE" in failed.found


def test_a_program_that_writes_nothing_is_told(tmp_path):
    program = tmp_path / "mma"
    program.write_text("#!/bin/sh\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    failed = play(write_song([C] * 4, ROCK, seed=1), str(program), length_steps=16)
    assert isinstance(failed, Rejection)
    assert failed.reason == "mma_failed" and failed.found.startswith("no song")


def test_what_is_missing_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingError, match="apt-get install mma"):
        find_command()
