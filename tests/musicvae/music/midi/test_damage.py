"""Hostile and odd bytes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from smf_bytes import END, NOTE, chunk, smf

from musicvae.errors import MidiError, SettingError
from musicvae.music import midi
from musicvae.music.midi.limits import MidiLimits
from musicvae.music.notes import Meter, Note, NoteSequence

LONG_WAIT = b"\xff\xff\xff\x7f"
WAITS = (LONG_WAIT + b"\xff\x01\x00") * 15

REFUSED = {
    "empty": (b"", "no bytes"),
    "text": (b"<html>not found</html>", "starts with b'MThd'"),
    "no header chunk": (smf(NOTE + END)[14:], "starts with b'MThd'"),
    "header cut short": (smf(NOTE + END)[:11], "starts with b'MThd'"),
    "header longer than the file": (smf(NOTE + END, header_size=800), "header chunk of 800 bytes"),
    "RIFF without MIDI": (b"RIFF\x04\0\0\0WAVE", "RIFF file without MIDI"),
    "many values past 127": (smf(b"\x00\x90\x3c\xc0" * 9 + NOTE + END), "data bytes over 127"),
    "format 2": (smf(NOTE + END, format_=2), "MIDI format 2"),
    "unknown format": (smf(NOTE + END, format_=28673), "MIDI format 28673"),
    "frames a second": (smf(NOTE + END, division=0xE728), "frames a second"),
    "no division": (smf(NOTE + END, division=0), "division of 0"),
    "track cut short": (smf(NOTE + END)[:-9], "damaged"),
    "chunk cut short": (smf(NOTE + END)[:18], "damaged"),
    "running status without a status": (smf(b"\x00\x3c\x40" + NOTE + END), "no running status"),
    "unknown event": (smf(b"\x00\xf4" + NOTE + END), "damaged"),
    "text longer than the file": (smf(b"\x00\xff\x01\xff\xff\xff\x7fabc"), "damaged"),
    "system exclusive without an end": (smf(b"\x00\xf0\x85\x00" + NOTE + END), "damaged"),
    "note after an hour-long wait": (smf(LONG_WAIT + NOTE[1:] + END), "past quarter note"),
    "waits past 32 bits": (smf(WAITS + LONG_WAIT + NOTE[1:] + END), "past quarter note"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "match"), REFUSED.values(), ids=REFUSED)
def test_damaged_bytes_are_refused(data, match):
    with pytest.raises(MidiError, match=match):
        midi.read(data)
    assert midi.read_provenance(data) is None


def test_no_message_is_a_library_s():
    for data, _ in REFUSED.values():
        with pytest.raises(MidiError) as caught:
            midi.read(data)
        assert "MiniMidi" not in str(caught.value)


ODD = {
    "no end of track": smf(NOTE),
    "events after the end of track": smf(NOTE + END + NOTE),
    "more tracks claimed than there are": smf(NOTE + END, count=9),
    "fewer tracks claimed than there are": smf(NOTE + END, count=0),
    "a web page behind the last track": smf(NOTE + END) + b"</body></html>",
    "an unknown chunk": smf(NOTE + END)[:14] + chunk(b"ab", b"XFIH") + smf(NOTE + END)[14:],
    "a name in no encoding": smf(b"\x00\xff\x03\x02\xff\xfe" + NOTE + END),
    "tempo of 0": smf(b"\x00\xff\x51\x03\x00\x00\x00" + NOTE + END),
    "a denominator of 2 to the 31st": smf(b"\x00\xff\x58\x04\x04\x1f\x18\x08" + NOTE + END),
    "a denominator of 2 to the 255th": smf(b"\x00\xff\x58\x04\x04\xff\x18\x08" + NOTE + END),
    "a meter of no beats": smf(b"\x00\xff\x58\x04\x00\x02\x18\x08" + NOTE + END),
    "a key of nine sharps": smf(b"\x00\xff\x59\x02\x09\x00" + NOTE + END),
    "a key in mode 5": smf(b"\x00\xff\x59\x02\x01\x05" + NOTE + END),
    "the longest division": smf(b"\x00\x90\x3c\x40\x81\xff\x7f\x80\x3c\x40" + END, division=0x7FFF),
}


@pytest.mark.parametrize("data", ODD.values(), ids=ODD)
def test_what_is_odd_but_harmless_is_read(data):
    file = midi.read_tracks(data)
    assert [track.notes.notes for track in file.tracks] == [(Note(0, 60, 4, 64),)]
    assert (file.meter, file.key, file.qpm) == (Meter(), None, 120.0)


@pytest.mark.parametrize("kind", [0x51, 0x58, 0x59])
def test_an_event_cut_off_by_the_end_of_the_file_reads_nothing_beyond(kind):
    file = midi.read_tracks(smf(bytes([0, 0xFF, kind, 0])))
    assert file.tracks == ()


def test_a_file_without_notes_has_no_tracks():
    assert midi.read_tracks(smf()).tracks == ()
    assert midi.read_tracks(smf(END, END)).tracks == ()
    assert midi.read(smf(END)) == NoteSequence((), 0)


@pytest.mark.parametrize(
    ("limits", "match"),
    [
        (MidiLimits(max_bytes=50), "bytes"),
        (MidiLimits(max_notes=3), "4 notes"),
        (MidiLimits(max_tracks=1), "more than 1 tracks"),
        (MidiLimits(max_length_quarters=3), "quarter note 3"),
        (MidiLimits(max_program_changes=1), "2 program changes"),
    ],
)
def test_limits(limits, match):
    data = smf(b"\x00\xc0\x01" + NOTE * 3 + END, b"\x00\xc1\x02" + b"\x8b\x20" + NOTE[1:] + END)
    assert len(midi.read(data).notes) == 4
    with pytest.raises(MidiError, match=match):
        midi.read(data, limits=limits)


def test_limits_are_at_least_one():
    with pytest.raises(SettingError, match="max_notes=0"):
        MidiLimits(max_notes=0)


def test_thousands_of_programs_do_not_balloon():
    # Each change of program makes symusic start another track: 2 GB for a file of 4 MB.
    parts = b"".join(bytes([0, 0xC0, p, 0, 0x90, 60, 64, 1, 0x80, 60, 0]) for p in range(128))
    with pytest.raises(MidiError, match="program changes"):
        midi.read(smf(*[parts + END] * 500))


def test_ten_thousand_damaged_files_are_read_or_refused():
    program = Path(__file__).parents[3] / "support" / "midi_mutations.py"
    done = subprocess.run(
        [sys.executable, str(program), "2018", "10000"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    result = json.loads(done.stdout)  # nothing else is printed
    counts = result["counts"]
    assert sum(counts.values()) == 10_000
    assert (
        counts["read"] > 500
    )  # the damage is not all so crude that nothing past the header is reached
    assert counts["refused"] > 500
    assert result["growth_mib"] < 256
    assert result["slowest_s"] < 1
