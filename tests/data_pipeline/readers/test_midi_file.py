import io
import re
import struct
from dataclasses import replace

import mido
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from midi_mutations import mutants

from musicvae.data_pipeline.readers import read_piece
from musicvae.data_pipeline.readers.midi_file import make_pieces, parse_midi
from musicvae.data_pipeline.readers.piece import KeyChange, MeterChange, TempoChange
from musicvae.errors import MidiError
from musicvae.music import midi
from musicvae.music.midi import smf
from musicvae.music.notes import Key, Meter, Note, NoteSequence

END = b"\x00\xff\x2f\x00"
NOTE = b"\x00\x90\x3c\x40\x60\x80\x3c\x40"  # middle C, a quarter note at 96 a quarter
TEMPO_60 = b"\x00\xff\x51\x03\x0f\x42\x40"
TRIPLE = b"\x00\xff\x58\x04\x03\x02\x18\x08"
QUADRUPLE = b"\x00\xff\x58\x04\x04\x02\x18\x08"


def read(data):
    return read_piece(data, "midi", {})


def file_of(*tracks, format_=1, division=96):
    chunks = (b"MTrk" + struct.pack(">I", len(track)) + track for track in tracks)
    head = struct.pack(">4sIHHH", b"MThd", 6, format_, len(tracks), division)
    return head + b"".join(chunks)


def mido_file(*messages, ticks_per_beat=96):
    """A file of one track with these messages."""
    track = mido.MidiTrack(messages)
    buffer = io.BytesIO()
    mido.MidiFile(type=0, ticks_per_beat=ticks_per_beat, tracks=[track]).save(file=buffer)
    return buffer.getvalue()


def notes(count, length=96):
    return [
        message
        for _ in range(count)
        for message in (
            mido.Message("note_on", note=60, velocity=64),
            mido.Message("note_off", note=60, time=length),
        )
    ]


def signature(numerator, denominator, wait=0):
    return mido.MetaMessage(
        "time_signature", numerator=numerator, denominator=denominator, time=wait
    )


def test_parts_have_names_programs_and_drums_and_are_in_order():
    written = NoteSequence(
        notes=tuple(
            sorted(
                [Note(0, 60, 4, 90, program=33), Note(4, 38, 5, 70, is_drum=True)]
                + [Note(0, pitch, 8, 50) for pitch in (67, 64)]
            )
        ),
        length_steps=16,
    )
    piano, bass, drums = read(midi.write(written)).parts
    assert (piano.program, bass.program, drums.program) == (0, 33, 0)
    assert (piano.is_drum, bass.is_drum, drums.is_drum) == (False, False, True)
    assert (piano.name, bass.name, drums.name) == ("Piano", "Bass", "Drums")
    assert piano.pitches.tolist() == [64, 67]
    assert (drums.onsets[0], drums.ends[0], drums.velocities[0]) == (1, 1.25, 70)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 2000), st.integers(0, 127), st.integers(1, 500)),
        min_size=1,
        max_size=30,
    )
)
def test_the_notes_are_those_that_mido_reads(spans):
    free = {}
    events = []
    for start, pitch, length in sorted(spans):
        if start >= free.get(pitch, 0):
            free[pitch] = start + length
            events += [(start, 1, pitch), (start + length, 0, pitch)]
    messages, now = [signature(4, 4)], 0
    expected = []
    for tick, is_on, pitch in sorted(events):
        kind = "note_on" if is_on else "note_off"
        messages.append(mido.Message(kind, note=pitch, velocity=64, time=tick - now))
        now = tick
        if is_on:
            expected.append((tick / 96, pitch))
    (part,) = read(mido_file(*messages)).parts
    assert list(zip(part.onsets.tolist(), part.pitches.tolist(), strict=True)) == expected
    assert (part.ends > part.onsets).all()


def test_a_note_without_length_stays_a_note():
    data = file_of(b"\x00\x90\x3c\x40\x00\x80\x3c\x40" + NOTE + END)
    (part,) = read(data).parts
    assert len(part.onsets) == 2
    assert (part.ends > part.onsets).all()


def test_the_meter_map_is_the_bars():
    piece = read(
        mido_file(
            signature(4, 4), *notes(8), signature(3, 4), *notes(6), signature(6, 8), *notes(3)
        )
    )
    assert piece.meters == (
        MeterChange(0, Meter()),
        MeterChange(2, Meter(3, 4)),
        MeterChange(4, Meter(6, 8)),
    )
    assert piece.bar_lines.tolist() == [0, 4, 8, 11, 14, 17]


