"""Tokens of callers: a file holds their names and the hashes of their tokens, never a token.

    # name  SHA-256 of the token
    studio  9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08

A token is 256 random bits, so that a plain hash is enough: nobody can try all tokens, as one can
try all passwords.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
from pathlib import Path

from musicvae.errors import SettingError
from musicvae.files import stamp, write_file

_LINE = re.compile(r"([A-Za-z0-9._@-]{1,64})\s+([0-9a-f]{64})")

log = logging.getLogger(__name__)


def add_token(path: Path, name: str) -> str:
    """Makes a token for a caller, and adds its line to a file; an older token of the name goes.

    Returns:
        The token.

    Raises:
        SettingError: If the name has other characters than a line can hold, or the file can't be
            read.
    """
    token = secrets.token_urlsafe(32)
    line = f"{name} {_hash(token)}"
    if not _LINE.fullmatch(line):
        raise SettingError(
            f"the name {name!r} of a caller",
            expected="1 to 64 letters, digits, and . _ @ -",
            action="Choose another name.",
            field="name",
        )
    kept = []
    if path.exists():
        _read(path)
        kept = [text for text in path.read_text().splitlines() if text.split()[:1] != [name]]
    write_file(path, "\n".join([*kept, line]) + "\n")
    return token


class Tokens:
    """The tokens of a file, which is read again when it has changed.

    A change that can't be read is told in the log, and the tokens before it stay.

    Raises:
        SettingError: If the file can't be read, or a line is wrong.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp = stamp(path)
        self._names = _read(path)

    def name_of(self, token: str) -> str | None:
        """The name of the caller with this token, or None if there is none."""
        self._read_again()
        found = None
        given = _hash(token)
        # All lines are compared, so that the time does not tell which was near.
        for known, name in self._names.items():
            if hmac.compare_digest(known, given):
                found = name
        return found

    def _read_again(self) -> None:
        now = stamp(self._path)
        if now == self._stamp:
            return
        self._stamp = now
        try:
            self._names = _read(self._path)
        except SettingError:
            log.exception("the tokens stay as they were")


def _read(path: Path) -> dict[str, str]:
    """The names of callers by the hashes of their tokens."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise _wrong(f"tokens {path}: {error}") from error
    names = {}
    for number, text in enumerate(lines, 1):
        line = text.partition("#")[0].strip()
        if line:
            found = _LINE.fullmatch(line)
            if found is None:
                raise _wrong(f"line {number} of {path}")
            names[found[2]] = found[1]
    if not names:
        raise _wrong(f"no token in {path}")
    return names


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _wrong(found: str) -> SettingError:
    return SettingError(
        found,
        expected="a file with a line for each caller: a name, and the SHA-256 of the token",
        action="`musicvae token NAME` makes a token and its line.",
        field="tokens",
    )
