"""How well touch tells the velocities of music that it has not learnt from.

Three rules are measured beside it: every note at the mean of its part, at the usual accent of its
place in the bar, or between the mean and the note before. Touch and the rules know the mean and the
spread of each part.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from musicvae.data.lines import PlayedLines
from musicvae.model.touch import Lines, Touch, middles_of, to_parameters
from musicvae.music.line_features import STEP_IN_BAR

ROWS = 256
MOST_EXCERPTS = 4_096


@dataclass(frozen=True, kw_only=True)
class TouchFigure:
    """How well one way to play tells the velocities.

    Attributes:
        nats: Minus the log likelihood of a note, in nats.
        correlation: The correlation of told and true velocities, relative to each part.
        error: The mean distance of told and true velocities.
    """

    nats: float
    correlation: float
    error: float


def measure_touch(
    touch: Touch, training: PlayedLines, held_out: PlayedLines
) -> dict[str, TouchFigure]:
    """Measures touch and the rules on held-out lines.

    Args:
        touch: The touch.
        training: The lines that the rules learn from.
        held_out: The lines to measure on.
    """
    accents, likeness = _find_accents(training), _find_likeness(training)
    ways: dict[str, list[tuple[Tensor, Tensor, Tensor]]] = {}
    for lines in _batches(held_out):
        level, spread = lines.level, lines.spread
        accent, before = accents[_steps(lines)], likeness * _before(lines)
        with torch.inference_mode():
            parameters = {
                "touch": touch.parameters_of(lines),
                "note before": to_parameters(
                    level + spread * before, spread * (1 - likeness**2) ** 0.5 + 0 * before
                ),
                "place in the bar": to_parameters(level + spread * accent, spread + 0 * accent),
                "mean of the part": to_parameters(level + 0 * accent, spread + 0 * accent),
            }
        is_note = lines.is_note
        for name, own in parameters.items():
            told = middles_of(own)
            ways.setdefault(name, []).append(
                (
                    touch.velocity_log_prob(own, lines)[is_note],
                    ((told - level) / spread)[is_note],
                    (told - lines.velocities).abs()[is_note],
                )
            )
    true = torch.cat([lines.relative[lines.is_note] for lines in _batches(held_out)])
    return {
        name: _figure(*(torch.cat(column) for column in zip(*own, strict=True)), true=true)
        for name, own in ways.items()
    }


def _figure(likelihood: Tensor, told: Tensor, error: Tensor, *, true: Tensor) -> TouchFigure:
    is_flat = told.std() < 1e-3  # all told alike
    return TouchFigure(
        nats=-likelihood.mean().item(),
        correlation=0.0 if is_flat else torch.corrcoef(torch.stack([told, true]))[0, 1].item(),
        error=error.float().mean().item(),
    )


def _batches(played: PlayedLines) -> list[Lines]:
    count = min(len(played), MOST_EXCERPTS)
    chosen = np.linspace(0, len(played) - 1, count).astype(np.int64)
    return [played.lines(chosen[first : first + ROWS]) for first in range(0, count, ROWS)]


def _steps(lines: Lines) -> Tensor:
    return (lines.features[..., STEP_IN_BAR] * _PLACES).round().long()


_PLACES = 48
"""The places in a bar whose accents are told apart: no two steps of a usual bar share one."""


def _before(lines: Lines) -> Float[Tensor, "batch note"]:
    return nn.functional.pad(lines.relative, (1, -1))


def _find_likeness(training: PlayedLines) -> float:
    """The correlation of a note's relative velocity with the last note's."""
    pairs = [
        torch.stack([lines.relative, _before(lines)])[:, lines.is_note]
        for lines in _batches(training)
    ]
    return float(torch.corrcoef(torch.cat(pairs, dim=1))[0, 1])


def _find_accents(training: PlayedLines) -> Float[Tensor, " _"]:
    """The mean of the relative velocities at each place in the bar."""
    sums, counts = torch.zeros(_PLACES), torch.zeros(_PLACES)
    for lines in _batches(training):
        places = _steps(lines)[lines.is_note]
        own = lines.relative[lines.is_note]
        sums.index_add_(0, places, own)
        counts.index_add_(0, places, torch.ones_like(own))
    return sums / counts.clamp_min(1)
