import io
import os
import random
import shutil
from dataclasses import asdict, replace

import music21
import numpy as np
import pytest
from folders import contents
from rich.console import Console

from musicvae.data import shards
from musicvae.data.manifest import Example, RejectionCount, load_manifest
from musicvae.data_pipeline.choose.counts import tables
from musicvae.data_pipeline.cut.excerpts import CutSettings
from musicvae.data_pipeline.cut.rules import Rules
from musicvae.data_pipeline.inspect.inspection import find_piece, inspect
from musicvae.data_pipeline.prepare import PrepareSettings, prepare
from musicvae.data_pipeline.prepare.remarks import find_warnings
from musicvae.errors import DataError, SettingError
from musicvae.music import midi
from musicvae.music.notes import Meter, NoteSequence
from musicvae.representation import Melody, representation_from_config
from musicvae.work import Limits

HALVES = {"train": 0.5, "test": 0.5}


def cut(**fields):
    return CutSettings(representation=Melody(**fields))


def shape(events):
    """A melody of events up to transposition."""
    lowest = events[events > 1].min()
    return np.where(events > 1, events - lowest + 2, events).tobytes()


def counts(manifest):
    return {(entry.stage, entry.reason): entry.count for entry in manifest.rejections}


def test_a_data_set_is_whole_and_says_what_it_is(settings):
    manifest = prepare(settings)
    assert manifest == load_manifest(settings.out)
    assert representation_from_config(manifest.representation) == settings.cut.representation
    assert sum(split.excerpts for split in manifest.splits.values()) == 126
    assert [(s.name, s.pieces, s.licence) for s in manifest.sources] == [
        ("tunes", 12, "Tunes of nobody"),
        ("files", 6, None),
    ]
    assert sum(sum(source.excerpts.values()) for source in manifest.sources) == 126
    assert manifest.rejections == ()
    assert len(tables(manifest)) == 1  # nothing was left out, and nothing is alike
    assert not (settings.out / ".prepare").exists()


def test_no_piece_and_no_excerpt_stands_in_two_splits(settings):
    prepare(settings)
    train, test = (shards.load(settings.out, split) for split in ("train", "test"))
    assert set(train.pieces) & set(test.pieces) == set()
    shapes = [shape(events) for events in (*train.events, *test.events)]
    assert len(set(shapes)) == len(shapes)


def test_excerpts_of_training_leave_the_other_splits(settings, tmp_path, melody):
    folder = tmp_path / "songs"
    folder.mkdir()
    riff = melody(99, bars=4)
    for seed in range(20):
        notes = (
            *melody(seed, bars=12).notes,
            *(
                replace(
                    note,
                    start_step=note.start_step + 192,
                    end_step=note.end_step + 192,
                    pitch=note.pitch + seed % 5,
                )
                for note in riff.notes
            ),
        )
        song = NoteSequence(notes=notes, length_steps=256)
        (folder / f"song {seed}.mid").write_bytes(midi.write(song))
    manifest = prepare(replace(settings, inputs=(str(folder),)))
    assert list(manifest.splits) == ["train", "test", "test_common"]
    (source,) = manifest.sources
    assert source.excerpts == {name: split.excerpts for name, split in manifest.splits.items()}
    train, test, common = (shards.load(settings.out, name) for name in manifest.splits)
    assert len(common) == 3  # the windows of the riff
    shapes_of_train = {shape(events) for events in train.events[:]}
    assert {shape(events) for events in common.events[:]} <= shapes_of_train
    assert not shapes_of_train & {shape(events) for events in test.events[:]}
    # Every copy is counted once.
    pieces_of_train, pieces_of_test = len(set(train.pieces)), len(set(test.pieces))
    assert pieces_of_train + pieces_of_test == 20
    assert train.counts.sum() == 15 * pieces_of_train
    assert test.counts.sum() + common.counts.sum() == 15 * pieces_of_test
    assert sorted(set(train.counts)) == [1, pieces_of_train]
    assert set(test.counts) == {1}
    assert set(common.counts) == {pieces_of_test}


