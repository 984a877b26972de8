"""Counting submessages on the wire agrees with the objects that the parser makes."""

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from musicvae.server.wire import has_more_messages
from musicvae.v1 import musicvae_pb2 as pb

NUMBERS = st.integers(0, 2**32 - 1)
METERS = st.builds(pb.Meter, numerator=NUMBERS, denominator=NUMBERS)
SEQUENCES = st.builds(
    pb.NoteSequence,
    notes=st.lists(st.builds(pb.Note, start_step=NUMBERS, offset=st.floats()), max_size=9),
    chords=st.lists(st.builds(pb.Chord, symbol=st.text(max_size=200)), max_size=5),
    bar_changes=st.lists(st.builds(pb.BarChange, meter=METERS), max_size=5),
    qpm=st.floats(),
)
EXCERPTS = st.one_of(
    st.builds(pb.Excerpt, midi=st.binary(max_size=300), start_bar=NUMBERS),
    st.builds(pb.Excerpt, notes=SEQUENCES),
)
POINTS = st.one_of(
    st.builds(pb.Point, excerpt=EXCERPTS),
    st.builds(pb.Point, latent=st.builds(pb.Latent, values=st.lists(st.floats(width=32)))),
)
MESSAGES = st.one_of(
    st.builds(pb.InterpolateRequest, points=st.lists(POINTS, max_size=5), seed=NUMBERS),
    st.builds(
        pb.TransformRequest,
        point=POINTS,
        amounts=st.dictionaries(st.text(max_size=9), st.floats(), max_size=5),
    ),
)


def count(message):
    """The submessages of a parsed message."""
    found = 0
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            found += len(value)
        else:
            values = value if field.is_repeated else [value]
            found += sum(1 + count(each) for each in values)
    return found


@given(MESSAGES)
def test_count_is_the_parsers(message):
    data, found = message.SerializeToString(), count(message)
    assert not has_more_messages(data, message.DESCRIPTOR, found)
    assert found == 0 or has_more_messages(data, message.DESCRIPTOR, found - 1)


def test_unknown_fields_and_groups_count_nothing_of_ours():
    groups = bytes([14 << 3 | 3, 14 << 3 | 4]) * 50
    unknown = b"\xfa\x01\x02\x0a\x00" * 50
    fixed = bytes([15 << 3 | 1]) + bytes(8) + bytes([15 << 3 | 5]) + bytes(4)
    data = groups + unknown + fixed + pb.EncodeRequest(excerpt=pb.Excerpt()).SerializeToString()
    assert not has_more_messages(data, pb.EncodeRequest.DESCRIPTOR, 1)
    assert has_more_messages(data, pb.EncodeRequest.DESCRIPTOR, 0)


@pytest.mark.parametrize(
    "data", [b"\x7a\x05\x0a", b"\x12", b"\x12\x80", b"\x0f\x00\x00", b"\x09\x00"]
)
def test_bytes_that_are_no_message_are_told(data):
    with pytest.raises(DecodeError):
        has_more_messages(data, pb.EncodeRequest.DESCRIPTOR, 0)
