"""Every error that the caller can correct, as one tree.

The tree::

    MusicVAEError
    ├── MidiError              bytes that are no MIDI file, or a file past the limits
    ├── ScoreError             a score (ABC, MusicXML, a corpus) that could not be read
    ├── RepresentationError    notes that a representation cannot hold; has a `cause`
    ├── LatentError            latents of the wrong number, size or value
    ├── AttributeNameError     an attribute that does not exist
    ├── SettingError           a preset, option or setting that does not exist or is out of range
    ├── DataError              a prepared data set that is missing, damaged or of another kind
    ├── TrainingError          a run that cannot start or go on
    ├── BundleError            a bundle that is damaged, of another version, or in the way
    │   └── ModelNotFoundError a model that is not there
    ├── RequestError           a request with several wrong fields; lists each of them
    └── ServiceError           a server that could not be reached, or that refused a request
        └── BusyError          a server with too much work waiting

Each error says three things: the input that was found, the input that was expected, and what to do.
A message names fields as the Python API and the contract do, in backquotes (`start_bar`); the
command line replaces them with its options. Our own mistakes raise `AssertionError` or another
exception of Python.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Violation:
    """One mistake in a request.

    Attributes:
        field: The field's path, such as `points[1].excerpt.midi`; empty if no field is to blame.
        reason: The `reason` of the error.
        description: The error's message.
    """

    field: str
    reason: str
    description: str


class MusicVAEError(Exception):
    """The root: an error that the caller can correct.

    Args:
        found: The wrong input, in the domain's words.
        expected: A right input.
        action: The user's remedy, one sentence.
        field: The wrong request field or option, if known.
    """

    reason = "MUSICVAE"
    """A stable name for machines: the `reason` of the service's google.rpc.ErrorInfo."""

    def __init__(self, found: str, *, expected: str, action: str, field: str | None = None) -> None:
        super().__init__(f"{found}; expected {expected}. {action}")
        self.found = found
        self.expected = expected
        self.action = action
        self.field = field

    @property
    def violations(self) -> tuple[Violation, ...]:
        """The wrong fields."""
        return (Violation(self.field or "", self.reason, str(self)),)


class MidiError(MusicVAEError):
    """Bytes that are no MIDI file, or a file past the limits."""

    reason = "MIDI_UNREADABLE"


class ScoreError(MusicVAEError):
    """A score (ABC, MusicXML, a corpus) that could not be read."""

    reason = "SCORE_UNREADABLE"


class RepresentationError(MusicVAEError):
    """Notes that a representation cannot hold; `cause` names the reason in one word."""

    reason = "NOT_REPRESENTABLE"

    def __init__(
        self, found: str, *, cause: str, expected: str, action: str, field: str | None = None
    ) -> None:
        super().__init__(found, expected=expected, action=action, field=field)
        self.cause = cause


class LatentError(MusicVAEError):
    """Latents of the wrong number, size or value."""

    reason = "LATENT_INVALID"


class AttributeNameError(MusicVAEError):
    """An attribute that does not exist."""

    reason = "ATTRIBUTE_UNKNOWN"


class SettingError(MusicVAEError):
    """A preset, option or setting that does not exist or is out of range."""

    reason = "SETTING_INVALID"


class DataError(MusicVAEError):
    """A prepared data set that is missing, damaged or of another kind."""

    reason = "DATA_INVALID"


class TrainingError(MusicVAEError):
    """A run that cannot start or go on."""

    reason = "TRAINING_INVALID"


class BundleError(MusicVAEError):
    """A bundle that is damaged, of another version, or in the way."""

    reason = "BUNDLE_INVALID"


class ModelNotFoundError(BundleError):
    """A model that is not there."""

    reason = "MODEL_NOT_FOUND"


class RequestError(MusicVAEError):
    """A request with several wrong fields, so that the caller can correct all of them at once."""

    reason = "REQUEST_INVALID"

    def __init__(self, violations: Iterable[Violation]) -> None:
        self._violations = tuple(violations)
        fields = dict.fromkeys(each.field for each in self._violations)
        super().__init__(
            f"several wrong fields: {', '.join(filter(None, fields))}",
            expected="each as its own message says",
            action="Correct all of them.",
        )
        self.args = (" ".join(map(_with_field, self._violations)),)

    @property
    def violations(self) -> tuple[Violation, ...]:
        return self._violations


def _with_field(violation: Violation) -> str:
    is_named = violation.description.startswith(violation.field)
    return violation.description if is_named else f"{violation.field}: {violation.description}"


class ServiceError(MusicVAEError):
    """A server that could not be reached, or that refused a request."""

    reason = "SERVICE_FAILED"


class BusyError(ServiceError):
    """A server with too much work waiting.

    Attributes:
        retry_s: Seconds after which to ask again.
    """

    reason = "BUSY"

    def __init__(
        self,
        found: str,
        *,
        expected: str,
        action: str,
        field: str | None = None,
        retry_s: float = 1.0,
    ) -> None:
        super().__init__(found, expected=expected, action=action, field=field)
        self.retry_s = retry_s


class UnknownCallerError(ServiceError):
    """A caller without a token that the server knows."""

    reason = "UNAUTHENTICATED"
