import io
import random
import zipfile

import pytest

from musicvae.data_pipeline.readers.musicxml import read_musicxml
from musicvae.data_pipeline.readers.piece import KeyChange, MeterChange, TempoChange
from musicvae.errors import ScoreError
from musicvae.music.chords import QUALITIES
from musicvae.music.notes import Key, Meter

NAMES = {60: ("C", 0, 4), 62: ("D", 0, 4), 64: ("E", 0, 4), 66: ("F", 1, 4), 72: ("C", 0, 5)}
BACKUP = "<backup><duration>16</duration></backup>"
KEY = "<key><fifths>1</fifths><mode>minor</mode></key>"
TIME = "<time><beats>4</beats><beat-type>4</beat-type></time>"
TWO_AND_THREE = (
    "<time><beats>2</beats><beat-type>4</beat-type><beats>3</beats><beat-type>8</beat-type></time>"
)
METRONOME = (
    "<direction><direction-type><metronome><beat-unit>quarter</beat-unit><beat-unit-dot/>"
    "<per-minute>c. 60</per-minute></metronome></direction-type></direction>"
)


def note_xml(pitch, length, extra=""):
    """A note of so many 16ths; extra elements stand before its pitch."""
    if pitch is None:
        return f"<note><rest/><duration>{length}</duration><voice>1</voice></note>"
    step, alter, octave = NAMES[pitch]
    return (
        f"<note>{extra}<pitch><step>{step}</step><alter>{alter}</alter><octave>{octave}</octave>"
        f"</pitch><duration>{length}</duration><voice>1</voice></note>"
    )


def score_xml(*measures, time=TIME, key=KEY, attributes="", player="", name="Voice"):
    first = f"<attributes><divisions>4</divisions>{key}{time}{attributes}</attributes>{measures[0]}"
    body = "".join(
        f'<measure number="{number}">{measure}</measure>'
        for number, measure in enumerate((first, *measures[1:]), 1)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><score-partwise version="3.1"><part-list>'
        f'<score-part id="P1"><part-name>{name}</part-name>{player}</score-part></part-list>'
        f'<part id="P1">{body}</part></score-partwise>'
    ).encode()


def compress(data, container="<container/>"):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("META-INF/container.xml", container)
        archive.writestr("score.xml", data)
    return buffer.getvalue()


def notes_of(data):
    """Onset, pitch and end of each note of the one part, in 16ths."""
    (part,) = read_musicxml(data).parts
    columns = ((4 * part.onsets).tolist(), part.pitches.tolist(), (4 * part.ends).tolist())
    return list(zip(*columns, strict=True))


FOUR = note_xml(60, 4) + note_xml(62, 4) + note_xml(None, 4) + note_xml(64, 4)


def test_notes_meter_key_and_bars():
    piece = read_musicxml(score_xml(FOUR, FOUR))
    (part,) = piece.parts
    assert part.name == "Voice"
    assert piece.meters == (MeterChange(0, Meter()),)
    assert piece.bar_lines.tolist() == [0, 4, 8]
    assert piece.keys == (KeyChange(0.0, Key(4, is_minor=True)),)
    assert notes_of(score_xml(FOUR)) == [(0, 60, 4), (4, 62, 8), (12, 64, 16)]


@pytest.mark.parametrize("mode", ["", "<mode>major</mode>", "<mode>dorian</mode>"])
def test_a_mode_is_known_only_where_it_is_minor(mode):
    bare = f"<key><fifths>1</fifths>{mode}</key>"
    signature = KeyChange(0.0, Key(7), has_mode=False)
    assert read_musicxml(score_xml(FOUR, key=bare)).keys == (signature,)


def test_a_signature_is_moved_with_a_transposing_instrument():
    bare = "<key><fifths>1</fifths></key>"
    moved = "<transpose><chromatic>-2</chromatic></transpose>"
    (change,) = read_musicxml(score_xml(FOUR, key=bare, attributes=moved)).keys
    assert change == KeyChange(0.0, Key(5), has_mode=False)


def test_key_elements_without_fifths_are_no_key():
    odd = "<key><key-step>C</key-step><key-alter>1</key-alter></key>"
    assert read_musicxml(score_xml(FOUR, key=odd)).keys == ()


def test_a_compressed_score_is_read_even_if_its_container_is_damaged():
    plain = notes_of(score_xml(FOUR))
    assert notes_of(compress(score_xml(FOUR))) == plain
    assert notes_of(compress(score_xml(FOUR), container="<container name='a&b'>")) == plain


def test_a_score_by_measures_reads_as_one_by_parts():
    by_parts = score_xml(FOUR, FOUR).decode()
    by_measures = (
        by_parts.replace("score-partwise", "score-timewise")
        .replace('<part id="P1"><measure', "<measure")
        .replace("</measure></part>", "</measure>")
        .replace("</measure>", "</part></measure>")
    )
    for number in (1, 2):
        tag = f'<measure number="{number}">'
        by_measures = by_measures.replace(tag, f'{tag}<part id="P1">')
    assert notes_of(by_measures.encode()) == notes_of(by_parts.encode())


