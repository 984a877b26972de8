import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hand_made import table_of, write_set, write_split
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from musicvae.data import shards
from musicvae.data.manifest import (
    Cluster,
    Clusters,
    Example,
    RejectionCount,
    Source,
    hash_content,
    load_manifest,
    save_manifest,
)
from musicvae.errors import DataError
from musicvae.representation import Melody

SHAPE = (32, 1)


def make_events(count, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 90, (count, *SHAPE), dtype=np.int16)


def make_table(count=25, seed=0):
    odd = np.arange(count) % 2 == 1
    return table_of(
        make_events(count, seed),
        piece=[f"folk/{index // 10}" for index in range(count)],
        source=["folk"] * count,
        start_bar=[index % 10 for index in range(count)],
        qpm=[96.5] * count,
        style=["jig" if each else None for each in odd],
        tonic=[7 if each else None for each in odd],
        is_minor=[False if each else None for each in odd],
        key_confidence=[0.25 if each else None for each in odd],
        attributes=np.arange(count * 5).reshape(count, 5),
    )


def write(folder, count=25):
    return write_set(
        folder,
        Melody(),
        {"train": make_table(count), "test": make_table(0)},
        settings={"hop_bars": 1, "rules": {"fewest_notes": 3}},
        sources=(
            Source(name="folk", licence="CC0", pieces=4, pieces_used=3, excerpts={"train": 25}),
        ),
        rejections=(
            RejectionCount(
                stage="piece",
                reason="unreadable",
                count=1,
                sources={"folk": 1},
                examples=(Example(piece="folk/é", found="noise"),),
            ),
        ),
        clusters=Clusters(
            count=1,
            pieces=2,
            largest=2,
            pairs=1,
            examples=(
                Cluster(
                    pieces=("a", "b"), size=2, sources=("folk",), splits=("test",), likeness=0.5
                ),
            ),
        ),
    )


@pytest.fixture
def small_shards(monkeypatch):
    row_bytes = 32 * 2 + 5 * 4 + 4 * 2
    monkeypatch.setattr(shards, "SHARD_BYTES", 10 * row_bytes + 1)


def test_a_manifest_is_read_as_it_was_written(tmp_path):
    assert write(tmp_path) == load_manifest(tmp_path)


def test_examples_are_read_as_they_were_written(tmp_path):
    write(tmp_path)
    examples = shards.load(tmp_path, "train")
    table = make_table()
    assert len(examples) == 25
    np.testing.assert_array_equal(examples.events[:], make_events(25))
    assert examples.pieces.tolist() == table["piece"].to_pylist()
    assert examples.sources.tolist() == table["source"].to_pylist()
    assert examples.start_bars.tolist() == table["start_bar"].to_pylist()


def test_any_column_of_any_rows_can_be_read(tmp_path):
    write(tmp_path)
    rows = shards.load(tmp_path, "train").columns(["start_bar", "style"], np.array([3, 20, 1]))
    assert rows.to_pylist() == [
        {"start_bar": 3, "style": "jig"},
        {"start_bar": 0, "style": None},
        {"start_bar": 1, "style": "jig"},
    ]


@pytest.mark.usefixtures("small_shards")
def test_examples_in_many_shards_keep_their_order(tmp_path):
    manifest = write(tmp_path)
    names = [shard.name for shard in manifest.splits["train"].shards]
    assert names == [f"train-{number:05d}.arrow" for number in range(3)]
    assert [shard.excerpts for shard in manifest.splits["train"].shards] == [10, 10, 5]
    examples = shards.load(tmp_path, "train")
    assert examples.events.shape == (25, *SHAPE)
    assert examples.pieces.tolist() == make_table()["piece"].to_pylist()


def test_the_content_hash_knows_nothing_of_shards(tmp_path, monkeypatch):
    whole = write(tmp_path / "whole")
    monkeypatch.setattr(shards, "SHARD_BYTES", 1000)
    assert write(tmp_path / "parts").content_hash == whole.content_hash


@pytest.mark.usefixtures("small_shards")
def test_rows_that_come_bit_by_bit_make_the_same_files(tmp_path):
    (tmp_path / "bits").mkdir()
    write(tmp_path / "whole")
    table = make_table()
    schema = shards.schema(SHAPE, attributes=5, chords=4)
    writer = shards.SplitWriter(tmp_path / "bits", "train", schema)
    for start in range(0, 25, 3):
        writer.add(table.slice(start, 3))
    for shard in writer.close().shards:
        one, other = (tmp_path / folder / shard.name for folder in ("whole", "bits"))
        assert one.read_bytes() == other.read_bytes()


