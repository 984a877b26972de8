import io
import struct

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicvae.errors import MidiError
from musicvae.music.midi import smf
from musicvae.music.midi.chunks import read_chunks, split_patterns
from musicvae.music.midi.remarks import Remarks
from musicvae.music.midi.smf import Head, meta

HELLO = meta(smf.TEXT, b"hello")


def read(data, **settings):
    return read_chunks(data, Remarks(), **{"max_tracks": 9, **settings}).tracks


@given(st.lists(st.integers(0, 2**28 - 1), max_size=5), st.integers(0, 2**28 - 1))
def test_waits_of_any_length_are_written_as_mido_reads_them(waits, end_wait):
    tick = 0
    events = [(tick := tick + wait, HELLO) for wait in waits]
    data = smf.write_file([smf.write_track(events, tick + end_wait)], ticks_per_quarter=96)
    (track,) = mido.MidiFile(file=io.BytesIO(data)).tracks
    assert [message.time for message in track] == [*waits, end_wait]
    assert smf.read_head(read(data)[0]) == Head(("hello",) * len(waits), tick + end_wait)


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16_383, 16_384, 70_000])
def test_text_of_any_length(size):
    track = smf.write_track([(0, meta(smf.TEXT, b"x" * size))], 5)
    assert smf.read_head(track) == Head(("x" * size,), 5)


def test_the_head_ends_with_the_first_note():
    note = b"\x90\x3c\x40"
    track = smf.write_track([(0, HELLO), (10, note), (20, meta(smf.TEXT, b"later"))], 30)
    assert smf.read_head(track) == Head(("hello",), 0)


@pytest.mark.parametrize(
    "track",
    [b"", b"\x00", b"\xff\xff\xff\xff\xff", b"\x00\xff", b"\x00\xff\x01", b"\x00\xff\x01\xff\xff"],
)
def test_a_head_that_breaks_off_is_no_error(track):
    assert smf.read_head(track).end_tick == 0


def test_the_search_for_text_ends():
    track = smf.write_track([(0, meta(smf.TEMPO, b"\x07\xa1\x20"))] * 20_000 + [(0, HELLO)], 0)
    assert smf.read_head(track) == Head((), 0)


def test_the_tracks_of_a_file():
    tracks = [smf.write_track([], end) for end in (0, 10, 500)]
    data = smf.write_file(tracks, ticks_per_quarter=480)
    assert read(data) == tracks
    # Whatever number the header claims
    for claimed in (b"\x00\x00", b"\x00\x01", b"\xff\xff"):
        assert read(data[:10] + claimed + data[12:]) == tracks
    with pytest.raises(MidiError, match="at most 2 tracks"):
        read(data, max_tracks=2)


def test_a_file_that_breaks_off_before_its_last_track_is_damaged():
    data = smf.write_file([smf.write_track([], 0)] * 2, ticks_per_quarter=480)
    with pytest.raises(MidiError, match="track 2 claims 4 bytes and has 2"):
        read(data[:-2])
    # With the one track that it claims to have, the rest is no part of it.
    one = data[:10] + b"\x00\x01" + data[12:-2]
    assert len(read(one)) == 1


def test_a_true_header_counts_the_tracks_and_keeps_them():
    data = smf.write_file([smf.write_track([], 0)] * 2, ticks_per_quarter=480)
    lying = data[:10] + b"\x00\x63" + data[12:]
    mended = read_chunks(lying, Remarks(), max_tracks=9).for_symusic()
    assert mended.startswith(data)
    assert read(mended) == read(data)


@pytest.mark.parametrize(
    ("division", "per_quarter", "per_second"),
    [
        (480, 480, None),
        (1, 1, None),
        (0xE850, 0, 24 * 80),
        (0xE728, 0, 25 * 40),
        (0xE364, 0, 100 * 30 / 1.001),
        (0xE201, 0, 30),
    ],
)
def test_the_header_says_what_a_tick_is(division, per_quarter, per_second):
    header = smf.read_header(struct.pack(">4sIHHH", b"MThd", 6, 0, 1, division))
    assert header.ticks_per_quarter == per_quarter
    assert header.ticks_per_second == per_second


def test_the_patterns_of_format_2_are_files_of_their_own():
    tracks = [smf.write_track([(0, HELLO)], end) for end in (0, 10)]
    data = smf.write_file(tracks, ticks_per_quarter=96)
    patterns = split_patterns(data[:9] + b"\x02" + data[10:], max_tracks=9)
    assert [read(pattern) for pattern in patterns] == [[track] for track in tracks]
    for pattern in patterns:
        header = smf.read_header(pattern)
        assert (header.format, header.claimed_tracks, header.ticks_per_quarter) == (0, 1, 96)
        assert len(mido.MidiFile(file=io.BytesIO(pattern)).tracks) == 1
