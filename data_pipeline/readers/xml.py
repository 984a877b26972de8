"""Parses XML from strangers to a tree of bounded size."""

from xml.etree import ElementTree as ET

from musicvae.errors import ScoreError

MOST_BYTES = 16 * 1024 * 1024
"""The largest of 1,766 songs has 2.4 MB. What is made of it for its attributes takes 200 MB."""

_MOST_TAGS = 750_000
"""Opening and closing ones. An element of a name of its own takes 200 bytes."""


def parse_xml(data: bytes, *, kind: str) -> ET.Element:
    """Parses a document.

    Args:
        data: Its bytes, in any encoding that XML declares.
        kind: What it ought to be, for errors.

    Raises:
        ScoreError: If it is no XML, too large, or declares entities, which could grow.
    """
    # The declaration has to come first, but many a file begins with an empty line.
    data = data.lstrip()
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        data = data.decode("utf-16", "replace").encode()
        # The declaration names an encoding that it is no longer in.
        data = data[data.find(b"?>") + 2 :] if data.startswith(b"<?xml") else data
    tags = data.count(b"<")
    if len(data) > MOST_BYTES or tags > _MOST_TAGS:
        raise ScoreError(
            f"{len(data)} bytes of XML with {tags} tags",
            expected=f"at most {MOST_BYTES} bytes and {_MOST_TAGS} tags",
            action="Divide it.",
        )
    if b"<!ENTITY" in data:
        raise _damaged(kind, "it declares entities")
    try:
        return ET.fromstring(data)  # noqa: S314 (no entities, and a bounded size)
    except (ET.ParseError, LookupError, ValueError) as error:  # encodings that there aren't
        raise _damaged(kind, str(error)) from error


def _damaged(kind: str, found: str) -> ScoreError:
    return ScoreError(
        f"damaged XML ({found})", expected=kind, action="Export it again from its program."
    )
