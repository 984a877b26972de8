"""Lead sheets in, trios out: with the real MMA, Debian's package mma."""

import os
import shutil

import pytest
from click.testing import CliRunner

from musicvae.commands.accompany import accompany as command
from musicvae.data_pipeline.accompany.accompaniment import FEWEST_BARS, accompany, start_chords
from musicvae.data_pipeline.accompany.mma import GROOVES
from musicvae.data_pipeline.cut.cut import cut_pieces
from musicvae.data_pipeline.cut.excerpts import CutSettings
from musicvae.data_pipeline.sources.corpus import open_sources
from musicvae.errors import DataError, SettingError
from musicvae.music import midi
from musicvae.music.chords import Chord
from musicvae.music.instruments import BASS_PROGRAM, CLASS_OF_PITCH
from musicvae.music.notes import Note, NoteSequence
from musicvae.representation import Trio
from musicvae.representation.trio import notes_of

pytestmark = pytest.mark.skipif(
    shutil.which("mma") is None and "CI" not in os.environ,
    reason="mma is not installed: apt-get install mma",
)

TUNE = "CDEFGABC"
ROOTS = "CFGC"


def sheet(*, bars=16, beats=4, first_chord=0, pickup=0, chords=True, voices=1):
    """A lead sheet in MusicXML: a tune in quarter notes, and a chord on each bar."""
    attributes = (
        "<attributes><divisions>1</divisions>"
        f"<time><beats>{beats}</beats><beat-type>4</beat-type></time></attributes>"
        '<sound tempo="90"/>'
    )

    def note(place):
        step = TUNE[place % len(TUNE)]
        return "".join(
            f"<note>{'<chord/>' * (voice > 0)}<pitch><step>{step}</step>"
            f"<octave>{4 + place % 2 + voice}</octave></pitch><duration>1</duration></note>"
            for voice in range(voices)
        )

    def chord(bar):
        if not chords or bar < first_chord:
            return ""
        root = f"<root><root-step>{ROOTS[bar % 4]}</root-step></root>"
        return f"<harmony>{root}<kind>major</kind></harmony>"

    measures = [
        chord(bar) + "".join(note(bar + beat) for beat in range(beats)) for bar in range(bars)
    ]
    if pickup:
        measures.insert(0, "".join(note(beat) for beat in range(pickup)))
    measures[0] = attributes + measures[0]
    body = "".join(f'<measure number="{at}">{each}</measure>' for at, each in enumerate(measures))
    return (
        '<?xml version="1.0" encoding="UTF-8"?><score-partwise version="3.1"><part-list>'
        '<score-part id="P1"><part-name>Voice</part-name></score-part></part-list>'
        f'<part id="P1">{body}</part></score-partwise>'
    )


@pytest.fixture
def songs(tmp_path):
    """A folder of lead sheets; a file's name says its piece."""
    folder = tmp_path / "songs"
    (folder / "more").mkdir(parents=True)
    (folder / "LICENSE").write_text("Free for all\n")
    (folder / "plain.musicxml").write_text(sheet())
    (folder / "more" / "late.musicxml").write_text(sheet(bars=12, first_chord=2, pickup=1))
    return folder


def read(path):
    return midi.read(path.read_bytes())


