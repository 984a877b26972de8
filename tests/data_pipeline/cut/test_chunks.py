from dataclasses import replace

import numpy as np
import pytest
from hostile import Hostile, make_piece

from musicvae.data_pipeline.cut import chunks
from musicvae.data_pipeline.cut.chunks import (
    MOST_HELD_BYTES,
    MOST_PIECES,
    MOST_SLOW_PIECES,
    chunk_path,
    cut_chunk,
    is_whole,
    make_chunks,
    read_chunk,
)
from musicvae.data_pipeline.cut.cut import cut_pieces
from musicvae.data_pipeline.cut.excerpts import CutSettings
from musicvae.data_pipeline.sources.locations import HeldBytes
from musicvae.music import midi
from musicvae.representation import Melody
from musicvae.work import Batch, Failure

SETTINGS = CutSettings(representation=Melody())


def sizes(pieces):
    made = list(make_chunks(pieces))
    assert [chunk.number for chunk in made] == list(range(len(made)))
    assert [piece for chunk in made for piece in chunk.items] == pieces
    return [len(chunk.items) for chunk in made]


def test_slow_pieces_come_in_shorter_chunks():
    quick = [make_piece(str(number), b"") for number in range(MOST_PIECES + 1)]
    assert sizes(quick) == [MOST_PIECES, 1]
    slow = [make_piece(str(number), Hostile("")) for number in range(2 * MOST_SLOW_PIECES)]
    for piece in slow:
        object.__setattr__(piece, "kind", "musicxml")
    assert sizes(slow) == [MOST_SLOW_PIECES] * 2
    assert sizes([*quick[: MOST_PIECES // 2], *slow]) == [
        MOST_PIECES // 2 + MOST_SLOW_PIECES // 2, MOST_SLOW_PIECES, MOST_SLOW_PIECES // 2,
    ]  # fmt: skip
    assert sizes([]) == []


def test_pieces_that_bring_their_bytes_are_not_too_many():
    held = HeldBytes((bytes(MOST_HELD_BYTES // 4),), MOST_HELD_BYTES // 4)
    assert sizes([make_piece(str(number), held) for number in range(9)]) == [4, 4, 1]


def test_a_chunk_is_read_as_it_was_cut(tmp_path, melody):
    whole = [midi.write(melody(seed)) for seed in range(3)]
    pieces = (
        make_piece("0", whole[0], style="rock"),
        make_piece("1", b"noise", given_split="test"),
        make_piece("2", whole[1]),
        make_piece("3", Hostile("crash")),
        make_piece("4", whole[2]),
    )
    begun = []
    failures = {3: Failure("crashed", "of old age")}
    cut_chunk(Batch(number=7, items=pieces, failures=failures), SETTINGS, tmp_path, begun.append)
    # Before they are cut together, before their excerpts are written, and at last.
    assert begun == [0, 1, 2, 3, 4, 5, 5, 5]
    (path,) = tmp_path.iterdir()
    assert path.name == "chunk-000007.arrow"
    chunk = read_chunk(path)
    rows = chunk.pieces.to_pylist()
    assert [row["id"] for row in rows] == [piece.id for piece in pieces]
    assert [row["excerpts"] for row in rows] == [7, 0, 7, 0, 7]
    assert [row["style"] for row in rows] == ["rock", None, None, None, None]
    assert rows[1]["given_split"] == "test"
    assert rows[3]["rejections"] == [
        {"stage": "piece", "reason": "crashed", "count": 1, "found": "of old age"}
    ]
    assert rows[1]["signature"] is None
    assert chunk.excerpts["piece"].to_pylist() == [0] * 7 + [2] * 7 + [4] * 7
    for number in (0, 2, 4):
        (expected,) = next(cut_pieces([pieces[number]], SETTINGS)).excerpts
        found = chunk.excerpts.filter(np.equal(chunk.excerpts["piece"].to_numpy(), number))
        events = np.array(found["events"].to_pylist()).reshape(expected.events.shape)
        np.testing.assert_array_equal(events, expected.events)
        assert found["start_bar"].to_pylist() == expected.start_bars.tolist()
        assert found["shape"].to_pylist() == expected.shapes.tolist()
        assert found["part"].to_pylist() == [expected.part] * 7


def test_a_chunk_of_nothing_has_no_excerpts(tmp_path):
    chunk = Batch(number=0, items=(make_piece("0", b"noise"),))
    cut_chunk(chunk, SETTINGS, tmp_path, id)
    read = read_chunk(chunk_path(tmp_path, chunk))
    assert read.excerpts is None
    assert read.pieces.num_rows == 1


@pytest.mark.parametrize("batch_bytes", [0, 1000])
def test_several_batches_hold_the_same_as_one(batch_bytes, tmp_path, melody, monkeypatch):
    pieces = tuple(make_piece(str(seed), midi.write(melody(seed))) for seed in range(6))
    chunk = Batch(number=0, items=pieces)
    cut_chunk(chunk, SETTINGS, tmp_path, id)
    whole = read_chunk(chunk_path(tmp_path, chunk))
    monkeypatch.setattr(chunks, "_BATCH_BYTES", batch_bytes)
    begun = []
    cut_chunk(replace(chunk, is_single=True), SETTINGS, tmp_path, begun.append)
    batches = read_chunk(chunk_path(tmp_path, chunk))
    assert begun.count(len(pieces)) > 2  # each time that something is written
    assert batches.excerpts["piece"].num_chunks > 2
    assert batches.excerpts.equals(whole.excerpts)
    assert batches.pieces.equals(whole.pieces)
    rows = np.arange(1, batches.excerpts.num_rows, 5)
    assert batches.take(rows).equals(whole.excerpts.take(rows))
    assert batches.take(rows[:0]).num_rows == 0


def test_a_file_is_whole_or_goes(tmp_path, melody):
    pieces = (make_piece("0", midi.write(melody(0))), make_piece("1", b"noise"))
    chunk = Batch(number=0, items=pieces)
    path = chunk_path(tmp_path, chunk)
    assert not is_whole(path)
    cut_chunk(chunk, SETTINGS, tmp_path, id)
    assert is_whole(path)
    data = path.read_bytes()
    for size in (*range(0, len(data) - 8, 64), len(data) - 9):  # the last 8 only say the end
        path.write_bytes(data[:size])
        assert not is_whole(path)
        assert not path.exists()
    path.write_bytes(bytes(len(data)))
    assert not is_whole(path)
    assert not path.exists()


def test_a_file_of_no_excerpts_is_whole(tmp_path):
    chunk = Batch(number=0, items=(make_piece("0", b"noise"),))
    cut_chunk(chunk, SETTINGS, tmp_path, id)
    assert is_whole(chunk_path(tmp_path, chunk))


def test_the_same_pieces_make_the_same_bytes(tmp_path, melody):
    pieces = tuple(make_piece(str(seed), midi.write(melody(seed))) for seed in range(5))
    chunk = Batch(number=0, items=pieces)
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        cut_chunk(chunk, SETTINGS, tmp_path / name, id)
        made.append(chunk_path(tmp_path / name, chunk).read_bytes())
    assert made[0] == made[1]
