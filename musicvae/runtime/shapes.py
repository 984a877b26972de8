"""The names and shapes of the weights that belong to settings.

They are those of the torch modules in `musicvae.model`, which tests compare.
"""

import math
from collections.abc import Iterator, Mapping, Sequence

from musicvae.music.line_features import FEATURES
from musicvae.music.notes import TimeGrid
from musicvae.representation.key_relative import KEYS
from musicvae.representation.streams import Stream, generated_streams
from musicvae.runtime.listening import prior_columns
from musicvae.runtime.model_config import ModelConfig
from musicvae.runtime.prior_config import PriorConfig

Shape = tuple[int, ...]
Named = Iterator[tuple[str, Shape]]

STEPS_PER_QUARTER = 4

MOST_PARTS = 16
"""If an excerpt would have more parts, each bar is one part: else most weights would be the
posterior's."""

COUPLINGS = 8

HIDDEN_TIMES_LATENT = 24_576
"""A larger latent has narrower layers: a prior is small beside its model."""

MEMORY_SIZE = 128
"""The state of the memory of a prior bar after bar."""

READER, PLAYER = 48, 32
"""The widths of the two networks of touch. Wider networks learnt no more from 640 songs."""


def parts_of_bar(steps_per_bar: int) -> int:
    """The parts of a bar whose mean states the encoder keeps."""
    return steps_per_bar // math.gcd(steps_per_bar, STEPS_PER_QUARTER)


def parts_of_excerpt(bars: int, steps_per_bar: int) -> int:
    """The parts of an excerpt whose mean states an encoder without bars keeps."""
    parts = bars * parts_of_bar(steps_per_bar)
    return parts if parts <= MOST_PARTS else bars