def test_events_are_those_of_the_music(settings, melody):
    prepare(settings)
    examples = shards.load(settings.out, "train")
    found = [i for i, piece in enumerate(examples.pieces) if piece.startswith("files/")]
    assert found
    for index in found:
        seed = int(examples.pieces[index].removeprefix("files/melody").removesuffix(".mid"))
        excerpt = melody(seed).window(16 * int(examples.start_bars[index]), 32)
        np.testing.assert_array_equal(
            examples.events[index], settings.cut.representation.to_tensor(excerpt)
        )


def test_the_number_of_workers_changes_no_byte(settings, tmp_path):
    prepare(settings)
    other = replace(settings, out=tmp_path / "other", workers=3)
    prepare(other)
    assert contents(other.out) == contents(settings.out)


def test_equal_music_in_two_folders_gives_equal_sets(settings, midi_folder, tmp_path):
    prepare(settings)
    copy = shutil.copytree(midi_folder, tmp_path / "copy" / midi_folder.name)
    for path in copy.iterdir():
        os.utime(path, (1, 1))
    again = replace(settings, inputs=(settings.inputs[0], str(copy)), out=tmp_path / "again")
    prepare(again)
    before, after = contents(settings.out), contents(again.out)
    assert before.pop(".inputs") != after.pop(".inputs")
    assert after == before
    console = Console(file=io.StringIO(), width=500)
    prepare(replace(again, out=settings.out), console=console)
    assert "there already" in console.file.getvalue()
    first = min(copy.iterdir())
    first.write_bytes(first.read_bytes()[::-1])  # of the same size
    with pytest.raises(DataError, match="other files of files"):
        prepare(again)


def test_the_same_music_in_two_places_is_kept_once(settings, abc_folder, melody):
    for number in range(20):
        moved = melody(0).transpose(number - 10)
        (abc_folder / f"copy{number}.mid").write_bytes(midi.write(moved))
    manifest = prepare(settings)
    assert sum(split.excerpts for split in manifest.splits.values()) == 126
    # Alike as they are, all stand on one side.
    assert counts(manifest) == {("excerpt", "duplicate"): 20 * 7}


def test_tunes_of_one_title_fall_on_one_side(tmp_path, tune):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        text = "\n".join(
            tune(number, title=f"The Jolly {chr(65 + number)}", seed=f"{name}{number}")
            for number in range(20)
        )
        (tmp_path / name / "book.abc").write_text(text)
    inputs = (str(tmp_path / "one"), str(tmp_path / "two"))
    out = tmp_path / "out"
    prepare(PrepareSettings(inputs=inputs, out=out, cut=cut(), shares=HALVES))
    numbers = [
        {piece.split("#")[1] for piece in shards.load(out, split).pieces}
        for split in ("train", "test")
    ]
    assert all(numbers)
    assert numbers[0] & numbers[1] == set()


def test_reasons_are_counted_and_nothing_else_is_harmed(settings, midi_folder, melody):
    chance = random.Random(0)
    (midi_folder / "waltz.mid").write_bytes(midi.write(melody(1, meter=Meter(3, 4))))
    (midi_folder / "empty.mid").write_bytes(b"")
    (midi_folder / "noise.mid").write_bytes(b"MThd" + chance.randbytes(1000))
    (midi_folder / "noise.xml").write_bytes(chance.randbytes(1000))
    (midi_folder / "noise.mxl").write_bytes(b"PK" + chance.randbytes(1000))
    (midi_folder / "noise.abc").write_bytes(b"X:1\n" + chance.randbytes(1000))
    manifest = prepare(settings)
    assert sum(split.excerpts for split in manifest.splits.values()) == 126
    assert counts(manifest) == {("piece", "unreadable"): 4, ("piece", "wrong_meter"): 1}
    unreadable = manifest.rejections[0]
    assert unreadable.sources == {"files": 4}
    assert "files/empty.mid" in {example.piece for example in unreadable.examples}


