"""The result of cutting a piece: excerpts as tensors with their labels, and rejections.

Each representation has a cutter in `cut.CUTTERS`: it takes pieces on one grid and `CutSettings`,
and gives a `CutPiece` for each piece.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int8, Int16, Int32, UInt32, UInt64

from musicvae.data_pipeline.readers.drum_parts import DRUM_CHANNEL, check_drums
from musicvae.data_pipeline.rejections import Rejection
from musicvae.errors import SettingError
from musicvae.identity import compare_by_identity
from musicvae.representation import Representation

from .lines.extraction import check_melody
from .rules import Rules

MOST_HOP_BARS = 1_000
"""The largest hop; no piece is longer."""

_RANDOM = np.random.default_rng(20180313).integers(0, 2**64, 1 << 14, dtype=np.uint64)
_RANDOM |= np.uint64(1)
"""Odd factors of the digest; a constant of the format."""


@dataclass(frozen=True, kw_only=True)
class CutSettings:
    """The settings of cutting.

    Attributes:
        representation: The form of the tensors.
        hop_bars: Bars from the start of one excerpt to the start of the next.
        melody: The choice of melody parts: see `lines.extraction`.
        drums: The parts that are drums beside channel 10: see `readers.drum_parts`.
        rules: The rules that an excerpt must keep.

    Raises:
        SettingError: If `hop_bars` is out of range, if an excerpt is too long for the digest, or if
            `melody` names no known choice.
    """

    representation: Representation
    hop_bars: int = 1
    melody: str = "every"
    drums: str = DRUM_CHANNEL
    rules: Rules = field(default_factory=Rules)

    def __post_init__(self) -> None:
        check_melody(self.melody)
        check_drums(self.drums)
        if self.hop_bars not in range(1, MOST_HOP_BARS + 1):
            raise SettingError(
                f"hop_bars={self.hop_bars}",
                expected=f"1 to {MOST_HOP_BARS}",
                action="Give the bars between the starts of two excerpts.",
                field="hop",
            )
        rows = self.representation.bars * self.representation.rows_per_bar
        numbers = rows * len(self.representation.vocabulary_sizes)
        if numbers > len(_RANDOM):
            raise SettingError(
                f"bars={self.representation.bars}, {numbers:,} numbers an excerpt",
                expected=f"at most {len(_RANDOM):,}",
                action="Give fewer bars.",
                field="bars",
            )


@compare_by_identity
class Labels(NamedTuple):
    """The labels of excerpts: tempo, key, measures and chords.

    Attributes:
        qpms: The tempo at the start of each excerpt, in quarter notes a minute.
        tonics: Pitch class of the tonic of the phrase's key (see `musicvae.music.keys`); -1 where
            the key is not known, as for drums.
        are_minor: 1 for a minor key, 0 for a major key; -1 where the key is not known.
        key_confidences: The share of equally clear estimates that are right, 0.5 to 1; NaN where
            the key is not known.
        attributes: The measures of `musicvae.music.attributes.ATTRIBUTES`, in that order; NaN for
            drums where they need pitches.
        chords: The written chord at the start and at the middle of each bar: an event of
            `representation.chords`; -1 where no chord is known.
    """

    qpms: Float32[np.ndarray, " batch"]
    tonics: Int8[np.ndarray, " batch"]
    are_minor: Int8[np.ndarray, " batch"]
    key_confidences: Float32[np.ndarray, " batch"]
    attributes: Float32[np.ndarray, "batch attribute"]
    chords: Int16[np.ndarray, "batch slot"]

    def rows(self, low: int, high: int) -> "Labels":
        """The labels of the excerpts from one number up to another."""
        return Labels(*(column[low:high] for column in self))


@compare_by_identity
class Excerpts(NamedTuple):
    """The excerpts of one part of a piece, or of one combination of parts.

    Attributes:
        part: The part's name; the names joined by ` + ` for a combination.
        program: The part's program; for a combination, the program of the melody; 0 for drums.
        start_bars: The bar of the piece at which each excerpt starts, from 0.
        events: The tensor of each excerpt.
        shapes: A digest of each excerpt, equal for excerpts that are equal up to transposition.
        labels: The labels of each excerpt.
        velocities: The velocity at the step of each onset of a melody; 0 elsewhere, and everywhere
            where the part has no dynamics. None where no loudness is kept.
    """

    part: str
    program: int
    start_bars: Int32[np.ndarray, " batch"]
    events: Int16[np.ndarray, "batch step stream"]
    shapes: UInt64[np.ndarray, " batch"]
    labels: Labels
    velocities: Int8[np.ndarray, "batch step"] | None = None


@compare_by_identity
class CutPiece(NamedTuple):
    """The result of cutting a piece. A cutter gives the first two fields; `cut_reads` the rest.

    Attributes:
        excerpts: The excerpts of each part, or combination of parts, that has any.
        rejections: The rejections in the piece, one for each reason of each stage.
        bars: The number of the piece's bars by their meter; empty if the meter is not known.
        style: The style in the words of the corpus or the file; may be empty.
        signature: The signature for comparing the piece with others; None if the piece has no
            excerpts or is too short.
    """

    excerpts: tuple[Excerpts, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    bars: Mapping[str, int] = MappingProxyType({})
    style: str = ""
    signature: UInt32[np.ndarray, " hash"] | None = None


def digest(rows: Int32[np.ndarray, "batch _"]) -> UInt64[np.ndarray, " batch"]:
    """A digest of each row of whole numbers. Rows of equal digest are almost certainly equal.

    Source: Multilinear hashing (Carter and Wegman 1979), then the finaliser of SplitMix64.
    """
    assert rows.shape[1] <= len(_RANDOM), rows.shape
    sums = rows.astype(np.uint64) @ _RANDOM[: rows.shape[1]]
    sums = (sums ^ (sums >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    sums = (sums ^ (sums >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    hashed: UInt64[np.ndarray, " batch"] = sums ^ (sums >> np.uint64(31))
    return hashed