@settings(max_examples=50)
@given(
    sizes=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    rows=arrays(np.int64, st.integers(0, 9), elements=st.integers(-1000, 1000)),
    ends=st.tuples(st.integers(-30, 30), st.integers(-30, 30)),
)
def test_several_shards_are_read_as_one_array(sizes, rows, ends):
    whole = make_events(sum(sizes))
    sharded = shards.ShardedEvents(np.split(whole, np.cumsum(sizes)[:-1]))
    rows %= len(whole)
    assert isinstance(sharded, shards.Events)
    assert sharded.shape == whole.shape
    np.testing.assert_array_equal(sharded[rows], whole[rows])
    np.testing.assert_array_equal(sharded[rows - len(whole)], whole[rows])
    np.testing.assert_array_equal(sharded[slice(*ends)], whole[slice(*ends)])


@pytest.mark.usefixtures("small_shards")
def test_a_row_that_is_not_there_is_an_index_error(tmp_path):
    write(tmp_path)
    events = shards.load(tmp_path, "train").events
    for row in (25, -26):
        with pytest.raises(IndexError):
            events[np.array([row])]


def test_events_are_a_map_of_the_file(tmp_path):
    write(tmp_path)
    before = pa.total_allocated_bytes()
    events = shards.load(tmp_path, "train").events
    assert isinstance(events, np.ndarray)
    assert not events.flags.owndata
    assert not events.flags.writeable
    assert pa.total_allocated_bytes() == before


def test_any_reader_of_arrow_finds_the_columns(tmp_path):
    write(tmp_path)
    table = pa.ipc.open_file(tmp_path / "train-00000.arrow").read_all()
    assert json.loads(table.schema.metadata[b"shape"]) == [32, 1]
    first, second = table.slice(0, 2).to_pylist()
    assert second == {
        "events": make_events(25)[1, :, 0].tolist(),
        "piece": "folk/0",
        "source": "folk",
        "part": "",
        "style": "jig",
        "program": 0,
        "start_bar": 1,
        "count": 1,
        "qpm": 96.5,
        "tonic": 7,
        "is_minor": False,
        "key_confidence": 0.25,
        "attributes": [5, 6, 7, 8, 9],
        "chords": [-1] * 4,
    }
    assert first["tonic"] is first["is_minor"] is first["key_confidence"] is first["style"] is None


def test_each_example_of_an_earlier_version_counts_once(tmp_path):
    table = make_table(5)
    columns = shards.schema(SHAPE, attributes=5, chords=4)
    columns = columns.remove(columns.get_field_index("count"))
    writer = shards.SplitWriter(tmp_path, "train", columns)
    writer.add(table)
    splits = {"train": writer.close()}
    save_manifest(replace(write(tmp_path / "other"), splits=splits), tmp_path)
    assert shards.load(tmp_path, "train").counts.tolist() == [1] * 5


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
        load_manifest(tmp_path / name)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "an unreadable manifest"),
        ("[1]", "format None"),
        ('{"format_version": 1}', "format 1"),
        ('{"format_version": 99}', "format 99"),
        ('{"format_version": 2}', "wrong fields"),
        ('{"format_version": 2, "splits": 3}', "wrong fields"),
        ("\0", "an unreadable manifest"),
    ],
)
def test_a_damaged_manifest_is_an_error(tmp_path, text, found):
    write(tmp_path)
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(DataError, match=found):
        load_manifest(tmp_path)


def test_damaged_shards_are_noticed(tmp_path):
    write(tmp_path)
    shards.load(tmp_path, "train")
    path = tmp_path / "train-00000.arrow"
    whole = path.read_bytes()
    for broken in (whole[: len(whole) // 2], whole[:-100] + b"\1" + whole[-99:]):
        path.write_bytes(broken)
        with pytest.raises(DataError, match="differs from the manifest"):
            shards.load(tmp_path, "train")
    path.unlink()
    with pytest.raises(DataError, match="can't be read"):
        shards.load(tmp_path, "train")


def test_a_shard_of_another_set_is_noticed(tmp_path):
    write(tmp_path)
    write_split(tmp_path, "train", make_table(seed=1), SHAPE)
    with pytest.raises(DataError, match="differs from the manifest"):
        shards.load(tmp_path, "train")


def test_clearing_takes_away_only_what_the_manifest_lists(tmp_path):
    write(tmp_path)
    (tmp_path / "train-00007.arrow").write_bytes(b"someone else's")
    (tmp_path / "notes.txt").write_text("mine")
    shards.clear(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"train-00007.arrow", "notes.txt"}
    shards.clear(tmp_path)


def test_the_content_hash_is_that_of_representation_and_events(tmp_path):
    one = write(tmp_path / "one")
    assert write(tmp_path / "two").content_hash == one.content_hash
    assert hash_content(Melody(bars=4).config(), one.splits) != one.content_hash
    other = write_set(tmp_path / "three", Melody(), {"train": make_table(seed=1)})
    assert other.splits["train"].content_hash != one.splits["train"].content_hash
    assert other.content_hash != one.content_hash
