"""The prior over events: a language model of music that hears key, chords and style.

New music is drawn here, event by event, and then encoded: the mean of its posterior is the latent
of a draw. So p(z) is the mean of the posteriors of drawn music. Priors that were fitted to latents
(flows, flow matching) left the key and leapt.

Conventions: music is relative to its key: it has been moved so that the tonic is C, by at most six
semitones. Stream s of a step stands `delays[s]` rows after the step, so that each stream hears the
streams before it at the same step; the rows at both ends that hold no event of a stream hold
`unknown`.

Sources: Tomczak and Welling 2018, VAE with a VampPrior, section 2 (the best prior of a trained
model is the mean of its posteriors; here of music that a model draws); Copet et al. 2023, Simple
and Controllable Music Generation, section 2.2 (the delays); See et al. 2017, Get To The Point,
section 2.2 (the mixture of new and copied events); Ho and Salimans 2022, Classifier-Free Diffusion
Guidance, section 3.2 (the guidance).
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float, Int, Num
from torch import Tensor, nn

from musicvae.model.chord_bias import ChordBias
from musicvae.model.conditions import NO_CONDITIONS, Conditions
from musicvae.model.event_embedding import EventEmbedding
from musicvae.model.event_heads import EventHeads
from musicvae.model.torch_runtime import to_array
from musicvae.music.notes import TimeGrid
from musicvae.representation.key_relative import KEYS
from musicvae.representation.streams import Stream, generated_streams
from musicvae.runtime.decoding import State, Stepped
from musicvae.runtime.graph import AnyArray
from musicvae.runtime.listening import ALIKE_ROWS, copied_columns, prior_columns
from musicvae.runtime.prior_columns import PriorColumns
from musicvae.runtime.prior_config import PriorConfig
from musicvae.runtime.prior_draws import PriorDraws


class EventPrior(nn.Module):
    """p(events | key, style, conditions), row after row.

    Args:
        config: The widths.
        streams: The columns of an event tensor.
        bars: Number of bars of an excerpt.
        steps_per_bar: Length of a bar on each grid that the prior plays; the first is the default.
    """

    def __init__(
        self,
        config: PriorConfig,
        *,
        streams: Sequence[Stream],
        bars: int,
        steps_per_bar: Mapping[TimeGrid, int],
    ) -> None:
        super().__init__()
        self.config = config
        self._streams, self._bars, self._steps_per_bar = streams, bars, steps_per_bar
        # The share of each key in the training music, by its number; the last is of no key. Of
        # several grids each has a row.
        grids = len(steps_per_bar)
        shape = (KEYS + 1,) if grids == 1 else (grids, KEYS + 1)
        self.register_buffer("key_weights", torch.zeros(shape))
        self.key_weights: Float[Tensor, "*grid key"]
        # Likewise the share of each style; the last is of no style.
        shares = torch.zeros(len(config.styles) + 1) if config.styles else None
        self.register_buffer("style_weights", shares)
        self.style_weights: Float[Tensor, " style"] | None
        # See `musicvae.runtime.progressions`; only bundles of music over chords keep them.
        self.register_buffer("progressions", None)
        self.progressions: Int[Tensor, "progression _"] | None
        generated = generated_streams(streams)
        told = streams[len(generated) :]
        self.heads = EventHeads(generated)
        self._told = PriorColumns(config, streams, bars=bars, steps_per_bar=steps_per_bar)
        self.columns = prior_columns(
            streams, bars=bars, styles=len(config.styles), lags=config.lags
        )
        self._copied = copied_columns(
            len(self.columns), generated=len(generated), lags=len(config.lags)
        )
        self.embedding = EventEmbedding(
            streams=self.columns,
            steps_per_bar=steps_per_bar,
            event_size=config.event_size,
            position_size=config.position_size,
        )
        sizes = [self.embedding.size, *[config.hidden_size] * config.layers]
        self.lstms = nn.ModuleList(
            nn.LSTM(size, config.hidden_size, batch_first=True) for size in sizes[:-1]
        )
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(config.hidden_size, sum(self.heads.parameter_sizes))
        has_bias = config.has_chord_bias and bool(told)
        self.chord_bias = ChordBias(self.heads.parameter_sizes) if has_bias else None
        choices = len(generated) * (1 + len(config.lags))
        self.choice = nn.Linear(config.hidden_size, choices) if config.lags else None

    @property
    def draws(self) -> PriorDraws:
        """The prior, to draw from; it shares its weights with this module."""
        return PriorDraws(
            self,
            self.config,
            {name: to_array(each) for name, each in self.named_buffers() if "." not in name},
            streams=self._streams,
            bars=self._bars,
            steps_per_bar=self._steps_per_bar,
        )

    def keys_in(self, grid: TimeGrid | None) -> Float[Tensor, " key"]:
        """The share of each key in the training music of a grid, to be read or written."""
        number = 0 if grid is None else list(self._steps_per_bar).index(grid)
        return self.key_weights.view(-1, KEYS + 1)[number]

    def keep_progressions(self, progressions: Num[Tensor, "progression _"]) -> None:
        """Keeps progressions, so that chords can be drawn."""
        self.progressions = progressions.to(torch.int16)

    def log_prob(
        self,
        events: Int[Tensor, "batch step stream"],
        conditions: Conditions = NO_CONDITIONS,
    ) -> Float[Tensor, " batch"]:
        """Log likelihood of each excerpt in nats.

        Args:
            events: Events of the generated streams, relative to the keys of the conditions.
            conditions: The keys, the styles, and the condition streams relative to the keys.
        """
        rows = torch.from_numpy(self._told.delay(events.cpu().numpy())).to(events.device)
        is_event = rows < self.heads.unknown
        columns = self.columns_of(conditions, len(events))
        parameters = self.parameters_of(rows, columns, conditions.grid)
        likelihood = self.heads.log_prob(parameters, torch.where(is_event, rows, 0))
        return (likelihood * is_event).sum((1, 2))

    def columns_of(self, conditions: Conditions, count: int) -> Int[Tensor, "batch row _column"]:
        """The columns of the conditions of each row."""
        columns = self._told.join(conditions.to_arrays(), count)
        return torch.from_numpy(columns).to(self.heads.unknown.device)

    def start(self, rows: int) -> State:
        """See `PriorNetwork`."""
        size = self.output.in_features
        return tuple(torch.zeros(rows, size).numpy() for _ in range(2 * len(self.lstms)))

    @torch.no_grad()
    def bias(
        self, chords: Int[np.ndarray, "batch stream 2"]
    ) -> Float[np.ndarray, "batch parameter"]:
        """See `PriorNetwork`."""
        assert self.chord_bias is not None
        return to_array(self.chord_bias(torch.from_numpy(chords).flatten(1)[:, None])[:, 0])

    @torch.no_grad()
    def step(
        self,
        state: State,
        columns: Int[np.ndarray, "batch _column"],
        bias: Float[np.ndarray, "batch parameter"] | None,
        number: int,
        grid: TimeGrid | None,
    ) -> Stepped[AnyArray]:
        """See `PriorNetwork`."""
        read = torch.from_numpy(columns)[:, None]
        output = self.embedding(read, grid, first_step=number)[:, 0]
        after: list[Tensor] = []
        for layer, lstm in enumerate(self.lstms):
            hidden, cell = map(torch.from_numpy, state[2 * layer : 2 * layer + 2])
            assert isinstance(lstm, nn.LSTM)
            output, cell = torch.lstm_cell(output, (hidden, cell), *lstm.all_weights[0])
            after += [output, cell]
        direct = None if bias is None else torch.from_numpy(bias)[:, None]
        parameters = self._mix(output[:, None], read, direct)[:, 0]
        return Stepped(to_array(parameters), tuple(map(to_array, after)))

    def parameters_of(
        self,
        rows: Int[Tensor, "batch row stream"],
        columns: Int[Tensor, "batch row _column"],
        grid: TimeGrid | None = None,
    ) -> Float[Tensor, "batch row _"]:
        """The heads' parameters of every row, given the rows before it."""
        unknown = self.heads.unknown.expand(len(rows), 1, -1)
        previous = torch.cat([unknown, rows[:, :-1]], dim=1)
        # The last columns are those that only the chord bias reads.
        told, chords = columns.tensor_split([columns.shape[-1] - self._told.bias], dim=-1)
        read = torch.cat([previous, told, self._hear(rows, grid)], dim=-1)
        output = self.embedding(read, grid)
        for lstm in self.lstms:
            output, _ = lstm(self.dropout(output))
        bias = None if self.chord_bias is None else self.chord_bias(chords)
        return self._mix(self.dropout(output), read, bias)

    def _hear(
        self, rows: Int[Tensor, "batch row stream"], grid: TimeGrid | None
    ) -> Int[Tensor, "batch row _column"]:
        """Looks back from each row over all rows before it, as `ListeningStep` does row by row.

        The first columns hold the last event of each stream that was not 0: the sounding pitch.
        Each lag adds the events of the row so many rows before, and counts how many of the last
        rows repeated the rows at that lag.
        """
        number = torch.arange(rows.shape[1])
        is_sound = (rows > 0) & (rows < self.heads.unknown)
        last = torch.where(is_sound, number[:, None], -1).cummax(dim=1).values
        last = torch.cat([torch.full_like(last[:, :1], -1), last[:, :-1]], dim=1)
        sounding = torch.where(last >= 0, rows.gather(1, last.clamp(min=0)), self.heads.unknown)
        heard = [sounding]
        for lag in (bars * self._told.steps_per_bar[grid] for bars in self.config.lags):
            before = (number - lag).clamp(min=0)
            there = torch.where((number >= lag)[:, None], rows[:, before], self.heads.unknown)
            window = number[:, None] - 1 - torch.arange(ALIKE_ROWS)
            same = rows[:, window.clamp(min=0)] == rows[:, (window - lag).clamp(min=0)]
            heard += [there, (same & (window >= lag)[..., None]).sum(dim=2)]
        return torch.cat(heard, dim=-1)

    def _mix(
        self,
        output: Float[Tensor, "batch row hidden"],
        read: Int[Tensor, "batch row _column"],
        bias: Float[Tensor, "batch row _"] | None,
    ) -> Float[Tensor, "batch row _"]:
        """Mixes new events with copies of the events at the lags; gives logarithms."""
        parameters: Tensor = self.output(output)
        if bias is not None:
            parameters = parameters + bias
        if self.choice is None:
            return parameters
        count = len(self._told.delays)
        choice = self.choice(output).float().unflatten(-1, (count, -1))
        blocks = []
        for stream, logits in enumerate(parameters.split(self.heads.parameter_sizes, dim=-1)):
            size = logits.shape[-1]
            copied = read[..., self._copied[stream]]
            is_there = torch.cat([torch.ones_like(copied[..., :1]) > 0, copied < size], dim=-1)
            weights = choice[..., stream, :].masked_fill(~is_there, -torch.inf).softmax(-1)
            new = logits.float().softmax(-1) * weights[..., :1]
            mixed = new.scatter_add(-1, copied.clamp(max=size - 1), weights[..., 1:])
            blocks.append(mixed.clamp_min(torch.finfo(torch.float32).tiny).log())
        return torch.cat(blocks, dim=-1)