def test_a_lead_sheet_becomes_a_trio(songs, tmp_path):
    out = tmp_path / "out"
    made = accompany([str(songs)], out)
    assert (made.written, made.kept, made.rejections) == (2, 0, ())
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*.mid")) == [
        "songs/more/late.mid",
        "songs/plain.mid",
    ]
    music = read(out / "songs" / "plain.mid")
    assert (music.length_steps, music.qpm) == (256, 90.0)
    melody, bass, drums = (notes_of(music.notes, each) for each in ("melody", "bass", "drums"))
    assert len(melody) == 64
    assert [note.start_step for note in melody] == list(range(0, 256, 4))
    assert [note.pitch for note in melody[:4]] == [60, 74, 64, 77]
    assert {note.program for note in melody} == {0}
    assert {note.program for note in bass} == {BASS_PROGRAM}
    assert {note.start_step // 16 for note in bass} == set(range(16))
    assert len({int(CLASS_OF_PITCH[note.pitch]) for note in drums} - {-1}) >= 2
    roots = [0, 5, 7, 0] * 4
    changes = [bar for bar in range(16) if bar == 0 or roots[bar] != roots[bar - 1]]
    assert music.chords == tuple(Chord(16 * bar, roots[bar], "maj") for bar in changes)


def test_the_bass_begins_each_chord_on_its_root_or_the_bass_that_is_written():
    chords = (Chord(0, 0, "maj"), Chord(8, 9, "min7", 7), Chord(16), Chord(24, 2, "7"))
    bass = [Note(step, 36, step + 2, program=BASS_PROGRAM) for step in range(0, 32, 4)]
    kick = Note(8, 36, 9, is_drum=True)
    moved = list(start_chords([*bass[:3], kick, *bass[3:]], chords))
    assert moved[3] == kick
    assert [note.pitch for note in moved if not note.is_drum] == [36, 36, 31, 36, 36, 36, 38, 36]


def test_it_starts_with_the_bar_of_the_first_chord(songs, tmp_path):
    accompany([str(songs)], tmp_path / "out")
    music = read(tmp_path / "out" / "songs" / "more" / "late.mid")
    assert music.length_steps == 160
    melody = notes_of(music.notes, "melody")
    assert [note.start_step for note in melody] == list(range(0, 160, 4))
    assert melody[0].pitch == 64  # the E of the third bar after the pickup


def test_a_file_tells_how_it_was_made(songs, tmp_path):
    accompany([str(songs)], tmp_path / "out", seed=5)
    data = (tmp_path / "out" / "songs" / "plain.mid").read_bytes()
    said = midi.read_provenance(data)
    assert said["groove"] in {groove.name for groove in GROOVES}
    assert said["made"] == f"synthetic accompaniment by MMA, groove {said['groove']}"
    assert (said["piece"], said["seed"]) == ("songs/plain.musicxml", 5)


def test_seed_and_piece_choose_the_groove(songs, tmp_path):
    for number in range(6):
        (songs / f"song{number}.musicxml").write_text(sheet())
    first, again, other = (
        {path.name: path.read_bytes() for path in _accompanied(songs, tmp_path / str(place), seed)}
        for place, seed in enumerate((1, 1, 2))
    )
    assert first == again
    grooves, others = (
        {name: midi.read_provenance(data)["groove"] for name, data in made.items()}
        for made in (first, other)
    )
    assert len(set(grooves.values())) > 3
    assert grooves != others


def _accompanied(songs, out, seed):
    accompany([str(songs)], out, seed=seed)
    return out.rglob("*.mid")


def test_prepare_finds_trios_in_it(songs, tmp_path):
    out = tmp_path / "out"
    accompany([str(songs)], out)
    (source,) = open_sources([str(out)])
    assert source.licence == "songs: Free for all"
    settings = CutSettings(representation=Trio(bars=8, chords=True))
    found = {piece.id: next(cut_pieces([piece], settings)).excerpts for piece in source.pieces()}
    assert sorted(found) == ["out/songs/more/late.mid", "out/songs/plain.mid"]
    for (excerpts,) in found.values():
        assert excerpts.part == "Piano + Bass + Drums"
        assert len(excerpts.events) >= 3
        assert (excerpts.events[..., :4].max(axis=1) > 0).all()


def test_what_is_there_stays(songs, tmp_path):
    out = tmp_path / "out"
    accompany([str(songs / "plain.musicxml")], out)
    (made,) = out.rglob("*.mid")
    made.write_bytes(b"of another run")
    result = accompany([str(songs / "plain.musicxml")], out, seed=9)
    assert (result.written, result.kept) == (0, 1)
    assert made.read_bytes() == b"of another run"


def test_every_piece_without_a_file_has_its_reason(songs, tmp_path):
    (songs / "bare.musicxml").write_text(sheet(chords=False))
    (songs / "waltz.musicxml").write_text(sheet(beats=3))
    (songs / "short.musicxml").write_text(sheet(bars=FEWEST_BARS - 1))
    (songs / "broken.musicxml").write_text(sheet()[:-100])
    (songs / "choir.musicxml").write_text(sheet(voices=3))
    silent = NoteSequence(notes=(), length_steps=16)
    (songs / "silent.mid").write_bytes(midi.write(silent))
    result = accompany([str(songs)], tmp_path / "out")
    assert result.written == 2
    assert {each.reason: each.count for each in result.rejections} == {
        "no_chords": 1,
        "wrong_meter": 1,
        "too_short": 1,
        "unreadable": 1,
        "no_melody": 1,
        "no_notes": 1,
    }


def test_where_no_piece_has_chords_the_reasons_are_told(songs, tmp_path):
    (songs / "bare.musicxml").write_text(sheet(chords=False))
    with pytest.raises(DataError, match=r"1 no_chords \(no chord symbols\)"):
        accompany([str(songs / "bare.musicxml")], tmp_path / "out")


def test_two_files_of_one_name_have_two_files(songs, tmp_path):
    (songs / "plain.xml").write_text(sheet())
    made = {path.name for path in _accompanied(songs, tmp_path / "out", 0)}
    assert made == {"plain.mid", "plain.xml.mid", "late.mid"}


def test_licences_of_another_run_are_kept(songs, tmp_path):
    out = tmp_path / "out"
    accompany([str(songs)], out)
    (songs / "LICENSE").unlink()
    accompany([str(songs / "plain.musicxml")], out)
    first = (out / "LICENSE").read_text().splitlines()[0]
    assert first == "songs: Free for all | plain.musicxml: unknown"


def test_the_command_tells_what_it_did(songs, tmp_path):
    (songs / "bare.musicxml").write_text(sheet(chords=False))
    done = CliRunner().invoke(command, [str(songs), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0
    assert "no_chords" in done.output
    assert "2 files written, 0 there already" in done.output


def test_without_mma_the_command_says_what_to_do(songs, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    done = CliRunner().invoke(command, [str(songs), "--out", str(tmp_path / "out")])
    assert isinstance(done.exception, SettingError)
    assert "apt-get install mma" in str(done.exception)
    assert not (tmp_path / "out").exists()
