"""Touch: how loud each note of a line is, given the line and the notes before.

A line's events hold no loudness. `Touch` learns accents and phrasing: the velocity of a note
relative to the mean of its part (the level), in units of the part's standard deviation (the
spread). The mean of an excerpt alone would tell too much: it and the notes before nearly give the
last note away, and a model that learns this plays badly.
One network reads the whole line in both directions; a second network goes along the line and hears
how loud the last note was.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from musicvae.identity import compare_by_identity
from musicvae.model.event_heads import EventHeads
from musicvae.music.line_features import FEATURES
from musicvae.music.notes import VELOCITIES
from musicvae.representation.streams import Stream
from musicvae.runtime.shapes import PLAYER, READER
from musicvae.runtime.touch import USUAL_SCALE

DROPOUT = 0.4


@compare_by_identity
class Lines(NamedTuple):
    """Lines of notes with their velocities, filled up to the longest.

    Attributes:
        features: The features of each note, see `musicvae.music.line_features`.
        velocities: 1 to 127.
        counts: The number of notes of each line, 1 or more.
        level: The mean velocity of the part of each line.
        spread: The standard deviation of the velocities of the part.
    """

    features: Float[Tensor, "batch note _"]
    velocities: Int[Tensor, "batch note"]
    counts: Int[Tensor, " batch"]
    level: Float[Tensor, "batch 1"]
    spread: Float[Tensor, "batch 1"]

    @property
    def is_note(self) -> Bool[Tensor, "batch note"]:
        """Whether a line reaches so far."""
        numbers = torch.arange(self.velocities.shape[1], device=self.counts.device)
        return numbers < self.counts[:, None]

    @property
    def relative(self) -> Float[Tensor, "batch note"]:
        """The velocities from the level, in units of the spread."""
        return (self.velocities - self.level) / self.spread


class Touch(nn.Module):
    """The distribution of the velocities of a line.

    Attributes:
        spread: The usual standard deviation of the velocities of a part, for new music.
    """

    spread: Float[Tensor, ""]

    def __init__(self) -> None:
        super().__init__()
        self.reader = nn.LSTM(FEATURES, READER, batch_first=True, bidirectional=True)
        self.player = nn.LSTM(2 * READER + 1, PLAYER, batch_first=True)
        self.head = nn.Linear(2 * READER + PLAYER, 2)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        self.dropout = nn.Dropout(DROPOUT)
        self.velocity = EventHeads([Stream(name="velocity", size=len(VELOCITIES), is_number=True)])
        self.register_buffer("spread", torch.tensor(1.0))

    def log_prob(self, lines: Lines) -> Float[Tensor, "batch note"]:
        """Log likelihood of each velocity in nats; 0 past the end of a line."""
        return self.velocity_log_prob(self.parameters_of(lines), lines)

    def velocity_log_prob(
        self, parameters: Float[Tensor, "batch note 2"], lines: Lines
    ) -> Float[Tensor, "batch note"]:
        """Log likelihood of each velocity under some parameters."""
        events = lines.velocities[..., None] - VELOCITIES[0]
        return self.velocity.log_prob(parameters, events)[..., 0] * lines.is_note

    def parameters_of(self, lines: Lines) -> Float[Tensor, "batch note 2"]:
        """The distribution of each velocity, given the line and the velocities before."""
        level, spread = lines.level, lines.spread
        packed = nn.utils.rnn.pack_padded_sequence(
            lines.features, lines.counts.cpu(), batch_first=True, enforce_sorted=False
        )
        read, _ = nn.utils.rnn.pad_packed_sequence(self.reader(packed)[0], batch_first=True)
        read = self.dropout(read)
        before = nn.functional.pad(lines.relative, (1, -1))
        played, _ = self.player(torch.cat([read, before[..., None]], dim=-1))
        return self._distribute(torch.cat([read, played], dim=-1), level, spread)

    def _distribute(
        self,
        hidden: Float[Tensor, "batch note _"],
        level: Float[Tensor, "batch 1"],
        spread: Float[Tensor, "batch 1"],
    ) -> Float[Tensor, "batch note 2"]:
        middle, log_scale = self.head(hidden).float().unbind(-1)
        return to_parameters(level + spread * middle, spread * log_scale.exp())


def to_parameters(
    middle: Float[Tensor, "batch note"], spread: Float[Tensor, "batch note"]
) -> Float[Tensor, "batch note 2"]:
    """The parameters of `EventHeads`, on a scale from -1 to 1, for velocities around a middle.

    Args:
        middle: Velocities.
        spread: Standard deviations, of velocities that are spread as usual.
    """
    unit = 2 / (len(VELOCITIES) - 1)
    columns = [(middle - VELOCITIES[0]) * unit - 1, (USUAL_SCALE * unit * spread).log()]
    return torch.stack(columns, dim=-1)


def middles_of(parameters: Float[Tensor, "batch note 2"]) -> Float[Tensor, "batch note"]:
    """The middle velocity of each distribution; undoes `to_parameters`."""
    return (parameters[..., 0] + 1) / 2 * (len(VELOCITIES) - 1) + VELOCITIES[0]
