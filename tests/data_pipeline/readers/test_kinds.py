import io
import time
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musicvae.data_pipeline.readers import KINDS, kind_of, read_piece
from musicvae.errors import MusicVAEError
from musicvae.music import midi
from musicvae.music.notes import Note, NoteSequence

SCORE = (
    "<score-partwise><part-list/><part id='P1'><measure><attributes><divisions>1</divisions>"
    "<time><beats>4</beats><beat-type>4</beat-type></time></attributes><note><pitch><step>C</step>"
    "<octave>4</octave></pitch><duration>4</duration></note></measure></part></score-partwise>"
)
TUNE = "X:1\nT:A\nM:4/4\nL:1/4\nK:C\nCDEF|\n"
KERN = "**kern\n*M4/4\n=1\n1c\n==\n*-\n"
PATTERN = (
    "<drumkit_pattern><pattern><size>192</size><noteList><note><position>0</position>"
    "<instrument>0</instrument></note></noteList></pattern></drumkit_pattern>"
)


def packed(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("_", "/").replace("0", "."), text)
    return buffer.getvalue()


MUSIC = {
    "midi": [midi.write(NoteSequence(notes=(Note(0, 60, 4),), length_steps=16))],
    "musicxml": [
        SCORE,
        f'\n<?xml version="1.0"?>\n<!DOCTYPE score-partwise PUBLIC "a" "b">\n{SCORE}',
        f"<!-- by hand -->{SCORE}",
        f'<?xml version="1.0" encoding="UTF-16"?>{SCORE}'.encode("utf-16"),
        b"\xef\xbb\xbf" + SCORE.encode(),
        packed(**{"META-INF_container0xml": "<container/>", "score0xml": SCORE}),
        packed(score0musicxml=SCORE),
    ],
    "abc": [
        TUNE,
        f"%abc-2.1\n\n{TUNE}",
        f"% A book of tunes\n% of many\n\n{TUNE}",
        f"From: someone\nSubject: a tune that you asked for\n\nHere it is.\n\n{TUNE}",
        f"%%titlefont Times\nM:4/4\nR:reel\n\n{TUNE}",
        TUNE.replace("\n", "\r\n"),
        TUNE.replace("\n", "\r"),
        TUNE.replace("\nT:", "\n% the title\nT:"),
        b"\xef\xbb\xbf" + TUNE.encode(),
    ],
    "kern": [KERN, f"!!!COM: Anyone\n!! a remark\n{KERN}", KERN.replace("\n", "\r\n")],
    "h2pattern": [PATTERN, f'<?xml version="1.0"?>\n{PATTERN}'],
}
NO_MUSIC = [
    "",
    "not music",
    "PK",
    "PK\x03\x04",
    "# Tunes\n\nEach begins with X: and its number.\n",
    "X: the unknown\nY: another\n",
    "X: 1\nand a line without a field\n",
    "<html><body>X:1</body></html>",
    "<html>\nX:1\nT:A\n</html>",
    '<?xml version="1.0"?><svg/>',
    '{"X": 1}',
    "name,X:1,T:2\n",
    packed(readme0txt="X:1\n"),
    packed(songs_a0mid="MThd"),
    b"RIFF$\x00\x00\x00WAVEdata",
    bytes(4096),
]


def cases():
    return [(kind, data) for kind, pieces in MUSIC.items() for data in pieces]


def as_bytes(data):
    return data if isinstance(data, bytes) else data.encode()


@pytest.mark.parametrize(("kind", "data"), cases())
def test_the_content_tells_the_kind_and_its_reader_reads_it(kind, data):
    data = as_bytes(data)
    assert kind_of(data[:4096]) == kind
    piece = read_piece(data, kind, {})
    assert sum(len(part.onsets) for part in piece.parts) > 0


def test_all_kinds_are_tried():
    assert set(MUSIC) == set(KINDS)


@pytest.mark.parametrize("data", NO_MUSIC)
def test_other_files_have_no_kind(data):
    assert kind_of(as_bytes(data)[:4096]) is None


@pytest.mark.parametrize("line", ["X:1\n", "%\n", "\n", " ", "X:1\n%\n", "<!--", "**kerm\n", "X:1"])
def test_no_text_takes_long(line):
    text = (line * 4096)[:4096].encode()
    start = time.perf_counter()
    kind_of(text)
    assert time.perf_counter() - start < 0.05


@given(st.binary(max_size=200), st.sampled_from(KINDS))
def test_any_bytes_are_read_or_refused(data, kind):
    kind_of(data)
    try:
        read_piece(data, kind, {})
    except MusicVAEError:
        return