def test_ties_make_one_note_and_grace_and_cue_notes_none():
    tied = note_xml(60, 16, "").replace("<voice>", '<tie type="start"/><voice>')
    end = note_xml(60, 8).replace("<voice>", '<tie type="stop"/><voice>')
    grace = note_xml(72, 0, "<grace/>").replace("<duration>0</duration>", "")
    cue = note_xml(72, 8, "<cue/>")
    score = score_xml(tied, end + grace + note_xml(62, 8), cue + note_xml(64, 8))
    assert notes_of(score) == [(0, 60, 24), (24, 62, 32), (40, 64, 48)]


def test_a_chord_sounds_together():
    assert notes_of(score_xml(note_xml(60, 8) + note_xml(64, 8, "<chord/>"))) == [
        (0, 60, 8),
        (0, 64, 8),
    ]


def test_triplets_are_exact():
    third = "<attributes><divisions>3</divisions></attributes>"
    piece = read_musicxml(score_xml(third + "".join(note_xml(p, 1) for p in (60, 62, 64))))
    assert piece.parts[0].onsets.tolist() == [0, 1 / 3, 2 / 3]


def test_a_pickup_is_a_short_bar():
    assert read_musicxml(score_xml(note_xml(60, 4), FOUR)).bar_lines.tolist() == [0, 1, 5]


def test_each_voice_of_each_staff_is_a_part():
    second = note_xml(72, 16).replace("<voice>1", "<voice>2")
    lower = note_xml(66, 16).replace("</voice>", "</voice><staff>2</staff>")
    piece = read_musicxml(score_xml(FOUR + BACKUP + second + BACKUP + lower))
    assert {part.name: part.pitches.tolist() for part in piece.parts} == {
        "Voice, staff 1, voice 1": [60, 62, 64],
        "Voice, staff 1, voice 2": [72],
        "Voice, staff 2, voice 1": [66],
    }


def test_instruments_sound_as_they_do():
    transposed = "<transpose><chromatic>-2</chromatic></transpose>"
    piece = read_musicxml(
        score_xml(
            FOUR,
            attributes=transposed,
            player='<midi-instrument id="I1"><midi-program>74</midi-program></midi-instrument>',
        )
    )
    (part,) = piece.parts
    assert (part.program, part.is_drum) == (73, False)
    assert part.pitches.tolist() == [58, 60, 62]
    assert piece.keys[0].key == Key(2, is_minor=True)


HIT = "<note><unpitched><display-step>C</display-step></unpitched><duration>4</duration>{}</note>"


def drum_score(measure, **keys):
    player = "".join(
        f'<midi-instrument id="{name}"><midi-channel>10</midi-channel>'
        f"<midi-unpitched>{key + 1}</midi-unpitched></midi-instrument>"
        for name, key in keys.items()
    )
    return read_musicxml(score_xml(measure, player=player))


def test_instruments_without_pitch_are_drums():
    measure = "".join(HIT.format(f'<instrument id="{each}"/>') for each in ("Kick", "Snare", "no"))
    piece = drum_score(measure, Kick=36, Snare=38)
    (part,) = piece.parts
    assert part.is_drum
    assert part.pitches.tolist() == [36, 38]
    (remark,) = piece.remarks
    assert (remark.reason, remark.count) == ("note_without_instrument", 1)


def test_hits_that_name_no_instrument_are_of_the_only_one():
    piece = drum_score(8 * HIT.format(""), Snare=38)
    assert piece.parts[0].pitches.tolist() == [38] * 8
    assert piece.remarks == ()


def test_hits_that_name_none_of_several_instruments_are_counted():
    named = HIT.format('<instrument id="Kick"/>')
    piece = drum_score(named + 8 * HIT.format(""), Kick=36, Snare=38)
    assert piece.parts[0].pitches.tolist() == [36]
    (remark,) = piece.remarks
    assert (remark.reason, remark.count) == ("note_without_instrument", 8)


@pytest.mark.parametrize(
    ("text", "qpm"),
    [
        ('<sound tempo="96"/>', 96),
        ('<direction><sound tempo="72.5"/></direction>', 72.5),
        (METRONOME, 90),
    ],
)
def test_tempos_are_quarter_notes_a_minute(text, qpm):
    assert read_musicxml(score_xml(text + FOUR)).tempos == (TempoChange(0.0, float(qpm)),)


def test_changes_of_meter_start_bars():
    change = TIME.replace("<beats>4", "<beats>3")
    piece = read_musicxml(
        score_xml(FOUR, f"<attributes>{change}</attributes>" + note_xml(60, 12), note_xml(60, 12))
    )
    assert piece.meters == (MeterChange(0, Meter()), MeterChange(1, Meter(3, 4)))
    assert piece.bar_lines.tolist() == [0, 4, 7, 10]


