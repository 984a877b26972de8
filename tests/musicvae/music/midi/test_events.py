"""Events that symusic can't read, or reads wrongly: repaired, with a remark."""

import struct

import pytest
import symusic
from hypothesis import given, settings
from hypothesis import strategies as st
from smf_bytes import END, NOTE, chunk, smf

from musicvae.music import midi
from musicvae.music.midi import smf as smf_format
from musicvae.music.midi.chunks import read_chunks
from musicvae.music.midi.events import repair
from musicvae.music.midi.plain import is_plain
from musicvae.music.midi.programs import lend_programs
from musicvae.music.midi.remarks import Remarks
from musicvae.music.notes import Meter, Note

ONE = [Note(0, 60, 4, 64)]
TWO = [*ONE, Note(4, 60, 8, 64)]
RUNNING = b"\x00\x3c\x40\x83\x60\x3c\x00"  # the same note under the status of a note-on
ON = b"\x00\x90\x3c\x40"
SYSEX = b"\x00\xf0\x05\x7e\x7f\x09\x01\xf7"
METER = b"\x00\xff\x58\x04"


def riff(data, *before):
    chunks = b"".join(before) + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"RMID" + chunks


def long_header(data):
    return data[:4] + b"\x00\x00\x00\x0a" + data[8:14] + b"more" + data[14:]


def with_length(data, change):
    size = int.from_bytes(data[18:22], "big") + change
    return data[:18] + size.to_bytes(4, "big") + data[22:]


