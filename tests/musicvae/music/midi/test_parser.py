import io
import struct

import mido
import numpy as np
import pytest
import symusic
from hypothesis import given, settings
from hypothesis import strategies as st

from musicvae.music.midi import parser as midi_parser
from musicvae.music.midi.parsed import NoteColumns, ParsedTrack
from musicvae.music.notes import Key, Meter

END = b"\x00\xff\x2f\x00"
NOTE = b"\x00\x90\x3c\x40\x60\x80\x3c\x40"


def notes_of(*tracks):
    return NoteColumns.of(tracks)


def file_of(*tracks, format_=1, division=96):
    chunks = (b"MTrk" + struct.pack(">I", len(track)) + track for track in tracks)
    head = struct.pack(">4sIHHH", b"MThd", 6, format_, len(tracks), division)
    return head + b"".join(chunks)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(100_000, 2_000_000)), max_size=6),
    st.lists(st.integers(1, 400), min_size=1, max_size=20),
)
def test_seconds_are_those_that_mido_counts(tempos, waits):
    changes = mido.MidiTrack(
        mido.MetaMessage("set_tempo", tempo=tempo, time=wait) for wait, tempo in tempos
    )
    notes = mido.MidiTrack()
    for index, wait in enumerate(waits):
        kind = "note_off" if index % 2 else "note_on"
        notes.append(mido.Message(kind, note=60, velocity=64, time=wait))
    notes.append(mido.Message("note_off", note=60, time=1))
    file = mido.MidiFile(type=1, ticks_per_beat=96, tracks=[changes, notes])
    buffer = io.BytesIO()
    file.save(file=buffer)
    parsed = midi_parser.parse(buffer.getvalue())
    now, expected = 0.0, []
    for message in file:
        now += message.time
        if message.type == "note_on":
            expected.append(now)
    (track,) = parsed.tracks
    assert parsed.seconds(notes_of(track).starts).tolist() == pytest.approx(expected)


def test_tracks_keep_what_the_file_says():
    head = b"\x00\xff\x03\x04Solo\x00\xc0\x21"
    parsed = midi_parser.parse(
        file_of(head + NOTE + END, b"\x00\x99\x24\x40\x60\x89\x24\x40" + END)
    )
    bass, drums = parsed.tracks
    assert (bass.name, bass.program, bass.is_drum) == ("Solo", 33, False)
    assert (drums.program, drums.is_drum) == (0, True)
    notes = notes_of(bass, drums)
    assert (notes.starts.tolist(), notes.ends.tolist()) == ([0, 0], [96, 96])
    assert (notes.pitches.tolist(), notes.velocities.tolist()) == ([60, 36], [64, 64])


@pytest.mark.parametrize("pack", [midi_parser._pack, midi_parser._pickle, midi_parser._copy])
def test_notes_are_as_symusic_gives_them(pack):
    rows = np.random.default_rng(4).integers(0, 128, (4, 500))
    columns = [rows[0].astype(np.int32), rows[1].astype(np.int32), *rows[2:].astype(np.int8)]
    records = pack(symusic.core.NoteTickList.from_numpy(*columns))
    track = ParsedTrack(name="", program=0, is_drum=False, size=500, records=records)
    notes = notes_of(track)
    for column, row in zip(
        (notes.starts, notes.durations, notes.pitches, notes.velocities), rows, strict=True
    ):
        np.testing.assert_array_equal(column, row)


def test_meters_keys_and_tempos_stand_at_their_ticks_and_repeat():
    events = b"\x00\xff\x58\x04\x03\x02\x18\x08\x00\xff\x59\x02\x01\x00" + NOTE
    events += b"\x00\xff\x58\x04\x03\x02\x18\x08\x00\xff\x51\x03\x0f\x42\x40"
    parsed = midi_parser.parse(file_of(events + END))
    assert parsed.meters == ((0, Meter(3, 4)), (96, Meter(3, 4)))
    assert parsed.keys == ((0, Key(7)),)
    assert parsed.tempos == {96: 1_000_000}
    assert parsed.qpm == 60


def test_signatures_that_cannot_be_are_passed_over():
    odd = (
        b"\x00\xff\x58\x04\x00\x02\x18\x08\x00\xff\x58\x04\x04\x09\x18\x08\x00\xff\x59\x02\x09\x00"
    )
    parsed = midi_parser.parse(file_of(odd + NOTE + END))
    assert (parsed.meters, parsed.keys) == ((), ())


def test_the_tracks_of_format_2_all_start_at_0():
    parsed = midi_parser.parse(file_of(NOTE + END, NOTE + END, format_=2))
    assert [notes_of(track).starts.tolist() for track in parsed.tracks] == [[0], [0]]


def test_ticks_of_a_second_have_a_tempo_that_moves_nothing():
    faster = b"\x83\x74\xff\x51\x03\x03\xd0\x90"  # after half a second, four beats a second
    note = b"\x00\x90\x3c\x40\x87\x68\x80\x3c\x40"  # 1,000 ticks
    parsed = midi_parser.parse(file_of(note + END, faster + END, division=0xE728))
    (track,) = parsed.tracks
    assert parsed.ticks_per_second == 1000
    np.testing.assert_allclose(parsed.seconds(notes_of(track).ends), [1.0])
    # The only tempo there is counts from the start.
    assert parsed.ticks_per_quarter == 250
