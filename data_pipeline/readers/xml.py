"""Parses XML from strangers to a tree of bounded size."""

from xml.etree import ElementTree as ET

from musicvae.errors import ScoreError

MOST_BYTES = 16 * 1024 * 1024
"""The largest of 1,766 songs has 2.4 MB. If it is all attributes, such a tree takes 200 MB."""

_MOST_TAGS = 750_000
"""Opening and closing tags. An element with a new name takes 200 bytes."""


def parse_xml(data: bytes, *, kind: str) -> ET.Element:
    """Parses a document.

    Args:
        data: The bytes, in any encoding that XML declares.
        kind: The expected kind of document, for errors.

    Raises:
        ScoreError: If the bytes are no XML, too large, or declare entities, which could grow.
    """
    # The declaration must come first, but many files begin with an empty line.
    data = data.lstrip()
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        data = data.decode("utf-16", "replace").encode()
        # The declaration names the old encoding.
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
    except (ET.ParseError, LookupError, ValueError) as error:  # unknown encodings, too
        raise _damaged(kind, str(error)) from error


def _damaged(kind: str, found: str) -> ScoreError:
    return ScoreError(
        f"damaged XML ({found})", expected=kind, action="Export it again from its program."
    )