CASES = {
    "packets": (
        smf(
            b"\x00\xf0\x03\x43\x12\x00\x81\x48\xf7\x02\x43\x12\x81\x58\xf7\x02\x03\xf7" + NOTE + END
        ),
        [Note(3, 60, 7, 64, offset=416 / 120 - 3)],
        {"system_exclusive_packet": 2},
    ),
    "running status after a system exclusive message": (
        smf(ON + b"\x83\x60\x3c\x00" + SYSEX + RUNNING + END), TWO, {"running_status": 1},
    ),
    "running status after a meta event": (
        smf(ON + b"\x83\x60\x3c\x00\x00\xff\x01\x02hi" + RUNNING + END), TWO, {"running_status": 1},
    ),
    "a long header": (long_header(smf(NOTE + END)), ONE, {"header_length": 1}),
    "an envelope": (riff(smf(NOTE + END)), ONE, {"riff_envelope": 1}),
    "an envelope with more in it": (
        riff(smf(NOTE + END), b"INFO\x03\x00\x00\x00abc\x00"), ONE, {"riff_envelope": 1},
    ),
    "a track that claims too much": (with_length(smf(NOTE + END), 3), ONE, {"track_length": 1}),
    "a track that claims far too much": (
        with_length(smf(NOTE + END), 1 << 24), ONE, {"track_length": 1},
    ),
    "a track that claims too little": (with_length(smf(NOTE + END), -6), ONE, {"track_length": 1}),
    "a length that reaches into the next track": (
        with_length(smf(b"\x00\xff\x01\x02hi" + END, NOTE + END), 7), ONE, {"track_length": 1},
    ),
    "a control past 127": (smf(b"\x00\xb0\x07\x80" + NOTE + END), ONE, {"data_byte": 1}),
    "a velocity past 127": (
        smf(b"\x00\x90\x3c\xc0\x83\x60\x80\x3c\x00" + END), [Note(0, 60, 4, 127)], {"data_byte": 1},
    ),
    "a pitch past 127": (
        smf(b"\x00\x90\xbc\x40\x00\x80\xbc\x00" + NOTE + END), ONE, {"data_byte": 2},
    ),
    "a program past 127": (
        smf(b"\x00\xc0\xf0" + NOTE + END), [Note(0, 60, 4, 64, 127)], {"data_byte": 1},
    ),
    "a denominator of 2 to the 32nd": (
        smf(METER + b"\x04\x20\x18\x08" + NOTE + END), ONE, {"time_signature": 1},
    ),
    "a meter of no beats": (
        smf(METER + b"\x00\x02\x18\x08" + NOTE + END), ONE, {"time_signature": 1},
    ),
    "a meter of two bytes": (smf(b"\x00\xff\x58\x02\x04\x02" + NOTE + END), ONE, {"meta_event": 1}),
    "a lost note-off": (
        smf(ON + b"\x83\x60" + NOTE[1:] + END), TWO, {"lost_note_off": 1},
    ),
    "a lost note-off among others": (
        smf(NOTE + ON + b"\x83\x60" + NOTE[1:] + NOTE + END),
        [Note(4 * i, 60, 4 * i + 4, 64) for i in range(4)],
        {"lost_note_off": 1},
    ),
    "a lost note-off behind notes that overlap": (
        smf(
            ON + b"\x78" + ON[1:] + b"\x78\x80\x3c\x00\x81\x70\x80\x3c\x00"
            + ON + b"\x83\x60" + NOTE[1:] + END
        ),
        [Note(0, 60, 2, 64), Note(1, 60, 4, 64), Note(4, 60, 8, 64), Note(8, 60, 12, 64)],
        {"lost_note_off": 1},
    ),
    "a note that nothing ends": (
        smf(b"\x00\x90\x40\x40\x10" + NOTE[1:] + END),
        [Note(0, 60, 4, 64, offset=16 / 120)],
        {"note_without_end": 1},
    ),
    "a last note that nothing ends": (
        smf(NOTE + ON + b"\x83\x60" + END[1:]), TWO, {"note_without_end": 1},
    ),
    "a last note that nothing ends at the end of its track": (
        smf(NOTE + ON + END), [*ONE, Note(4, 60, 5, 64)], {"note_without_end": 1},
    ),
    "drums without note-offs": (
        smf(b"\x00\x99\x24\x40" + b"\x3c\x24\x40" + b"\x83\x60\x24\x40" + END),
        [
            Note(0, 36, 1, 64, is_drum=True),
            Note(1, 36, 2, 64, is_drum=True, offset=-0.5),
            Note(5, 36, 6, 64, is_drum=True, offset=-0.5),
        ],
        {"drum_without_note_off": 3},
    ),
    "a program in another track": (
        smf(b"\x00\xc0\x50\x00\xc1\x21" + END, NOTE + END),
        [Note(0, 60, 4, 64, 80)],
        {"program_of_other_track": 1},
    ),
    "a program in another track with notes": (
        smf(b"\x00\xc0\x50" + NOTE + END, NOTE + END),
        [Note(0, 60, 4, 64, 80)] * 2,
        {"program_of_other_track": 1},
    ),
    "messages of a cable": (
        smf(b"\x00\xf2\x01\x02\x00\xf8" + NOTE + END), ONE, {"system_event": 2},
    ),
    "no end of track": (smf(NOTE), ONE, {"no_end_of_track": 1}),
    "events after the end of track": (smf(NOTE + END + NOTE), ONE, {"after_end_of_track": 1}),
    "an unknown chunk": (
        smf() + chunk(b"ab", b"XFIH") + smf(NOTE + END)[14:], ONE, {"unknown_chunk": 1},
    ),
    "a page behind the last track": (
        smf(NOTE + END) + b"</body></html>", ONE, {"after_last_track": 1},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("data", "notes", "remarks"), CASES.values(), ids=CASES)
def test_what_is_wrong_is_repaired_and_said(data, notes, remarks):
    file = midi.read_tracks(data)
    found = [note for track in file.tracks for note in track.notes.notes]
    assert [
        (n.start_step, n.pitch, n.end_step, n.velocity, n.program, n.is_drum) for n in found
    ] == [(n.start_step, n.pitch, n.end_step, n.velocity, n.program, n.is_drum) for n in notes]
    assert [n.offset for n in found] == pytest.approx([n.offset for n in notes])
    assert {remark.reason: remark.count for remark in file.remarks} == remarks
    assert file.meter == Meter()


@pytest.mark.parametrize("padding", [b"\0" * 9, b"  ", b" \0\0"])
def test_names_lose_their_padding(padding):
    name = b"Vocals" + padding
    file = midi.read_tracks(smf(b"\x00\xff\x03" + bytes([len(name)]) + name + NOTE + END))
    assert (file.tracks[0].name, file.remarks) == ("Vocals", ())


EVENTS = st.one_of(
    st.tuples(st.just(b"\x90"), st.integers(0, 127), st.integers(1, 127)),
    st.tuples(
        st.sampled_from([b"\x80", b"\xb0", b"\xb1", b"\xe0"]),
        st.integers(0, 127),
        st.integers(0, 127),
    ),
    st.tuples(st.sampled_from([b"\xc0", b"\xc1", b"\xd0"]), st.integers(0, 127)),
    st.binary(max_size=300).map(lambda text: (smf_format.meta(5, text),)),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(EVENTS, st.integers(0, 1 << 15), st.booleans()), max_size=12))
def test_the_quick_test_passes_no_file_that_repair_changes(events):
    """What symusic reads of a file that passes is what the event-by-event reader reads."""
    track, status = bytearray(), b""
    for (head, *data), wait, is_running in events:
        track += smf_format.write_track([(wait, b"")], wait)[:-4]
        track += b"" if is_running and head == status else head
        track += bytes(data)
        status = head if data else status
    data = smf(bytes(track) + END, format_=0)
    remarks = Remarks()
    chunks = read_chunks(data, remarks, max_tracks=9)
    repaired = repair(chunks.tracks, remarks, sixteenth=120, most_notes=99, most_programs=99)
    file = midi.read_tracks(data)
    assert file.remarks == remarks.all()
    assert file.tracks == midi.read_tracks(smf(*repaired, format_=0)).tracks