def test_a_signature_said_again_changes_nothing():
    again = [message for _ in range(4) for message in (signature(4, 4), *notes(3))]
    piece = read(mido_file(*again))
    assert piece.meters == (MeterChange(0, Meter()),)
    assert piece.bar_lines.tolist() == [0, 4, 8, 12]


def test_a_change_within_a_bar_starts_a_bar():
    piece = read(mido_file(signature(4, 4), *notes(6), signature(3, 4), *notes(3)))
    assert piece.bar_lines.tolist() == [0, 4, 6, 9]
    assert piece.meters[1] == MeterChange(2, Meter(3, 4))


def test_tempos_are_kept_where_they_change():
    def tempo(qpm):
        return mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(qpm))

    piece = read(
        mido_file(signature(4, 4), *notes(4), tempo(90), *notes(2), tempo(90), tempo(60), *notes(2))
    )
    assert piece.tempos == (TempoChange(0.0, 120.0), TempoChange(4.0, 90.0), TempoChange(6.0, 60.0))


def test_keys_are_kept_where_they_change():
    def key(name):
        return mido.MetaMessage("key_signature", key=name)

    piece = read(
        mido_file(key("C"), key("G"), signature(4, 4), *notes(4), key("G"), *notes(4), key("F#m"))
    )
    assert piece.keys == (KeyChange(0.0, Key(7)), KeyChange(8.0, Key(6, is_minor=True)))


def test_bars_begin_where_the_accents_say(melody):
    plain = melody(0, bars=10)
    accented = replace(
        plain,
        notes=tuple(
            replace(note, velocity=105 if note.start_step % 16 == 4 else 80) for note in plain.notes
        ),
    )
    assert read(midi.write(accented)).bar_lines[:3].tolist() == [0, 1, 5]
    assert read(midi.write(plain)).bar_lines[:3].tolist() == [0, 4, 8]


def test_without_a_signature_only_onsets_that_agree_are_4_4():
    chance = np.random.default_rng(0)
    strong = [96 if step % 4 else 48 for step in range(64)]
    agreeing = [m for length in strong for m in notes(1, 2 * length)]
    assert read(mido_file(*agreeing[:40])).missing_meter.startswith("no time signature, and")
    free = [m for length in chance.integers(1, 200, 300) for m in notes(1, int(length))]
    piece = read(mido_file(*free))
    assert "keep no grid" in piece.missing_meter
    assert (piece.meters, len(piece.bar_lines)) == ((), 0)


def test_a_signature_that_the_onsets_deny_is_none():
    chance = np.random.default_rng(0)
    free = [m for length in chance.integers(1, 200, 400) for m in notes(1, int(length))]
    assert "keep no grid" in read(mido_file(signature(4, 4), *free)).missing_meter


def test_a_file_without_notes_has_no_parts():
    piece = read(file_of(END))
    assert (piece.parts, piece.missing_meter) == ((), "")


def test_damaged_files_are_read_or_refused():
    sounding = 0
    for data in mutants(seed=3, count=1000):
        try:
            piece = read(data)
        except MidiError:
            continue
        sounding += bool(piece.parts)
        assert (len(piece.bar_lines) > 1) == bool(piece.meters)
        assert (np.diff(piece.bar_lines) > 0).all()
        for part in piece.parts:
            assert (part.ends > part.onsets).all() and (np.diff(part.onsets) >= 0).all()
    assert sounding > 100


def test_files_that_are_made_together_are_as_each_of_them_is():
    whole = []
    for data in (*mutants(seed=5, count=300), file_of(END), file_of(NOTE + END, END, format_=2)):
        try:
            whole.append((data, parse_midi(data)))
        except MidiError:
            continue
    assert len(whole) > 20
    together = make_pieces([parsed for _, parsed in whole])
    for (data, _), piece in zip(whole, together, strict=True):
        if isinstance(piece, MidiError):
            with pytest.raises(MidiError, match=re.escape(str(piece))):
                read(data)
            continue
        alone = read(data)
        assert piece.bar_lines.tolist() == alone.bar_lines.tolist()
        for name in ("meters", "tempos", "keys", "missing_meter"):
            assert getattr(piece, name) == getattr(alone, name)
        for part, same in zip(piece.parts, alone.parts, strict=True):
            for name in ("onsets", "ends", "pitches", "velocities"):
                np.testing.assert_array_equal(getattr(part, name), getattr(same, name))


def test_a_file_with_notes_past_the_limits_costs_no_other():
    tune = file_of(NOTE * 40 + END)
    late = file_of(b"\xff\xff\xff\x7f" + NOTE[1:] + END, division=1)
    first, error, last = make_pieces([parse_midi(data) for data in (tune, late, tune)])
    assert isinstance(error, MidiError) and "a note past quarter note" in error.found
    np.testing.assert_array_equal(first.parts[0].onsets, last.parts[0].onsets)
    assert len(first.parts[0].onsets) == 40