@pytest.mark.parametrize(
    ("time", "meter"),
    [
        ("<time><beats>3+2</beats><beat-type>8</beat-type></time>", Meter(5, 8)),
        (TWO_AND_THREE, Meter(7, 8)),
    ],
)
def test_meters_of_several_numbers_are_added(time, meter):
    assert read_musicxml(score_xml(FOUR, time=time)).meters == (MeterChange(0, meter),)


def test_without_a_meter_only_measures_of_four_quarter_notes_show_one():
    assert read_musicxml(score_xml(*[FOUR] * 8, time="")).meters == (MeterChange(0, Meter()),)
    waltz = [note_xml(60, 12)] * 8
    piece = read_musicxml(score_xml(*waltz, time=""))
    assert "no time signature" in piece.missing_meter
    assert piece.meters == ()
    senza = "<time><senza-misura/></time>"
    assert read_musicxml(score_xml(*waltz, time=senza)).missing_meter


def test_harmony_is_the_chords():
    def harmony(root, kind, more=""):
        return (
            f"<harmony><root><root-step>{root}</root-step></root><kind>{kind}</kind>{more}"
            "</harmony>"
        )

    bass = "<bass><bass-step>E</bass-step><bass-alter>-1</bass-alter></bass>"
    measure = (
        harmony("C", "minor", bass) + note_xml(60, 8) + harmony("G", "dominant") + note_xml(60, 8)
    )
    line = read_musicxml(score_xml(measure, harmony("C", "none") + FOUR)).chords
    assert line.onsets.tolist() == [0, 2, 4]
    assert line.roots.tolist() == [0, 7, -1]
    assert [list(QUALITIES)[each] for each in line.qualities[:2]] == ["min", "7"]
    assert line.basses.tolist() == [3, 7, -1]
    assert notes_of(score_xml(harmony("C", "major") + FOUR)) == notes_of(score_xml(FOUR))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_any_encoding_that_is_declared_is_read(encoding):
    text = score_xml(FOUR, name="Flöte").decode()
    declared = {"utf-8-sig": "utf-8"}.get(encoding, encoding)
    data = text.replace("UTF-8", declared).encode(encoding)
    assert read_musicxml(data).parts[0].name == "Flöte"


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "no element found"),
        (b"<score-partwise>", "no element found"),
        (b"<html/>", "a root named html"),
        (b"PK\x03\x04 and nothing else", "zip file"),
        (compress(b"<a"), "damaged XML"),
        (score_xml(FOUR).replace(b"<divisions>4", b"<divisions>0"), "0 divisions"),
        (score_xml(FOUR).replace(b"<duration>4", b"<duration>1e999999999"), "the number"),
        (score_xml(FOUR).replace(b"<duration>4", b"<duration>-4"), "below 0"),
        (score_xml(FOUR).replace(b"<step>C", b"<step>H"), "a pitch named"),
        (score_xml(FOUR).replace(b"UTF-8", b"KLINGON"), "damaged XML"),
    ],
)
def test_what_is_no_score_is_refused(data, found):
    with pytest.raises(ScoreError, match=found):
        read_musicxml(data)


def test_a_score_that_grows_a_thousandfold_is_refused():
    bomb = compress(b" " * (65 * 1024 * 1024))
    assert len(bomb) < 100_000
    with pytest.raises(ScoreError, match="bytes of XML"):
        read_musicxml(bomb)


def test_more_elements_than_any_score_has_are_refused():
    with pytest.raises(ScoreError, match="tags"):
        read_musicxml(b"<score-partwise>" + b"<a/>" * 800_000 + b"</score-partwise>")


def test_a_measure_without_end_is_refused():
    long = "<forward><duration>999999999</duration></forward>"
    with pytest.raises(ScoreError, match="without end"):
        read_musicxml(score_xml(long + FOUR))


def test_an_archive_without_a_score_is_refused():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("readme.txt", "no score")
    with pytest.raises(ScoreError, match="without a score"):
        read_musicxml(buffer.getvalue())


def test_entities_that_grow_are_refused():
    entities = "".join(
        f'<!ENTITY a{n} "{f"&a{n - 1};" * 10 if n else "ha" * 50}">' for n in range(12)
    )
    data = f"<!DOCTYPE x [{entities}]><score-partwise>&a11;</score-partwise>"
    with pytest.raises(ScoreError, match="declares entities"):
        read_musicxml(data.encode())


@pytest.mark.parametrize("is_compressed", [False, True])
def test_damaged_scores_are_read_or_refused(is_compressed):
    chance = random.Random(0)
    whole = score_xml(FOUR, FOUR)
    whole = compress(whole) if is_compressed else whole
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            read_musicxml(bytes(data))
        except ScoreError:
            continue