def coupling_width(latent_size: int, context_size: int) -> int:
    """The width of the layers of a flow's coupling."""
    return max(16, context_size, min(2 * latent_size, HIDDEN_TIMES_LATENT // latent_size))


def model_shapes(
    config: ModelConfig,
    streams: Sequence[Stream],
    *,
    bars: int,
    steps_per_bar: Mapping[TimeGrid, int],
) -> dict[str, Shape]:
    """The weights of a `MusicVAE`."""
    sizes = (config.event_size, config.position_size)
    embedded, first = sum(sizes), next(iter(steps_per_bar.values()))
    state, layers = config.encoder_size, config.encoder_layers

    def shapes() -> Named:
        yield from _embedding("encoder.embedding.", streams, steps_per_bar, *sizes)
        if config.is_by_bar:
            plan = summary = config.plan_size
            width = 2 * state * (1 + parts_of_bar(first))
            yield from _lstm("encoder.bar.lstm.", embedded, state, layers, is_both_ways=True)
            yield from _linear("encoder.code.", width, plan)
            yield from _lstm("encoder.excerpt.", plan, state, layers, is_both_ways=True)
            summary += 2 * state
            size, count = config.conductor_size, config.conductor_layers
            share = config.latent_size
            yield from _linear("decoder.conductor.initial.", share, 2 * count * size)
            yield from _linear("decoder.conductor.share.", share, plan)
            yield from _lstm("decoder.conductor.lstm.", plan, size, count)
            yield from _linear("decoder.conductor.plan.", size, plan)
        else:
            plan = config.latent_size
            summary = 2 * state * (1 + parts_of_excerpt(bars, first))
            yield from _lstm("encoder.excerpt.lstm.", embedded, state, layers, is_both_ways=True)
        yield from _linear("posterior.", summary, 2 * config.latent_size)
        outputs = parameter_sizes(generated_streams(streams))
        outputs = outputs if config.has_decoder_per_stream else [sum(outputs)]
        for number, output in enumerate(outputs):
            part = f"decoder.bar_decoders.{number}."
            size, count = config.decoder_size, config.decoder_layers
            yield from _embedding(f"{part}embedding.", streams, steps_per_bar, *sizes)
            yield from _linear(f"{part}initial.", plan, 2 * count * size)
            yield from _lstm(f"{part}lstm.", embedded + plan, size, count)
            yield from _linear(f"{part}output.", size, output)

    return dict(shapes())


def event_prior_shapes(
    config: PriorConfig,
    streams: Sequence[Stream],
    *,
    bars: int,
    steps_per_bar: Mapping[TimeGrid, int],
) -> dict[str, Shape]:
    """The weights of an `EventPrior`, without its progressions."""
    generated = generated_streams(streams)
    styles, lags, size = len(config.styles), len(config.lags), config.hidden_size
    columns = prior_columns(streams, bars=bars, styles=styles, lags=config.lags)
    sizes = (config.event_size, config.position_size)
    outputs = sum(parameter_sizes(generated))

    def shapes() -> Named:
        grids = len(steps_per_bar)
        yield "key_weights", (KEYS + 1,) if grids == 1 else (grids, KEYS + 1)
        if styles:
            yield "style_weights", (styles + 1,)
        yield from _embedding("embedding.", columns, steps_per_bar, *sizes)
        for layer in range(config.layers):
            yield from _lstm(f"lstms.{layer}.", size if layer else sum(sizes), size, 1)
        yield from _linear("output.", size, outputs)
        if config.has_chord_bias and len(generated) < len(streams):
            yield "chord_bias.weight", (outputs, 36)
        if lags:
            yield from _linear("choice.", size, len(generated) * (1 + lags))

    return dict(shapes())


def latent_prior_shapes(config: ModelConfig, bars: int) -> dict[str, Shape]:
    """The weights of a `FlowPrior`, or of a `BarPrior`."""
    share = config.latent_size
    if not config.is_by_bar or bars == 1:
        return dict(_flow("", share, 0))

    def shapes() -> Named:
        yield "going_on", (bars - 1,)
        yield "kept", (share,)
        yield "log_spread", (share,)
        yield from _lstm("memory.", share + bars, MEMORY_SIZE, 1)
        yield from _flow("new.", share, MEMORY_SIZE)
        yield from _linear("choice.", MEMORY_SIZE, bars)

    return dict(shapes())


def touch_shapes() -> dict[str, Shape]:
    """The weights of a `Touch`."""

    def shapes() -> Named:
        yield "spread", ()
        yield from _lstm("reader.", FEATURES, READER, 1, is_both_ways=True)
        yield from _lstm("player.", 2 * READER + 1, PLAYER, 1)
        yield from _linear("head.", 2 * READER + PLAYER, 2)

    return dict(shapes())


def parameter_sizes(streams: Sequence[Stream]) -> list[int]:
    """The number of parameters of an event of each generated stream."""
    return [2 if each.is_number else each.size for each in streams]


def _embedding(
    name: str,
    streams: Sequence[Stream],
    steps_per_bar: Mapping[TimeGrid, int],
    event_size: int,
    position_size: int,
) -> Named:
    numbers = sum(each.is_number for each in streams)
    yield (
        f"{name}events.weight",
        (sum(each.size + 1 for each in streams if not each.is_number), event_size),
    )
    if numbers:
        yield f"{name}lines.weight", (event_size, numbers)
    yield f"{name}positions.weight", (sum(steps_per_bar.values()), position_size)


def _linear(name: str, inputs: int, outputs: int) -> Named:
    yield f"{name}weight", (outputs, inputs)
    yield f"{name}bias", (outputs,)


def _lstm(name: str, inputs: int, size: int, layers: int, *, is_both_ways: bool = False) -> Named:
    ways = ["", "_reverse"] if is_both_ways else [""]
    for layer in range(layers):
        read = len(ways) * size if layer else inputs
        for way in ways:
            end = f"_l{layer}{way}"
            yield f"{name}weight_ih{end}", (4 * size, read)
            yield f"{name}weight_hh{end}", (4 * size, size)
            yield f"{name}bias_ih{end}", (4 * size,)
            yield f"{name}bias_hh{end}", (4 * size,)


def _flow(name: str, latent_size: int, context_size: int) -> Named:
    width, moved = coupling_width(latent_size, context_size), latent_size // 2
    # A latent of one number has no halves.
    for number in range(COUPLINGS if latent_size > 1 else 0):
        part = f"{name}couplings.{number}.layers."
        yield from _linear(f"{part}0.", latent_size - moved + context_size, width)
        yield from _linear(f"{part}2.", width, width)
        yield from _linear(f"{part}4.", width, 2 * moved)