# Format 2: patterns of their own


def test_patterns_follow_each_other_from_a_bar_line_on():
    first = TRIPLE + TEMPO_60 + NOTE * 4 + END
    second = QUADRUPLE + NOTE * 3 + END
    piece = read(file_of(first, second, format_=2))
    assert [part.onsets.tolist() for part in piece.parts] == [[0, 1, 2, 3], [6, 7, 8]]
    assert piece.bar_lines.tolist() == [0, 3, 6, 10]
    assert piece.meters == (MeterChange(0, Meter(3, 4)), MeterChange(2, Meter()))
    assert piece.tempos == (TempoChange(0.0, 60.0), TempoChange(6.0, 120.0))


def test_silent_patterns_are_passed_over():
    piece = read(file_of(END, TRIPLE + NOTE + END, END, format_=2))
    assert len(piece.parts) == 1
    assert piece.bar_lines.tolist() == [0, 3]
    assert read(file_of(END, END, format_=2)).parts == ()
    assert read(file_of(format_=2)).parts == ()


def test_one_pattern_without_a_meter_leaves_none_to_all():
    piece = read(file_of(TRIPLE + NOTE * 3 + END, NOTE * 3 + END, format_=2))
    assert piece.missing_meter.startswith("no time signature")
    assert (piece.bar_lines.tolist(), piece.meters) == ([], ())


def test_a_damaged_pattern_is_refused():
    with pytest.raises(MidiError):
        read(file_of(TRIPLE + NOTE + END, b"\x00\x3c\x40" + END, format_=2))


# SMPTE: ticks that are parts of a second

DIVISIONS = {
    "24 frames of 80": (0xE850, 24 * 80),
    "25 frames of 40": (0xE728, 25 * 40),
    "30 frames of 10": (0xE20A, 30 * 10),
    "29.97 frames of 100": (0xE364, 30 / 1.001 * 100),
}


def with_waits(ticks):
    track = smf.write_track(
        [
            event
            for start, end in ticks
            for event in ((start, b"\x90\x3c\x40"), (end, b"\x80\x3c\x40"))
        ],
        ticks[-1][1],
    )
    return TRIPLE + track


@pytest.mark.parametrize(("division", "ticks_per_second"), DIVISIONS.values(), ids=DIVISIONS)
def test_ticks_of_a_second_are_quarter_notes_at_120(division, ticks_per_second):
    seconds = [0.0, 0.5, 1.0, 2.0]
    ticks = [(round(s * ticks_per_second), round((s + 0.4) * ticks_per_second)) for s in seconds]
    piece = read(file_of(with_waits(ticks), division=division))
    (part,) = piece.parts
    assert part.onsets.tolist() == pytest.approx([0, 1, 2, 4], abs=0.01)
    assert piece.tempos == (TempoChange(0.0, 120.0),)
    assert piece.bar_lines.tolist() == [0, 3, 6]


def test_the_first_tempo_says_how_long_their_quarter_notes_are():
    ticks = [(0, 400), (1000, 1400), (2000, 2400)]
    later = b"\x00\xff\x51\x03\x07\xa1\x20"
    data = file_of(TEMPO_60 + with_waits(ticks)[:-4] + later + END, division=0xE728)
    piece = read(data)
    assert piece.parts[0].onsets.tolist() == [0, 1, 2]
    assert piece.tempos == (TempoChange(0.0, 60.0),)


@pytest.mark.parametrize("division", [0x0000, 0xFF28, 0xE700, 0x8000])
def test_divisions_that_there_are_not_are_refused(division):
    with pytest.raises(MidiError, match="division"):
        read(file_of(NOTE + END, division=division))


@pytest.mark.parametrize(
    ("markers", "roots", "onsets"),
    [
        (["C", "Am7/G", "N.C."], [0, 9, -1], [0.0, 4.0, 8.0]),
        (["Verse", "C", "Am", "F"], [0, 9, 5], [4.0, 8.0, 12.0]),
        (["C", "verse"], None, None),
        ([], None, None),
    ],
)
def test_markers_are_chords_where_three_of_four_are(markers, roots, onsets):
    marks = [
        mido.MetaMessage("marker", text=text, time=4 * 96 * (number > 0))
        for number, text in enumerate(markers)
    ]
    chords = read(mido_file(*marks, *notes(4 * len(markers) + 4))).chords
    assert (None if chords is None else chords.roots.tolist()) == roots
    if chords is not None:
        assert chords.onsets.tolist() == onsets
