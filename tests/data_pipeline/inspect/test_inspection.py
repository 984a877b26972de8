import io
import random
from dataclasses import replace
from io import StringIO

import numpy as np
import pretty_midi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from rich.console import Console

from musicvae.commands.data import _representation
from musicvae.data_pipeline.cut.cut import cut_group, cut_pieces
from musicvae.data_pipeline.cut.excerpts import CutSettings
from musicvae.data_pipeline.inspect.inspection import find_piece, inspect
from musicvae.data_pipeline.inspect.tables import PROGRAM_NAMES, plot, to_tables
from musicvae.data_pipeline.rejections import INTERNAL_ERROR, Rejection
from musicvae.errors import DataError, MusicVAEError
from musicvae.music import midi
from musicvae.music.notes import BarChange, Key, Meter, Note, NoteSequence
from musicvae.representation import REPRESENTATIONS, Melody

COMMON = Meter()
TUNE = (60, 62, 64, 65, 67, 69, 71, 72, 72, 71, 69, 67, 65, 64, 62, 60)


def make_song(bars=16, meter=COMMON, **fields):
    """A melody over chords and a bass, and drums."""
    bar = meter.steps_per_bar()
    notes = []
    for number in range(bars):
        at, root = number * bar, (48, 53, 55, 48)[number % 4]
        for beat in range(bar // 4):
            pitch = TUNE[(3 * number + beat) % 16]
            notes.append(Note(at + 4 * beat, pitch + 12, at + 4 * beat + 4, program=73))
            notes.append(Note(at + 4 * beat, 36 + 2 * (beat % 2), at + 4 * beat + 1, is_drum=True))
        notes += [Note(at, root + up, at + bar, program=0) for up in (0, 4, 7)]
        notes.append(Note(at, root - 12, at + bar, program=33))
    return NoteSequence(notes=tuple(sorted(notes)), length_steps=bars * bar, meter=meter, **fields)


@pytest.fixture
def song(tmp_path):
    path = tmp_path / "song[red].mid"
    path.write_bytes(midi.write(make_song(qpm=90.0, key=Key(0))))
    return inspect(find_piece(str(path)))


def shown(found, width=110):
    console = Console(file=StringIO(), width=width)
    for table in to_tables(found):
        console.print(table)
    return console.file.getvalue()


def test_it_says_what_is_in_a_piece(song):
    assert (song.bars, song.meter, round(song.seconds, 3)) == (16, Meter(), 42.667)
    assert song.key.key == Key(0)
    flute, *_ = (part for part in song.parts if part.program == 73)
    assert (flute.notes, flute.lowest, flute.highest, flute.polyphony) == (64, 72, 84, 0)
    best = max(song.parts, key=lambda part: part.score.total)
    assert best is flute
    assert [part.is_drum for part in song.parts].count(True) == 1


def test_chords_are_inferred_bar_by_bar_where_none_are_written(song):
    assert song.chords_are == "inferred"
    assert len(song.chords) == 16
    assert song.chords[0][0].startswith("C")


def test_every_representation_is_tried_and_says_what_it_takes(song):
    outcomes = {(each.representation, each.bars): each for each in song.outcomes}
    assert {name for name, _ in outcomes} == set(REPRESENTATIONS) - {"drum_hits"}
    assert outcomes["melody", 2].excerpts == sum(outcomes["melody", 2].parts.values()) >= 15
    assert outcomes["trio", 16].excerpts >= 1
    reasons = {each.reason for each in outcomes["melody", 2].rejections}
    assert {"drums", "bass", "polyphonic"} <= reasons


def test_the_tables_show_names_as_they_are(song):
    text = shown(song)
    assert "song[red].mid" in text
    assert "flute (73)" in text and "C major" in text
    for name in ("melody", "drums", "groove", "trio", "chords"):
        assert name in text
    assert max(map(len, text.splitlines())) <= 110
    assert shown(song, 60)


def test_there_is_a_name_for_each_program():
    assert len(PROGRAM_NAMES) == 128
    assert (PROGRAM_NAMES[0], PROGRAM_NAMES[40], PROGRAM_NAMES[127]) == (
        "acoustic grand piano",
        "violin",
        "gunshot",
    )


@pytest.mark.parametrize(
    ("written", "seen"), [(Meter(3, 4), Meter(3, 4)), (Meter(2, 2), Meter(4, 4))]
)
def test_it_is_cut_in_its_own_meter_and_cut_time_in_common_time(tmp_path, written, seen):
    path = tmp_path / "piece.mid"
    path.write_bytes(midi.write(make_song(9, written)))
    found = inspect(find_piece(str(path)))
    assert found.meter == seen
    assert str(written) in shown(found)
    assert next(each for each in found.outcomes if each.meter == seen).excerpts > 0


def write_bars(path, *bars):
    """A MIDI file of these bars, `(meter, quarters)`, with a melody of eighths."""
    notes, changes, step = [], [], 0
    for meter, quarters in bars:
        if (
            not changes
            or changes[-1].meter != meter
            or quarters * meter.denominator != (4 * meter.numerator)
        ):
            changes.append(BarChange(step, meter))
        end = step + 4 * quarters
        notes += [Note(at, TUNE[at // 2 % 16], at + 2) for at in range(step, end, 2)]
        step = end
    music = NoteSequence(
        notes=tuple(notes), length_steps=step, meter=bars[0][0], bar_changes=tuple(changes)
    )
    path.write_bytes(midi.write(music))
    return path


FOUR, THREE, TWO = (Meter(4, 4), 4), (Meter(3, 4), 3), (Meter(2, 4), 2)


def test_bars_have_their_true_numbers_and_meters(tmp_path):
    path = write_bars(tmp_path / "a.mid", FOUR, FOUR, TWO, FOUR, FOUR, FOUR, FOUR, THREE, THREE)
    found = inspect(find_piece(str(path)))
    runs = [(run.first, run.last, str(run.meter)) for run in found.bar_runs]
    assert runs == [(1, 2, "4/4"), (3, 3, "2/4"), (4, 7, "4/4"), (8, 9, "3/4")]
    text = shown(found)
    assert "cut with --meter 3/4 only" in text and "4 to 7" in text
    (excerpts,) = cut_group({0: found.read}, CutSettings(representation=Melody()))[0].excerpts
    assert (excerpts.start_bars + 1).tolist() == [1, 4, 5, 6]


def test_a_pickup_is_the_first_bar(tmp_path):
    path = write_bars(tmp_path / "a.mid", (Meter(1, 4), 1), FOUR, FOUR, FOUR)
    found = inspect(find_piece(str(path)))
    assert [(run.first, run.last, str(run.meter)) for run in found.bar_runs] == [
        (1, 1, "1/4"),
        (2, 4, "4/4"),
    ]


def test_another_meter_names_its_option(tmp_path):
    path = write_bars(tmp_path / "jig.mid", *[(Meter(6, 8), 3)] * 8)
    found = inspect(find_piece(str(path)))
    melody = {
        str(each.meter): each.excerpts for each in found.outcomes if each.representation == "melody"
    }
    assert melody.keys() == {"4/4", "6/8"}
    assert sum(each.excerpts for each in found.outcomes if each.meter == Meter()) == 0
    assert "with --meter 6/8" in shown(found)


METERS = (Meter(), Meter(2, 2), Meter(3, 4), Meter(6, 8), Meter(5, 4), Meter(9, 8), Meter(7, 8))


@given(st.lists(st.sampled_from(METERS), min_size=1, max_size=6), st.integers(1, 4))
@settings(max_examples=12, deadline=None)
def test_inspect_counts_the_excerpts_that_prepare_cuts(tmp_path_factory, meters, times):
    bars = [(meter, 4 * meter.numerator / meter.denominator) for meter in meters]
    bars = [(meter, int(quarters)) for meter, quarters in bars if quarters == int(quarters)]
    path = tmp_path_factory.mktemp("song") / "song.mid"
    write_bars(path, *(bars or [FOUR]) * times)
    piece = find_piece(str(path))
    for outcome in inspect(piece).outcomes:
        options = {
            "representation": outcome.representation,
            "bars": outcome.bars,
            "meter": str(outcome.meter),
            "resolution": None,
            "chords": False,
            "steps_per_quarter": "4",
        }
        cut = next(cut_pieces([piece], CutSettings(representation=_representation(options))))
        assert sum(len(each.events) for each in cut.excerpts) == outcome.excerpts
        assert cut.rejections == outcome.rejections


def test_two_basses_of_one_name_make_trios(tmp_path):
    song = make_song()
    data = pretty_midi.PrettyMIDI(io.BytesIO(midi.write(song)))
    (bass,) = (each for each in data.instruments if each.program == 33 and not each.is_drum)
    second = pretty_midi.Instrument(program=33, name=bass.name)
    second.notes = [
        pretty_midi.Note(note.velocity, note.pitch + 7, note.start, note.end)
        for note in bass.notes[::2]
    ]
    data.instruments.append(second)
    path = tmp_path / "basses.mid"
    data.write(str(path))
    found = inspect(find_piece(str(path)))
    assert [part.program for part in found.parts].count(33) == 2
    trio = next(each for each in found.outcomes if each.representation == "trio")
    assert trio.excerpts > 0


def test_a_fault_of_ours_is_told_loudly(song):
    fault = Rejection("piece", INTERNAL_ERROR, "KeyError at trios.py:1: 'x'")
    broken = replace(song.outcomes[0], excerpts=0, rejections=(fault,))
    text = " ".join(shown(replace(song, outcomes=(broken,))).split())
    assert "A fault of musicvae, not of the piece, in melody: KeyError at trios.py:1" in text


def test_the_picture_has_all_parts(song, tmp_path):
    path = tmp_path / "song.png"
    plot(song, path)
    with Image.open(path) as image:
        colours = np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3), axis=0)
        assert image.width > 1000
    assert len(colours) > 20


def test_one_tune_of_many_is_found_by_number_or_id(tmp_path, tune):
    path = tmp_path / "book.abc"
    names = ("The Kesh", "Out on the Ocean", "Morrison's")
    path.write_text("\n".join(tune(i, title=name) for i, name in enumerate(names, 1)))
    for which, number in (("1", 1), ("3", 3), ("#2:2", 2)):
        assert find_piece(str(path), which).id.endswith(f"#{number}:{number}")
    assert find_piece(str(path)).id == find_piece(str(path), "1").id
    for which in ("0", "4", "9" * 5000, "nothing"):
        with pytest.raises(DataError, match="no piece"):
            find_piece(str(path), which)


def test_a_tune_in_abc_has_its_written_chords(tmp_path):
    path = tmp_path / "tune.abc"
    path.write_text('X:1\nT:A\nM:4/4\nL:1/4\nK:G\n"G"GABc|"C"cdef|"D7"dcBA|"G"G4|]\n')
    found = inspect(find_piece(str(path)))
    assert (found.chords_are, found.chords) == ("written", (("G",), ("C",), ("D7",), ("G",)))
    assert found.read.keys[0].key == Key(7)


def test_free_time_is_looked_at_but_not_cut(tmp_path):
    chance = random.Random(5)
    deltas = [chance.randrange(1, 60) for _ in range(200)]
    notes = "".join(f"{delta:02x}903c5017803c00" for delta in deltas)
    track = bytes.fromhex(notes + "00ff2f00")
    head = b"MThd" + bytes.fromhex("00000006000000010060")
    path = tmp_path / "free.mid"
    path.write_bytes(head + b"MTrk" + len(track).to_bytes(4, "big") + track)
    found = inspect(find_piece(str(path)))
    assert found.read.missing_meter and "not known" in shown(found)
    assert {outcome.excerpts for outcome in found.outcomes} == {0}
    assert {each.reason for each in found.outcomes for each in each.rejections} == {"no_meter"}
    plot(found, tmp_path / "free.png")


def test_what_is_no_music_is_an_error(tmp_path):
    path = tmp_path / "broken.mid"
    path.write_bytes(b"MThd")
    with pytest.raises(MusicVAEError):
        inspect(find_piece(str(path)))
    silent = tmp_path / "silent.mid"
    silent.write_bytes(midi.write(NoteSequence(notes=(), length_steps=16)))
    with pytest.raises(MusicVAEError):
        inspect(find_piece(str(silent)))
