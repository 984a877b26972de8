"""What can be asked of a model, in this process or of a server, and who answers.

A request is checked when it is made, as far as that is possible without the model: every wrong
field is told at once. Fields have the names of the contract (proto/musicvae/v1/musicvae.proto),
which says what each of them means.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from musicvae.errors import LatentError
from musicvae.generation.replies import Clip, Encoding, Grooved, Latent, ModelInfo, Transformed
from musicvae.model.decoding_loop import SAMPLE_TEMPERATURE
from musicvae.music import progressions
from musicvae.music.notes import DEFAULT_QPM, STEPS_PER_QUARTER, NoteSequence
from musicvae.problems import Problems

SEEDS = range(2**63)
INDICES = range(2**31)
BARS = range(1, 2**32)
COUNTS = range(1, 2**31 + 1)
PATH_COUNTS = range(2, 2**16 + 1)  # all latents of a path are found at once
LOWEST_QPM, HIGHEST_QPM = 10.0, 480.0
LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE = 0.01, 4.0
LARGEST_AMOUNT = 10.0
LARGEST_LATENT_VALUE = 1e6  # far outside of any prior; keeps every sum of squares finite in float32

DEFAULT_CLIPS_A_LEG = 7

HUMANISE = "humanise"
TAP_TO_DRUMS = "tap-to-drums"
TRANSFER = "transfer"
GROOVE_TASKS = (HUMANISE, TAP_TO_DRUMS, TRANSFER)
"""What Groove does: plays hits, makes drums of a rhythm, or plays hits as other drums were.

Source: Gillick et al. 2019, Learning to Groove with Inverse Sequence Transformations, section 5.
"""

_MOST_NAME = 32  # characters of a name that the path of a field repeats


@dataclass(frozen=True, kw_only=True)
class Excerpt:
    """Music of the caller's, and which part of it to use.

    Attributes:
        notes: The music.
        start_bar: First bar to use, from 1; None to use all of it, which must then fit.
        reduce: Whether what the model can't hold is left out instead of being refused.
    """

    notes: NoteSequence
    start_bar: int | None = None
    reduce: bool = False


Point: TypeAlias = Excerpt | Latent


@dataclass(frozen=True, kw_only=True)
class SampleRequest:
    """Asks for clips drawn from the prior.

    Raises:
        MusicVAEError: Of the kind and field that is wrong; a `RequestError` if several are.
    """

    model: str = ""
    count: int = 1
    seed: int | None = None
    first_index: int = 0
    temperature: float = SAMPLE_TEMPERATURE
    top_p: float = 1.0
    qpm: float = DEFAULT_QPM
    chords: str | None = None

    def __post_init__(self) -> None:
        problems = Problems()
        problems.require(self.count in COUNTS, "count", self.count, "1 to 2^31")
        count = self.count if self.count in COUNTS else 1
        problems.require(
            0 <= self.first_index <= len(INDICES) - count,
            "first_index",
            self.first_index,
            "0 to 2^31 - count",
        )
        _check_drawing(problems, self)
        problems.raise_all()

    @property
    def rows(self) -> int:
        """How much work it is: the number of clips it asks for."""
        return self.count


@dataclass(frozen=True, kw_only=True)
class InterpolateRequest:
    """Asks for a path through two or more points, with `count` clips from each to the next.

    Raises:
        MusicVAEError: Of the kind and field that is wrong; a `RequestError` if several are.
    """

    model: str = ""
    points: Sequence[Point]
    count: int = DEFAULT_CLIPS_A_LEG
    seed: int | None = None
    temperature: float = 0.0
    top_p: float = 1.0
    qpm: float | None = None
    chords: str | None = None

    def __post_init__(self) -> None:
        problems = Problems()
        problems.require(len(self.points) >= 2, "points", len(self.points), "2 or more")
        for index, point in enumerate(self.points):
            _check_point(problems, point, f"points[{index}]")
        problems.require(self.count in PATH_COUNTS, "count", self.count, "2 to 65,536")
        _check_drawing(problems, self)
        problems.raise_all()

    @property
    def rows(self) -> int:
        """How much work it is: the number of clips it asks for."""
        return (len(self.points) - 1) * (self.count - 1) + 1


@dataclass(frozen=True, kw_only=True)
class TransformRequest:
    """Asks for music moved along attributes by so much of each.

    Raises:
        MusicVAEError: Of the kind and field that is wrong; a `RequestError` if several are.
    """

    model: str = ""
    point: Point
    amounts: Mapping[str, float]
    seed: int | None = None
    temperature: float = 0.0
    top_p: float = 1.0
    qpm: float | None = None
    chords: str | None = None

    def __post_init__(self) -> None:
        problems = Problems()
        _check_point(problems, self.point, "point")
        problems.require(bool(self.amounts), "amounts", "none", "one attribute or more")
        for name, amount in self.amounts.items():
            path = amount_path(name)
            check_text(problems, "amounts", name)
            problems.require(
                abs(amount) <= LARGEST_AMOUNT,
                path,
                amount,
                f"-{LARGEST_AMOUNT:g} to {LARGEST_AMOUNT:g}",
            )
        _check_drawing(problems, self)
        problems.raise_all()

    @property
    def rows(self) -> int:
        """How much work it is: the number of clips it asks for."""
        return 2


@dataclass(frozen=True, kw_only=True)
class GrooveRequest:
    """Asks for drums to be played: with a human touch, from a rhythm, or as other drums were.

    Raises:
        MusicVAEError: Of the kind and field that is wrong; a `RequestError` if several are.
    """

    model: str = ""
    task: str
    point: Point
    onto: Excerpt | None = None
    seed: int | None = None
    temperature: float = 0.0
    top_p: float = 1.0
    qpm: float | None = None

    def __post_init__(self) -> None:
        problems = Problems()
        _check_point(problems, self.point, "point")
        problems.require(self.task in GROOVE_TASKS, "task", self.task, ", ".join(GROOVE_TASKS))
        if self.task == TRANSFER:
            has_drums = self.onto is not None
            problems.require(has_drums, "onto", "none", "the drums that get the groove")
        elif self.task in GROOVE_TASKS:
            is_excerpt = isinstance(self.point, Excerpt)
            problems.require(is_excerpt, "point", "a latent", "an excerpt for this task")
            problems.require(self.onto is None, "onto", "drums", "none for this task")
        if self.onto is not None:
            _check_excerpt(problems, self.onto, "onto")
        _check_drawing(problems, self)
        problems.raise_all()

    @property
    def rows(self) -> int:
        """How much work it is: the number of clips it takes to make."""
        return 1


@dataclass(frozen=True, kw_only=True)
class EncodeRequest:
    """Asks for the latent of an excerpt: the posterior's mean, or with a seed a draw from it.

    Raises:
        MusicVAEError: Of the kind and field that is wrong; a `RequestError` if several are.
    """

    model: str = ""
    excerpt: Excerpt
    seed: int | None = None
    chords: str | None = None

    def __post_init__(self) -> None:
        problems = Problems()
        _check_excerpt(problems, self.excerpt, "excerpt")
        check_text(problems, "model", self.model)
        _check_seed(problems, self.seed)
        _check_chords(problems, self.chords)
        problems.raise_all()

    @property
    def rows(self) -> int:
        """How much work it is: the number of latents that it takes to find."""
        return 1


@dataclass(frozen=True, kw_only=True)
class DecodeRequest:
    """Asks for latents to be played, all with the same noise.

    Raises:
        MusicVAEError: Of the kind and field that is wrong; a `RequestError` if several are.
    """

    model: str = ""
    latents: Sequence[Latent]
    seed: int | None = None
    temperature: float = 0.0
    top_p: float = 1.0
    qpm: float = DEFAULT_QPM
    chords: str | None = None

    def __post_init__(self) -> None:
        problems = Problems()
        problems.require(len(self.latents) >= 1, "latents", len(self.latents), "1 or more")
        for index, latent in enumerate(self.latents):
            _check_latent(problems, latent, f"latents[{index}]")
        _check_drawing(problems, self)
        problems.raise_all()

    @property
    def rows(self) -> int:
        """How much work it is: the number of clips it asks for."""
        return len(self.latents)


DrawingRequest: TypeAlias = (
    SampleRequest | InterpolateRequest | TransformRequest | DecodeRequest | GrooveRequest
)
"""A request whose answer is drawn."""

AnyRequest: TypeAlias = DrawingRequest | EncodeRequest


class Musician(Protocol):
    """Who answers requests: the engine in this process, or the client of a server.

    The law: the same request with a seed has the same answer from either, unless it is larger than
    one request to the server may be, which the server then says. Two pieces of music that
    `musicvae.music.midi` reads by default are never too large.
    """

    def sample(self, request: SampleRequest) -> Iterator[Clip]: ...
    def interpolate(self, request: InterpolateRequest) -> Iterator[Clip]: ...
    def transform(self, request: TransformRequest) -> Transformed: ...
    def encode(self, request: EncodeRequest) -> Encoding: ...
    def decode(self, request: DecodeRequest) -> Iterator[Clip]: ...
    def groove(self, request: GrooveRequest) -> Grooved: ...
    def models(self) -> tuple[ModelInfo, ...]: ...
    def model(self, name: str) -> ModelInfo: ...


def amount_path(name: str) -> str:
    """The path of the amount of an attribute in a request."""
    return f'amounts["{name[:_MOST_NAME]}"]'


def check_text(problems: Problems, path: str, text: str) -> None:
    """Notes text that can't be sent: bytes of a command line that are no Unicode come as such."""
    try:
        text.encode()
    except UnicodeEncodeError:
        problems.require(False, path, ascii(text[:_MOST_NAME]), "valid Unicode")


