"""Requests to a model, in this process or on a server.

A request checks itself when it is made, as far as it can without the model, and reports all wrong
fields at once. Fields have the names and meanings of the contract
(proto/musicvae/v1/musicvae.proto).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from numbers import Real
from types import UnionType
from typing import TypeAlias

from musicvae.generation.inputs import (
    Array,
    Excerpt,
    LatentLike,
    PointLike,
    check_excerpt,
    check_grid,
    read_latent,
    read_point,
)
from musicvae.generation.sounds import Sound, check_sounds
from musicvae.music import progressions
from musicvae.music.constraint import Constraint, parse_constraint
from musicvae.music.notes import DEFAULT_QPM
from musicvae.problems import Problems, check_type, is_whole_within
from musicvae.temperature import SAMPLE_TEMPERATURE

SEEDS = range(2**63)
INDICES = range(2**31)
COUNTS = range(1, 2**31 + 1)
PATH_COUNTS = range(2, 2**16 + 1)  # all latents of a path are in memory at once
LOWEST_QPM, HIGHEST_QPM = 10.0, 480.0
LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE = 0.01, 4.0
LARGEST_AMOUNT = 10.0

DEFAULT_CLIPS_A_LEG = 7

HUMANISE = "humanise"
TAP_TO_DRUMS = "tap-to-drums"
TRANSFER = "transfer"
GROOVE_TASKS = (HUMANISE, TAP_TO_DRUMS, TRANSFER)
"""The tasks of Groove: humanise plain hits, make drums from a rhythm, or give hits another groove.

