"""The errors of one request, gathered so that the caller sees all of them at once."""

from __future__ import annotations

import reprlib
from collections.abc import Iterator
from contextlib import contextmanager
from operator import index
from types import UnionType

from musicvae.errors import MusicVAEError, RequestError, SettingError


def is_whole_within(value: object, limits: range) -> bool:
    """Whether a value is a whole number in a range, which `in` alone would search step by step.

    >>> is_whole_within(1.5, range(2**63)), is_whole_within(7, range(2**63))
    (False, True)
    """
    try:
        return index(value) in limits  # type: ignore[arg-type]  # the question of this function
    except TypeError:
        return False


def wrong_value(name: str, found: object, expected: str) -> SettingError:
    """The error of an argument or field `name` that holds `found`."""
    return SettingError(
        f"{name}={found}", expected=expected, action="Give what is expected.", field=name
    )


def check_type(name: str, value: object, kind: type | UnionType, expected: str) -> None:
    """Checks the type of an argument.

    Raises:
        SettingError: If the value is of another type.
    """
    if not isinstance(value, kind):
        raise wrong_value(name, reprlib.repr(value), expected)


def drop_frames(error: BaseException) -> None:
    """Lets an error and its causes hold no frames.

    The frames hold the request, and an error that a frame holds would keep both in memory until
    Python's collector looks for cycles.
    """
    chain: BaseException | None = error
    while chain is not None:
        chain.__traceback__ = None
        chain = chain.__cause__ or chain.__context__


class Problems:
    """Gathers errors while a request is read and checked, and raises them at the end."""

    def __init__(self) -> None:
        self._errors: list[MusicVAEError] = []

    def __len__(self) -> int:
        return len(self._errors)

    def add(self, error: MusicVAEError) -> None:
        """Notes an error, without the fields that an earlier error has named."""
        known = {each.field for noted in self._errors for each in noted.violations}
        new = [each for each in error.violations if each.field not in known or not each.field]
        if len(new) == len(error.violations):
            self._errors.append(error)
        elif new:
            self._errors.append(RequestError(new))

    def require(self, is_right: bool, name: str, found: object, expected: str) -> None:  # noqa: FBT001
        """Notes that field `name` holds `found` instead of `expected`, unless it is right."""
        if not is_right:
            self.add(wrong_value(name, found, expected))

    @contextmanager
    def gather(self, name: str | None = None) -> Iterator[None]:
        """Notes an error raised inside; an error without a field gets the field `name`."""
        try:
            yield
        except MusicVAEError as error:
            error.field = error.field or name
            drop_frames(error)
            self.add(error)

    def raise_all(self) -> None:
        """Raises the one error noted, or all of them as one.

        Raises:
            MusicVAEError: The only error.
            RequestError: All errors, if there are several.
        """
        if len(self._errors) == 1:
            raise self._errors[0]
        if self._errors:
            raise RequestError(each for error in self._errors for each in error.violations)
