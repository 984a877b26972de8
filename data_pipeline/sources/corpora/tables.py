"""Reads the tables that corpora keep beside their pieces."""

import csv
import io
from collections.abc import Sequence

from musicvae.errors import DataError

from .recipe import Listing


def read_table(listing: Listing, path: str, columns: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a table with a head; a missing value is empty.

    Raises:
        DataError: If the file is no such table, or lacks a column.
    """
    location = listing.locate(path)
    assert location is not None, path
    text = io.StringIO(location.read().decode("utf-8", errors="replace"), newline="")
    reader = csv.DictReader(text, restkey="", restval="")
    try:
        rows = list(reader)
    except csv.Error as error:
        raise _unreadable(path, str(error)) from error
    missing = [column for column in columns if column not in (reader.fieldnames or ())]
    if missing:
        raise _unreadable(path, f"no column {', '.join(missing)}")
    return rows


def _unreadable(path: str, found: str) -> DataError:
    return DataError(
        f"the table {path}, which can't be read ({found})",
        expected="the table as its corpus has it",
        action="Fetch it again, or take it away: the corpus is then read as any other files.",
        field="inputs",
    )
