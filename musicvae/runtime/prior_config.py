"""The settings of a prior over events."""

from dataclasses import dataclass

from musicvae.errors import SettingError

_WIDTHS = ("event_size", "position_size", "hidden_size", "layers")


@dataclass(frozen=True, kw_only=True)
class PriorConfig:
    """The widths of a prior over events.

    Attributes:
        event_size: Size of the vector of all that a row hears.
        position_size: Size of the vector of the position in the bar.
        hidden_size: State of the LSTM.
        layers: Number of layers of the LSTM.
        dropout: Share of the inputs of each layer that training hides.
        has_chord_bias: Whether the chord of a step also raises and lowers its events directly, see
            `musicvae.model.chord_bias`; only where chords are a condition.
        lags: Distances in bars at which the prior hears, and may copy, what was played.
        styles: The names of the styles that the prior hears. A training run of drums takes the
            common styles of its data where none are set.
        temperature: Temperature of draws from the prior.
        top_p: Share of the probability that events are drawn from.
        guidance: Weight of the condition streams, such as chords, in draws: log probabilities are
            `guidance` times those with them, plus `1 - guidance` times those without.

    Raises:
        SettingError: If a setting is out of range.
    """

    event_size: int = 128
    position_size: int = 16
    hidden_size: int = 256
    layers: int = 2
    dropout: float = 0.15
    has_chord_bias: bool = False
    lags: tuple[int, ...] = ()
    styles: tuple[str, ...] = ()
    temperature: float = 1.0
    top_p: float = 0.995
    guidance: float = 1.0

    def __post_init__(self) -> None:
        for name, is_right, expected in (
            *((name, getattr(self, name) >= 1, "1 or more") for name in _WIDTHS),
            ("dropout", 0 <= self.dropout < 1, "0 to below 1"),
            ("lags", all(lag >= 1 for lag in self.lags), "a list of bars, each 1 or more"),
            ("styles", len(set(self.styles)) == len(self.styles), "each style once"),
            ("temperature", self.temperature > 0, "above 0"),
            ("top_p", 0 < self.top_p <= 1, "above 0 and at most 1"),
            ("guidance", 1 <= self.guidance <= 10, "1 to 10"),
        ):
            if not is_right:
                raise SettingError(
                    f"prior.{name}={getattr(self, name)}",
                    expected=expected,
                    action="Give a value in that range.",
                    field=f"prior.{name}",
                )