Source: Gillick et al. 2019, Learning to Groove with Inverse Sequence Transformations, section 5.
"""

_MOST_NAME = 32  # characters of a name that the path of a field repeats


@dataclass(frozen=True, kw_only=True)
class SampleRequest:
    """Asks for clips drawn from the prior.

    Raises:
        MusicVAEError: The error of the wrong field; a `RequestError` if several are wrong.
    """

    model: str = ""
    count: int = 1
    seed: int | None = None
    first_index: int = 0
    temperature: float = SAMPLE_TEMPERATURE
    top_p: float = 1.0
    qpm: float = DEFAULT_QPM
    chords: str | None = None
    key: str | None = None
    scale: str | None = None
    range: str | None = None
    meter: str | None = None
    steps_per_quarter: int | None = None
    style: str | None = None

    def __post_init__(self) -> None:
        problems = _check_types(self)
        is_count = is_whole_within(self.count, COUNTS)
        problems.require(is_count, "count", self.count, "1 to 2^31")
        count = self.count if is_count else 1
        problems.require(
            is_whole_within(self.first_index, range(len(INDICES) - count + 1)),
            "first_index",
            self.first_index,
            "0 to 2^31 - count",
        )
        check_text(problems, "style", self.style or "")
        _check_drawing(problems, self)
        problems.raise_all()

    @property
    def rows(self) -> int:
        """The amount of work: the number of clips."""
        return self.count


@dataclass(frozen=True, kw_only=True)
class InterpolateRequest:
    """Asks for a path through two or more points, with `count` clips from each point to the next.

    Raises:
        MusicVAEError: The error of the wrong field; a `RequestError` if several are wrong.
    """

    model: str = ""
    points: Sequence[PointLike]
    count: int = DEFAULT_CLIPS_A_LEG
    seed: int | None = None
    temperature: float = 0.0
    top_p: float = 1.0
    qpm: float | None = None
    chords: str | None = None
    key: str | None = None
    scale: str | None = None
    range: str | None = None
    meter: str | None = None
    steps_per_quarter: int | None = None

    def __post_init__(self) -> None:
        problems = _check_types(self)
        problems.require(len(self.points) >= 2, "points", len(self.points), "2 or more")
        points = [read_point(problems, each, f"points[{i}]") for i, each in enumerate(self.points)]
        object.__setattr__(self, "points", points)
        is_count = is_whole_within(self.count, PATH_COUNTS)
        problems.require(is_count, "count", self.count, "2 to 65,536")
        _check_drawing(problems, self)
        problems.raise_all()

    @property
    def rows(self) -> int:
        """The amount of work: the number of clips."""
        return (len(self.points) - 1) * (self.count - 1) + 1


@dataclass(frozen=True, kw_only=True)
class TransformRequest:
    """Asks for music to be moved along attributes, by an amount of each.

    Raises:
        MusicVAEError: The error of the wrong field; a `RequestError` if several are wrong.
    """

    model: str = ""
    point: PointLike
    amounts: Mapping[str, float]
    seed: int | None = None
    temperature: float = 0.0
    top_p: float = 1.0
    qpm: float | None = None
    chords: str | None = None
    key: str | None = None
    scale: str | None = None
    range: str | None = None
    meter: str | None = None
    steps_per_quarter: int | None = None

    def __post_init__(self) -> None:
        problems = _check_types(self)
        object.__setattr__(self, "point", read_point(problems, self.point, "point"))
        problems.require(bool(self.amounts), "amounts", "none", "one attribute or more")
        for name, amount in self.amounts.items():
            path = amount_path(name)
            check_text(problems, "amounts", name)
            problems.require(
                isinstance(amount, Real) and abs(amount) <= LARGEST_AMOUNT,
                path,
                amount,
                f"-{LARGEST_AMOUNT:g} to {LARGEST_AMOUNT:g}",
            )
        _check_drawing(problems, self)
        problems.raise_all()

    @property
    def rows(self) -> int:
        """The amount of work: the number of clips."""
        return 2


@dataclass(frozen=True, kw_only=True)
class GrooveRequest:
    """Asks for drums with human timing and loudness: of hits, of a rhythm, or of other drums.

    Raises:
        MusicVAEError: The error of the wrong field; a `RequestError` if several are wrong.
    """

    model: str = ""
    task: str = HUMANISE
    point: PointLike
    onto: Excerpt | None = None
    seed: int | None = None
    temperature: float = 0.0
    top_p: float = 1.0
    qpm: float | None = None

    def __post_init__(self) -> None:
        problems = _check_types(self)
        object.__setattr__(self, "point", read_point(problems, self.point, "point"))
        problems.require(self.task in GROOVE_TASKS, "task", self.task, ", ".join(GROOVE_TASKS))
        if self.task == TRANSFER:
            has_drums = self.onto is not None
            problems.require(has_drums, "onto", "none", "the drums that get the groove")
        elif self.task in GROOVE_TASKS:
            is_excerpt = isinstance(self.point, Excerpt)
            problems.require(is_excerpt, "point", "a latent", "an excerpt for this task")
            problems.require(self.onto is None, "onto", "drums", "none for this task")
        if self.onto is not None:
            check_excerpt(problems, self.onto, "onto")
        _check_drawing(problems, self)
        problems.raise_all()

    @property
    def rows(self) -> int:
        """The amount of work, in clips."""
        return 1


@dataclass(frozen=True, kw_only=True)
class EncodeRequest:
    """Asks for the latent of an excerpt: the posterior's mean, or with a seed a draw from it.

    Raises:
        MusicVAEError: The error of the wrong field; a `RequestError` if several are wrong.
    """

    model: str = ""
    excerpt: Excerpt
    seed: int | None = None
    chords: str | None = None

    def __post_init__(self) -> None:
        problems = _check_types(self)
        check_excerpt(problems, self.excerpt, "excerpt")
        check_text(problems, "model", self.model)
        _check_seed(problems, self.seed)
        _check_chords(problems, self.chords)
        problems.raise_all()

    @property
    def rows(self) -> int:
        """The amount of work, in latents."""
        return 1


@dataclass(frozen=True, kw_only=True)
class DecodeRequest:
    """Asks for latents to be decoded, all with the same noise.

    Raises:
        MusicVAEError: The error of the wrong field; a `RequestError` if several are wrong.
    """

    model: str = ""
    latents: Sequence[LatentLike]
    seed: int | None = None
    temperature: float = 0.0
    top_p: float = 1.0
    qpm: float = DEFAULT_QPM
    chords: str | None = None
    key: str | None = None
    scale: str | None = None
    range: str | None = None
    meter: str | None = None
    steps_per_quarter: int | None = None
    sounds: Mapping[str, Sound] = field(default_factory=dict)

    def __post_init__(self) -> None:
        problems = _check_types(self)
        problems.require(len(self.latents) >= 1, "latents", len(self.latents), "1 or more")
        latents = [
            read_latent(problems, each, f"latents[{index}]")
            for index, each in enumerate(self.latents)
        ]
        object.__setattr__(self, "latents", latents)
        check_sounds(problems, self.sounds, "sounds")
        _check_drawing(problems, self)
        problems.raise_all()

    @property
    def rows(self) -> int:
        """The amount of work: the number of clips."""
        return len(self.latents)


DrawingRequest: TypeAlias = (
    SampleRequest | InterpolateRequest | TransformRequest | DecodeRequest | GrooveRequest
)
"""A request whose answer is drawn."""

AnyRequest: TypeAlias = DrawingRequest | EncodeRequest


def check_request(request: AnyRequest) -> None:
    """Checks that an argument is a request.

    Raises:
        SettingError: If it is anything else.
    """
    check_type("request", request, AnyRequest, "a request, such as SampleRequest(count=1)")


_TYPES: dict[str, tuple[type | UnionType, str]] = {
    "model": (str, "the name of a model"),
    "points": (Sequence | Array, "a list of points: excerpts or latents"),
    "latents": (Sequence | Array, "a list of latents"),
    "amounts": (Mapping, 'amounts by attribute, such as {"note_density": 1.0}'),
    "excerpt": (Excerpt, "an Excerpt"),
    "onto": (Excerpt | None, "an Excerpt"),
    "temperature": (Real, "a number"),
    "top_p": (Real, "a number"),
    "qpm": (Real | None, "a number"),
    "chords": (str | None, "text such as C | Am | F | G"),
    "key": (str | None, "text such as Em"),
    "scale": (str | None, "text such as G dorian"),
    "range": (str | None, "text such as C3-C5"),
    "meter": (str | None, "text such as 3/4"),
    "steps_per_quarter": (int | None, "a whole number, 4 or 12"),
    "sounds": (Mapping, 'sounds by line, such as {"melody": Sound(program=40)}'),
    "style": (str | None, "text such as rock"),
}
"""The types of the fields of requests; other checks take values of any type."""

_SHORT = ("key", "scale", "range", "meter", "style")
_MOST_SHORT = 64
"""Clips repeat these texts: without a limit a request of megabytes would get gigabytes back."""


def _check_types(request: AnyRequest) -> Problems:
    """Checks the types of a request's fields, and returns an empty list of problems.

    Raises:
        MusicVAEError: The error of the wrong field; a `RequestError` if several are wrong.
    """
    problems = Problems()
    for each in fields(request):
        if each.name in _TYPES:
            with problems.gather():
                check_type(each.name, getattr(request, each.name), *_TYPES[each.name])
        if each.name in _SHORT:
            text = str(getattr(request, each.name) or "")
            problems.require(
                len(text) <= _MOST_SHORT,
                each.name,
                f"{text[:_MOST_SHORT]!r}, cut short",
                f"at most {_MOST_SHORT} characters",
            )
    problems.raise_all()
    return problems


def amount_path(name: str) -> str:
    """The path of the amount of an attribute in a request."""
    return f'amounts["{name[:_MOST_NAME]}"]'


def check_text(problems: Problems, path: str, text: str) -> None:
    """Notes text that is no valid Unicode, as bytes of a command line may be."""
    try:
        text.encode()
    except UnicodeEncodeError:
        problems.require(False, path, ascii(text[:_MOST_NAME]), "valid Unicode")


def _check_seed(problems: Problems, seed: int | None) -> None:
    is_seed = seed is None or is_whole_within(seed, SEEDS)
    problems.require(is_seed, "seed", seed, "0 to 2^63 - 1")


def _check_drawing(problems: Problems, request: DrawingRequest) -> None:
    check_text(problems, "model", request.model)
    _check_seed(problems, request.seed)
    if not isinstance(request, GrooveRequest):
        _check_chords(problems, request.chords)
        with problems.gather():
            constraint_of(request)
        check_grid(problems, request.meter, request.steps_per_quarter)
    temperature, top_p, qpm = request.temperature, request.top_p, request.qpm
    problems.require(
        temperature == 0 or LOWEST_TEMPERATURE <= temperature <= HIGHEST_TEMPERATURE,
        "temperature",
        temperature,
        f"0, or {LOWEST_TEMPERATURE:g} to {HIGHEST_TEMPERATURE:g}",
    )
    problems.require(0 < top_p <= 1, "top_p", top_p, "above 0 and at most 1")
    problems.require(
        qpm is None or LOWEST_QPM <= qpm <= HIGHEST_QPM,
        "qpm",
        qpm,
        f"{LOWEST_QPM:g} to {HIGHEST_QPM:g} quarter notes a minute",
    )


def constraint_of(request: DrawingRequest) -> Constraint | None:
    """Reads the key, the scale and the range that a request asks for; None if it asks for none.

    Raises:
        SettingError: If a text can't be read, or no pitch is left.
    """
    if isinstance(request, GrooveRequest):
        return None
    return parse_constraint(key=request.key, scale=request.scale, pitch_range=request.range)


def _check_chords(problems: Problems, chords: str | None) -> None:
    if chords is not None:
        with problems.gather():
            progressions.parse(chords)
