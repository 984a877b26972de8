"""Counts the submessages of a request on the wire, before objects are made of them."""

from __future__ import annotations

from functools import cache

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError

_VARINT, _FIXED64, _LENGTH, _START_GROUP, _END_GROUP, _FIXED32 = range(6)
_SIZES = {_FIXED64: 8, _FIXED32: 4, _START_GROUP: 0, _END_GROUP: 0}


def has_more_messages(data: bytes, kind: Descriptor, most: int) -> bool:
    """Whether a message holds more than `most` submessages of fields that the contract knows.

    Two bytes become an object of some sixty. Unknown fields stay bytes, and count nothing.

    Raises:
        DecodeError: If the bytes are no message.
    """
    if len(data) <= 2 * most:  # the shortest submessage has two bytes
        return False
    found = 0
    parts = [(0, len(data), kind)]
    while parts:
        at, end, kind = parts.pop()
        kinds = _submessages(kind)
        while at < end:
            tag, at = _varint(data, at)
            size, at = _size(data, at, tag & 7)
            if tag in kinds:
                found += 1
                if found > most:
                    return True
                if size and _submessages(kinds[tag]):
                    parts.append((at, at + size, kinds[tag]))
            at += size
        if at != end:
            raise DecodeError("a field that is longer than its message")
    return False


def _size(data: bytes, at: int, wire: int) -> tuple[int, int]:
    """The size of a field's value, and its place.

    A group is unknown to the contract: counting its inside counts too much at most.
    """
    if wire == _LENGTH:
        return _varint(data, at)
    if wire == _VARINT:
        return 0, _varint(data, at)[1]
    if wire in _SIZES:
        return _SIZES[wire], at
    raise DecodeError(f"wire type {wire}")


@cache
def _submessages(kind: Descriptor) -> dict[int, Descriptor]:
    """The kinds of a message's submessages, by their tag on the wire."""
    return {
        field.number << 3 | _LENGTH: field.message_type
        for field in kind.fields
        if field.message_type is not None
    }


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number, and the place after it."""
    try:
        value = data[at]
        at += 1
        if value < 128:  # nearly all
            return value, at
        value, shift = value & 127, 7
        while data[at] >= 128:
            value |= (data[at] & 127) << shift
            at, shift = at + 1, shift + 7
        return value | data[at] << shift, at + 1
    except IndexError as error:
        raise DecodeError("a number without its end") from error