def _check_seed(problems: Problems, seed: int | None) -> None:
    problems.require(seed is None or seed in SEEDS, "seed", seed, "0 to 2^63 - 1")


def _check_drawing(problems: Problems, request: DrawingRequest) -> None:
    check_text(problems, "model", request.model)
    _check_seed(problems, request.seed)
    if not isinstance(request, GrooveRequest):
        _check_chords(problems, request.chords)
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


def _check_chords(problems: Problems, chords: str | None) -> None:
    if chords is not None:
        with problems.gather():
            progressions.parse(chords)


def _check_point(problems: Problems, point: Point, path: str) -> None:
    if isinstance(point, Excerpt):
        _check_excerpt(problems, point, f"{path}.excerpt")
    else:
        _check_latent(problems, point, f"{path}.latent")


def _check_excerpt(problems: Problems, excerpt: Excerpt, path: str) -> None:
    bar, grid = excerpt.start_bar, excerpt.notes.steps_per_quarter
    problems.require(bar is None or bar in BARS, f"{path}.start_bar", bar, "1 to 2^32 - 1")
    problems.require(
        grid == STEPS_PER_QUARTER,
        f"{path}.notes",
        f"a grid of {grid} steps a quarter note",
        f"notes on a grid of {STEPS_PER_QUARTER}",
    )


def _check_latent(problems: Problems, latent: Latent, path: str) -> None:
    wrong = [value for value in latent if not abs(value) <= LARGEST_LATENT_VALUE]
    if wrong:
        problems.add(
            LatentError(
                f"a value of {wrong[0]}",
                expected=f"finite values of at most {LARGEST_LATENT_VALUE:g} either way",
                action="Give a latent from an earlier reply.",
                field=path,
            )
        )
