"""The settings of a model."""

from dataclasses import dataclass, fields

from musicvae.errors import SettingError

GAUSSIAN, BARS = "gaussian", "bars"


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The kind of latent and the widths of a model; the representation gives the rest.

    Attributes:
        latent: Kind of latent: `gaussian`, one for the whole excerpt; or `bars`, a share for every
            bar, under a conductor.
        has_decoder_per_stream: Whether every stream has a bar decoder of its own; each reads the
            events of all streams at the step before.
        latent_size: Size of the latent; with `bars`, of each bar's share of it.
        event_size: Size of the vector of a step's events.
        position_size: Size of the vector of a step's place in the bar.
        encoder_size: State of the encoder's LSTM in each direction.
        encoder_layers: Number of layers of the encoder's LSTM.
        decoder_size: State of the (bar) decoder's LSTM.
        decoder_layers: Number of layers of the (bar) decoder's LSTM.
        conductor_size: State of the conductor's LSTM; only with `bars`.
        conductor_layers: Number of layers of the conductor's LSTM; only with `bars`.
        plan_size: Size of one bar's plan, and of a bar's code in the encoder; only with `bars`.

    Raises:
        SettingError: If there is no such kind of latent, or a width is below 1.
    """

    latent: str = GAUSSIAN
    has_decoder_per_stream: bool = False
    latent_size: int = 128
    event_size: int = 64
    position_size: int = 16
    encoder_size: int = 256
    encoder_layers: int = 1
    decoder_size: int = 256
    decoder_layers: int = 2
    conductor_size: int = 256
    conductor_layers: int = 2
    plan_size: int = 128

    def __post_init__(self) -> None:
        if self.latent not in (GAUSSIAN, BARS):
            raise SettingError(
                f"model.latent={self.latent}",
                expected=f"{GAUSSIAN} or {BARS}",
                action="Choose one of these.",
                field="model.latent",
            )
        for field in fields(self):
            if field.type is int and getattr(self, field.name) < 1:
                raise SettingError(
                    f"model.{field.name}={getattr(self, field.name)}",
                    expected="1 or more",
                    action="Give a positive width.",
                    field=f"model.{field.name}",
                )

    @property
    def is_by_bar(self) -> bool:
        """Whether a latent has a share for each bar."""
        return self.latent == BARS

    def whole_size(self, bars: int) -> int:
        """The size of the latent of an excerpt."""
        return self.latent_size * (bars if self.is_by_bar else 1)