PLAIN = {
    "a program and a control": (NOTE + b"\x00\xc0\x05" + NOTE + b"\x00\xb0\x07\x10" + NOTE,),
    "a note-off too many": (NOTE + b"\x00\x80\x3c\x00",),
    "controls without notes": (b"\x00\xb0\x07\x10", NOTE),
    "running status": (ON + b"\x60\x3c\x00\x00\xb0\x07\x10\x00\x08\x10" + NOTE,),
    "pressures, also under running status": (
        b"\x00\xd0\x05\x00\x06\x81\x00\x07\x00\xa0\x3c\x01" + NOTE,
    ),
    "a long time like a program": (
        b"\x00\xc0\x05\xc8\x00" + NOTE[1:] + b"\xc8\x00\xc0\x05" + NOTE,
    ),
    "long times": (
        b"\xc1\x40" + NOTE[1:] + b"\xd1\x40\xc0\x05\xff\x05" + ON[1:] + b"\xc1\x40\x3c\x00",
    ),
    "a system exclusive message": (SYSEX + NOTE + b"\x00\x80\x3c\x00",),
    "controls, pressures and programs, also under running status, and a note-off too many": (
        b"\x00\xb0\x07\x10\x00\x08\x10\x00\xb1\x07\x10\x00\xc0\x05\x00\x06",
        b"\x00\xd0\x05\x83\xc0\x00\x90\x3c\x40\xc6\x40\x3c\x00\x00\xc0\x05" + NOTE,
        NOTE + b"\x00\x3c\x00",
    ),
}  # fmt: skip
NOT_PLAIN = {
    "a note that nothing ends": (NOTE + b"\x00\x90\x40\x40",),
    "a lost note-off and a note-off too many": (ON + b"\x10" + NOTE[1:] + b"\x00\x80\x40\x00",),
    "running status after a meta event": (ON + b"\x10\x3c\x00\x00\xff\x01\x02hi" + RUNNING,),
    "a system message": (NOTE + b"\x00\xf1\x05\x00\x80\x3c\x00",),
}


def passes(bodies):
    tracks = [body + END for body in bodies]
    return is_plain(tracks, symusic.core.ScoreTick.from_midi(smf(*tracks)))


@pytest.mark.parametrize("bodies", PLAIN.values(), ids=PLAIN)
def test_a_plain_file_needs_no_repair(bodies):
    assert passes(bodies)


@pytest.mark.parametrize("bodies", NOT_PLAIN.values(), ids=NOT_PLAIN)
def test_a_file_that_needs_repair_is_not_plain(bodies):
    assert not passes(bodies)


SOUNDING = b"\x00\x90\x3c\x00" + NOTE
"""A channel that begins with a note-off, written as a note-on."""
LENT = {
    "at the start": ((b"\x00\xc0\x05", NOTE), 5),
    "behind a note-off without its own status": ((b"\x00\xc0\x05", SOUNDING), 5),
    "behind a meta event": ((b"\x00\xff\x01\x02hi\x00\xb0\x07\x10\x00\xc0\x05", NOTE), 5),
    "on a channel among several": ((b"\x00\xc1\x04\x00\xc0\x05", b"\x00\xb1\x07\x10" + NOTE), 5),
    "on another channel": ((b"\x00\xc1\x05", NOTE), 0),
    "later": ((b"\x81\x70\xc0\x05", NOTE), 0),
    "twice": ((b"\x00\xc0\x04\x00\xc0\x05", NOTE), 5),
}  # fmt: skip


@pytest.mark.parametrize(("bodies", "program"), LENT.values(), ids=LENT)
def test_a_lent_program_is_the_program_that_repair_gives(bodies, program):
    tracks = [body + END for body in bodies]
    remarks = Remarks()
    repaired = repair(tracks, remarks, sixteenth=120, most_notes=99, most_programs=99)
    file = midi.read_tracks(smf(*tracks))
    assert [track.notes.notes[0].program for track in file.tracks] == [program]
    assert file.remarks == remarks.all()
    assert file.tracks == midi.read_tracks(smf(*repaired)).tracks


def test_a_program_is_lent_without_a_walk_over_the_events():
    lent = lend_programs([b"\x00\xc0\x05" + END, NOTE + END])
    assert lent == ([b"\x00\xc0\x05" + END, b"\x00\xc0\x05" + NOTE + END], ["channel 1, track 2"])
    assert lend_programs([b"\x10\xc0\x05" + END, NOTE + END]) is None
