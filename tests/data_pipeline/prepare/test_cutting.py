import multiprocessing

import pytest
from hostile import FragileMelody, Hostile, Seen, make_piece

from musicvae.data_pipeline.cut.chunks import chunk_path, read_chunk
from musicvae.data_pipeline.cut.excerpts import CutSettings
from musicvae.data_pipeline.prepare.cutting import cut_chunks
from musicvae.errors import DataError
from musicvae.music import midi
from musicvae.music.notes import Note, NoteSequence
from musicvae.representation import Groove, Melody
from musicvae.work import Batch, Limits

GOOD = "good"


def drums(bars):
    hits = (Note(step, 36 + step % 12, step + 1, is_drum=True) for step in range(0, 16 * bars, 2))
    return midi.write(NoteSequence(tuple(hits), 16 * bars))


@pytest.fixture
def make_chunk(melody):
    def make(number, *deeds):
        pieces = tuple(
            make_piece(
                f"{number}-{place}",
                midi.write(melody(10 * number + place)) if deed == GOOD else Hostile(deed),
            )
            for place, deed in enumerate(deeds)
        )
        return Batch(number=number, items=pieces)

    return make


def cut(chunks, folder, *, representation=None, timeout_s=30.0, workers=1):
    settings = CutSettings(representation=representation or Melody())
    limits = Limits(timeout_s=timeout_s, memory_bytes=64 * 1024**2)
    return list(cut_chunks(iter(chunks), settings, folder, limits, workers=workers))


def reasons(folder, chunk):
    """Of each piece: its excerpts, or why there are none."""
    pieces = read_chunk(chunk_path(folder, chunk)).pieces.to_pylist()
    return [
        (
            each["excerpts"] or each["rejections"][0]["reason"],
            *(found["found"] for found in each["rejections"]),
        )
        for each in pieces
    ]


def test_a_piece_that_does_anything_harms_no_other(make_chunk, tmp_path):
    chunks = [
        make_chunk(0, GOOD, "crash", GOOD, "hang", GOOD),
        make_chunk(1, GOOD, GOOD),
        make_chunk(2, "err", "eat", GOOD, "eat slowly", GOOD, "crash"),
    ]
    assert cut(chunks, tmp_path, timeout_s=2.0, workers=2) == chunks
    crashed = ("crashed", "a process that ended with 3")
    assert reasons(tmp_path, chunks[0]) == [
        (7,), crashed, (7,), ("timed_out", "more than 2 s of reading"), (7,),
    ]  # fmt: skip
    assert reasons(tmp_path, chunks[1]) == [(7,), (7,)]
    memory = ("out_of_memory", "more memory than one piece may use")
    (error, found), *others = reasons(tmp_path, chunks[2])
    assert error == "internal_error"
    assert found.startswith("ZeroDivisionError at corpus.py:")
    assert others == [memory, (7,), memory, (7,), crashed]
    assert {path.suffix for path in tmp_path.iterdir()} == {".arrow"}


def test_a_folder_that_is_gone_can_t_be_written(make_chunk, tmp_path):
    with pytest.raises(DataError, match=r"gone, which can.t be written \(No such file"):
        cut([make_chunk(0, GOOD)], tmp_path / "gone")


def test_a_full_disk_is_said(make_chunk, tmp_path):
    resource = pytest.importorskip("resource")
    if not hasattr(resource, "prlimit"):
        pytest.skip("needs Linux")

    def chunks():
        yield make_chunk(0, GOOD)
        yield make_chunk(1, GOOD)  # made while the first is cut
        (process,) = multiprocessing.active_children()
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (100, 100))
        yield make_chunk(2, GOOD)

    with pytest.raises(DataError, match=r"can.t be written \(File too large\)") as raised:
        cut(chunks(), tmp_path)
    assert raised.value.field == "out"
    assert {path.suffix for path in tmp_path.iterdir()} <= {".arrow"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        ("crash", ("crashed", "a process that ended with 3")),
        ("hang", ("timed_out", "more than 1.5 s of reading")),
    ],
)
def test_a_crash_during_work_on_many_pieces_is_blamed_on_one(deed, reason, melody, tmp_path):
    deeds = ("", "", deed)
    pieces = tuple(
        make_piece(str(place), Seen(midi.write(melody(place)), deed))
        for place, deed in enumerate(deeds)
    )
    chunk = Batch(number=0, items=pieces)
    (done,) = cut([chunk], tmp_path, timeout_s=1.5, representation=FragileMelody())
    assert reasons(tmp_path, done) == [(7,), (7,), reason]


def test_music_that_is_more_than_the_memory_is_written_as_it_comes(tmp_path):
    pieces = tuple(make_piece(str(number), data) for number, data in enumerate([drums(300)] * 200))
    chunk = Batch(number=0, items=pieces)
    cut([chunk], tmp_path, representation=Groove())
    excerpts = read_chunk(chunk_path(tmp_path, chunk)).excerpts
    assert excerpts["events"].nbytes > 90 * 1024**2
    assert set(reasons(tmp_path, chunk)) == {(299,)}


def test_a_piece_that_is_more_than_the_memory_costs_itself_alone(tmp_path):
    pieces = tuple(make_piece(str(bars), drums(bars)) for bars in (30, 4000, 40))
    chunk = Batch(number=0, items=pieces)
    cut([chunk], tmp_path, representation=Groove(bars=16))
    memory = ("out_of_memory", "more memory than one piece may use")
    assert reasons(tmp_path, chunk) == [(15,), memory, (25,)]
