import io
import random
import zipfile

import pytest

from musicvae.data_pipeline.score import read_musicxml
from musicvae.errors import ScoreError
from musicvae.notes import Key, Meter

NAMES = {60: ("C", 0, 4), 62: ("D", 0, 4), 64: ("E", 0, 4), 66: ("F", 1, 4), 72: ("C", 0, 5)}


def note_xml(pitch, length, extra=""):
    """A note of so many 16ths; extra elements stand between pitch and duration."""
    if pitch is None:
        return f"<note><rest/><duration>{length}</duration><voice>1</voice></note>"
    step, alter, octave = NAMES[pitch]
    return (
        f"<note>{extra}<pitch><step>{step}</step><alter>{alter}</alter><octave>{octave}</octave>"
        f"</pitch><duration>{length}</duration><voice>1</voice></note>"
    )


def score_xml(*measures, meter=(4, 4), attributes=""):
    body = "".join(
        f'<measure number="{number}">{_attributes(meter, attributes) if number == 1 else ""}'
        f"{measure}</measure>"
        for number, measure in enumerate(measures, 1)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><score-partwise version="3.1"><part-list>'
        '<score-part id="P1"><part-name>Voice</part-name></score-part></part-list>'
        f'<part id="P1">{body}</part></score-partwise>'
    ).encode()


def _attributes(meter, attributes):
    time = f"<time><beats>{meter[0]}</beats><beat-type>{meter[1]}</beat-type></time>"
    key = "<key><fifths>1</fifths><mode>minor</mode></key>"
    return (
        f"<attributes><divisions>4</divisions>{key}{time if meter else ''}{attributes}</attributes>"
    )


def compress(data, container="<container/>"):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("META-INF/container.xml", container)
        archive.writestr("score.xml", data)
    return buffer.getvalue()


def notes_of(data):
    (part,) = read_musicxml(data).parts
    return [(note.start_step, note.pitch, note.end_step) for note in part.notes.notes]


FOUR = note_xml(60, 4) + note_xml(62, 4) + note_xml(None, 4) + note_xml(64, 4)


def test_notes_meter_key_and_bars():
    piece = read_musicxml(score_xml(FOUR, FOUR))
    (part,) = piece.parts
    assert piece.meters == (Meter(4, 4),)
    assert part.name == "Voice"
    assert part.bar_lines == (0, 16, 32)
    assert part.notes.key == Key(4, is_minor=True)
    assert notes_of(score_xml(FOUR)) == [(0, 60, 4), (4, 62, 8), (12, 64, 16)]


def test_a_compressed_score_is_read_even_if_its_container_is_damaged():
    plain = notes_of(score_xml(FOUR))
    assert notes_of(compress(score_xml(FOUR))) == plain
    assert notes_of(compress(score_xml(FOUR), container="<container name='a&b'>")) == plain


def test_ties_make_one_note_and_grace_notes_none():
    tied = note_xml(60, 16, "").replace("<voice>", '<tie type="start"/><voice>')
    end = note_xml(60, 8).replace("<voice>", '<tie type="stop"/><voice>')
    grace = note_xml(72, 0, "<grace/>").replace("<duration>0</duration>", "")
    assert notes_of(score_xml(tied, end + grace + note_xml(62, 8))) == [(0, 60, 24), (24, 62, 32)]


def test_chord_symbols_are_left_out():
    harmony = "<harmony><root><root-step>C</root-step></root><kind>major</kind></harmony>"
    assert notes_of(score_xml(harmony + FOUR)) == notes_of(score_xml(FOUR))


def test_a_pickup_is_a_short_bar():
    (part,) = read_musicxml(score_xml(note_xml(60, 4), FOUR)).parts
    assert part.bar_lines == (0, 4, 20)


def test_two_voices_sound_together():
    backup = "<backup><duration>16</duration></backup>"
    second = note_xml(72, 16).replace("<voice>1", "<voice>2")
    assert (0, 72, 16) in notes_of(score_xml(FOUR + backup + second))


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "no element found"),
        (b"<score-partwise>", "no element found"),
        (b"<html/>", "a root named html"),
        (b"PK\x03\x04 and nothing else", "zip file"),
        (compress(b"<a"), "damaged MusicXML"),
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
    with pytest.raises(ScoreError, match="damaged"):
        read_musicxml(data.encode())


def test_damaged_archives_raise_our_error():
    chance = random.Random(0)
    whole = compress(score_xml(FOUR, FOUR))
    for _ in range(100):
        data = bytearray(whole)
        for _ in range(4):
            data[chance.randrange(4, len(data))] = chance.randrange(256)
        try:
            read_musicxml(bytes(data))
        except ScoreError:
            continue
