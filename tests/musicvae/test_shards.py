import json
import time
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from musicvae import shards
from musicvae.errors import DataError
from musicvae.representation import Melody
from musicvae.shards import Example, Manifest, Provenance, Rejection, Source, Split


def make_events(count, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 90, (count, 32, 1), dtype=np.int16)


def make_provenance(count):
    return [
        Provenance(
            piece=f"folk/{index // 10}",
            source="folk",
            part="",
            start_bar=index % 10,
            qpm=96.5,
            tonic=7 if index % 2 else None,
            is_minor=False if index % 2 else None,
        )
        for index in range(count)
    ]


def write(folder, count=25):
    config = Melody().config()
    splits = {
        "train": shards.write_split(folder, "train", make_events(count), make_provenance(count)),
        "test": shards.write_split(folder, "test", make_events(0), []),
    }
    manifest = Manifest(
        representation=config,
        settings={"hop_bars": 1},
        splits=splits,
        sources=(
            Source(name="folk", licence="CC0", pieces=4, pieces_used=3, excerpts={"train": 25}),
        ),
        rejections=(
            Rejection(
                stage="piece",
                reason="unreadable",
                count=1,
                sources={"folk": 1},
                examples=(Example(piece="folk/é", found="noise"),),
            ),
        ),
        content_hash=shards.hash_content(config, splits),
    )
    shards.save_manifest(manifest, folder)
    return manifest


def test_a_manifest_is_read_as_it_was_written(tmp_path):
    assert write(tmp_path) == shards.load_manifest(tmp_path)


def test_examples_are_read_as_they_were_written(tmp_path):
    write(tmp_path)
    examples = shards.load(tmp_path, "train")
    assert len(examples) == 25
    np.testing.assert_array_equal(examples.events, make_events(25))
    rows = make_provenance(25)
    assert examples.pieces.tolist() == [row.piece for row in rows]
    assert examples.sources.tolist() == [row.source for row in rows]
    assert examples.start_bars.tolist() == [row.start_bar for row in rows]


def test_examples_in_many_shards_keep_their_order(tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "ROWS_PER_SHARD", 10)
    manifest = write(tmp_path)
    assert manifest.splits["train"].files == tuple(f"train-{n:05d}.parquet" for n in range(3))
    np.testing.assert_array_equal(shards.load(tmp_path, "train").events, make_events(25))
    assert manifest.content_hash == write_whole(tmp_path, monkeypatch).content_hash


def write_whole(folder, monkeypatch):
    monkeypatch.setattr(shards, "ROWS_PER_SHARD", 65_536)
    return write(folder)


def test_any_reader_of_parquet_finds_the_columns(tmp_path):
    write(tmp_path)
    table = pq.read_table(tmp_path / "train-00000.parquet")
    assert json.loads(table.schema.metadata[b"shape"]) == [32, 1]
    first = table.slice(1, 1).to_pylist()[0]
    assert first.pop("events") == make_events(25)[1, :, 0].tolist()
    assert first == {
        "piece": "folk/0",
        "source": "folk",
        "part": "",
        "start_bar": 1,
        "qpm": 96.5,
        "tonic": 7,
        "is_minor": False,
    }
    assert table.slice(0, 1).to_pylist()[0]["tonic"] is None


def test_two_hundred_thousand_examples_load_in_under_a_second(tmp_path):
    count = 200_000
    events = make_events(count)
    small = write(tmp_path)
    split = shards.write_split(tmp_path, "train", events, make_provenance(20) * (count // 20))
    shards.save_manifest(replace(small, splits={"train": split}), tmp_path)
    start = time.perf_counter()
    examples = shards.load(tmp_path, "train")
    assert time.perf_counter() - start < 1
    assert len(examples) == count


def test_an_empty_split_is_an_error(tmp_path):
    write(tmp_path)
    with pytest.raises(DataError, match=r"'test' of .* is empty"):
        shards.load(tmp_path, "test")


def test_an_unknown_split_is_an_error_that_names_those_there_are(tmp_path):
    write(tmp_path)
    with pytest.raises(DataError, match=r"no split 'validation'.*one of train, test"):
        shards.load(tmp_path, "validation")


@pytest.mark.parametrize("name", ["missing", "a_file/inside"])
def test_a_folder_without_a_manifest_is_no_data_set(tmp_path, name):
    (tmp_path / "a_file").write_text("")
    with pytest.raises(DataError, match=r"no manifest\.json"):
        shards.load_manifest(tmp_path / name)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "an unreadable manifest"),
        ("[1]", "format None"),
        ('{"format_version": 99}', "format 99"),
        ('{"format_version": 1}', "wrong fields"),
        ('{"format_version": 1, "splits": 3}', "wrong fields"),
        ("\0", "an unreadable manifest"),
    ],
)
def test_a_damaged_manifest_is_an_error(tmp_path, text, found):
    write(tmp_path)
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(DataError, match=found):
        shards.load_manifest(tmp_path)


def test_damaged_shards_are_noticed(tmp_path):
    write(tmp_path)
    path = tmp_path / "train-00000.parquet"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="can't be read"):
        shards.load(tmp_path, "train")
    path.unlink()
    with pytest.raises(DataError, match="can't be read"):
        shards.load(tmp_path, "train")


def test_a_shard_of_another_set_is_noticed(tmp_path):
    write(tmp_path)
    shards.write_split(tmp_path, "train", make_events(25, seed=1), make_provenance(25))
    with pytest.raises(DataError, match="differ from the manifest"):
        shards.load(tmp_path, "train")


def test_clearing_takes_away_only_what_is_ours(tmp_path):
    write(tmp_path)
    (tmp_path / "train-00007.partial").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "my-00001.parquet.bak").write_text("mine")
    shards.clear(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"notes.txt", "my-00001.parquet.bak"}


def test_the_content_hash_is_that_of_representation_and_events(tmp_path):
    one = write(tmp_path)
    assert write(tmp_path).content_hash == one.content_hash
    config = Melody(bars=4).config()
    assert shards.hash_content(config, one.splits) != one.content_hash
    other = {**one.splits, "train": replace(one.splits["train"], content_hash="0")}
    assert shards.hash_content(one.representation, other) != one.content_hash
    assert isinstance(other["train"], Split)