def test_mutated_files_never_stop_a_run(tmp_path, tune, melody):
    folder = tmp_path / "mutated"
    folder.mkdir()
    chance = random.Random(1)
    wholes = {"mid": midi.write(melody(0)), "abc": tune(1).encode()}
    for number in range(150):
        for ending, whole in wholes.items():
            data = bytearray(whole)
            for _ in range(chance.randint(1, 6)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            (folder / f"{number}.{ending}").write_bytes(bytes(data))
    manifest = prepare(
        PrepareSettings(
            inputs=(str(folder),), out=tmp_path / "out", cut=cut(), limits=Limits(timeout_s=10.0)
        )
    )
    assert counts(manifest)["piece", "unreadable"] > 10
    assert not any(reason == "crashed" for _, reason in counts(manifest))


def test_no_examples_is_an_error_after_the_reasons(settings):
    console = Console(file=io.StringIO(), width=120)
    waltzes = replace(settings, cut=cut(meter=Meter(3, 4)))
    with pytest.raises(DataError, match="no examples in 3/4: 18 pieces wrong_meter") as refused:
        prepare(waltzes, console=console)
    assert refused.value.action == "Set `meter` to 4/4, the meter of 144 of 144 bars."
    assert "wrong_meter" in console.file.getvalue()
    assert "tunes/book0.abc#1:0: bars: 8 in 4/4" in " ".join(console.file.getvalue().split())
    assert list(settings.out.iterdir()) == []


@pytest.mark.parametrize("meter", [Meter(6, 8), Meter(3, 4), Meter(3, 8)])
def test_prepare_finds_what_inspect_shows(settings, tmp_path, melody, meter):
    path = tmp_path / "jig.mid"
    path.write_bytes(midi.write(melody(3, meter=meter)))
    jig = replace(settings, inputs=(str(path),), shares={"train": 1.0})
    with pytest.raises(DataError, match=f"no examples in 4/4.*Set `meter` to {meter}"):
        prepare(jig)
    inspection = inspect(find_piece(str(path)))
    assert inspection.meter == meter
    shown = {(each.representation, each.bars): each.excerpts for each in inspection.outcomes}
    manifest = prepare(replace(jig, cut=cut(meter=meter)))
    assert shown["melody", 2] > 0
    repeats = counts(manifest).get(("excerpt", "duplicate"), 0)
    assert manifest.splits["train"].excerpts + repeats == shown["melody", 2]


def test_pieces_that_are_too_short_say_so(settings):
    with pytest.raises(DataError, match="18 pieces too_short"):
        prepare(replace(settings, cut=cut(bars=9)))


def test_one_piece_is_counted_as_one(settings, tmp_path, melody):
    (tmp_path / "short.mid").write_bytes(midi.write(melody(1, bars=1)))
    with pytest.raises(DataError, match="no examples in 4/4: 1 piece too_short"):
        prepare(replace(settings, inputs=(str(tmp_path / "short.mid"),)))


def test_an_empty_split_is_warned_of(settings, tmp_path, melody):
    (tmp_path / "one.mid").write_bytes(midi.write(melody(1)))
    console = Console(file=io.StringIO(), width=500)
    manifest = prepare(replace(settings, inputs=(str(tmp_path / "one.mid"),)), console=console)
    (empty,) = (name for name, split in manifest.splits.items() if not split.excerpts)
    said = console.file.getvalue()
    assert f"Warning: the split '{empty}' is empty. Prepare more pieces" in said
    assert "--split" in said
    assert said.count("Warning") == 1


def test_pieces_that_were_given_up_are_warned_of(settings):
    manifest = prepare(settings)
    rejections = tuple(
        RejectionCount(
            stage="piece",
            reason=reason,
            count=count,
            sources={"files": count},
            examples=(Example(piece=f"files/{reason}.mid", found="something"),),
        )
        for reason, count in {"crashed": 2, "timed_out": 1, "unreadable": 3}.items()
    )
    crashed, timed_out = find_warnings(replace(manifest, rejections=rejections), {})
    assert crashed.startswith("2 pieces crashed, such as files/crashed.mid: another run")
    assert timed_out.startswith("1 piece timed_out, such as files/timed_out.mid: another run")


def test_a_good_set_comes_without_a_warning(settings):
    console = Console(file=io.StringIO(), width=500)
    prepare(settings, console=console)
    assert "Warning" not in console.file.getvalue()


def test_the_manifest_says_by_what_rules_and_software_it_was_made(settings):
    rules = Rules(fewest_notes=4)
    made = prepare(replace(settings, cut=replace(settings.cut, rules=rules, hop_bars=2))).settings
    assert made["rules"] == asdict(rules)
    assert made["hop_bars"] == 2
    assert made["melody"] == "every"
    assert made["shares"] == HALVES
    assert set(made["versions"]) == {"python", "musicvae", "music21", "numpy", "pyarrow"}
    assert made["versions"]["music21"] == music21.__version__
    assert made["timeout_s"] == 60


def test_a_console_shows_progress(settings):
    console = Console(file=io.StringIO(), width=120, force_terminal=True)
    prepare(settings, console=console)
    assert "18/18" in console.file.getvalue()


def test_an_output_that_is_a_file_is_refused_at_once(settings, tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(DataError, match="can't be made a folder"):
        prepare(settings)
    assert (tmp_path / "out").read_text() == "mine"


@pytest.mark.parametrize(
    ("change", "found"),
    [({"workers": 0}, "workers=0"), ({"shares": {}}, "split")],
)
def test_settings_out_of_range_are_refused(settings, change, found):
    with pytest.raises(SettingError, match=found):
        replace(settings, **change)


def test_the_same_tune_under_other_names_stands_on_one_side(tmp_path, melody):
    folder = tmp_path / "files"
    folder.mkdir()
    for seed in range(20):
        whole = melody(seed, bars=16)
        notes = list(whole.notes)
        notes[20] = replace(notes[20], pitch=notes[20].pitch + 1)
        moved = replace(whole, notes=tuple(notes)).transpose(3)
        (folder / f"one{seed:02}x.mid").write_bytes(midi.write(whole))
        (folder / f"another{seed:02}x.mid").write_bytes(midi.write(moved))
    settings = PrepareSettings(
        inputs=(str(folder),), out=tmp_path / "out", cut=cut(), shares=HALVES
    )
    manifest = prepare(settings)
    found = manifest.clusters
    assert (found.count, found.pieces, found.largest, found.pairs) == (20, 40, 2, 20)
    assert 3 < found.leaks_avoided < 17
    assert counts(manifest).keys() == {("excerpt", "duplicate")}
    assert found.examples[0].pieces == ("files/another00x.mid", "files/one00x.mid")
    numbers = [
        {piece[-7:] for piece in shards.load(settings.out, split).pieces} for split in HALVES
    ]
    assert numbers[0] & numbers[1] == set()


def test_labels_and_styles_come_with_the_excerpts(settings):
    prepare(settings)
    examples = shards.load(settings.out, "train")
    names = ["part", "program", "qpm", "tonic", "is_minor", "key_confidence", "style", "attributes"]
    rows = np.flatnonzero(np.char.startswith(examples.pieces.astype(str), "tunes/"))
    table = examples.columns(names, rows)
    keys = zip(table["tonic"].to_pylist(), table["is_minor"].to_pylist(), strict=True)
    assert set(keys) <= {(0, False), (9, True)}  # the tunes say K:C
    assert table["style"].null_count == len(rows)
    density = np.array(table["attributes"].to_pylist())[:, 1]
    np.testing.assert_allclose(density, 0.5)


def test_an_engine_that_is_none_is_refused(settings):
    with pytest.raises(SettingError, match="the engine 'slurm'; expected one of local, ray"):
        replace(settings, engine="slurm")
    with pytest.raises(SettingError, match="with the engine local"):
        replace(settings, address="10.0.0.1:6379")
