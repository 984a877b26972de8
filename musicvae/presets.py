"""Named experiments: functions that return everything a training run needs, as values.

A variant starts from another preset and replaces what differs, so that the difference is the
experiment.
"""

from collections.abc import Callable
from dataclasses import replace

from musicvae.errors import SettingError
from musicvae.experiment import Experiment, TrainingConfig
from musicvae.model import ModelConfig
from musicvae.notes import Meter
from musicvae.objective import Objective
from musicvae.representation import Melody


def melody_2bar() -> Experiment:
    """Two bars of melody, a flat decoder: the embedded bundle's."""
    return Experiment(
        name="melody-2bar",
        representation=Melody(bars=2, meter=Meter(4, 4)),
        model=ModelConfig(),
        objective=Objective(),
        training=TrainingConfig(),
    )


def melody_2bar_tiny() -> Experiment:
    """The same, small enough to learn something in two minutes on two cores."""
    preset = melody_2bar()
    return replace(
        preset,
        name="melody-2bar-tiny",
        model=replace(preset.model, latent_size=64, encoder_size=96, decoder_size=128),
        objective=replace(preset.objective, free_nats=32.0),
        training=replace(
            preset.training,
            steps=3_000,
            warmup_steps=100,
            validate_every=500,
            validation_examples=128,
        ),
    )


def melody_16bar() -> Experiment:
    """Sixteen bars of melody under a conductor."""
    preset = melody_2bar()
    return replace(
        preset,
        name="melody-16bar",
        representation=replace(preset.representation, bars=16),
        model=replace(preset.model, is_hierarchical=True, latent_size=384, plan_size=128),
        objective=replace(preset.objective, free_nats=256.0),
    )


PRESETS: dict[str, Callable[[], Experiment]] = {
    "melody-2bar": melody_2bar,
    "melody-2bar-tiny": melody_2bar_tiny,
    "melody-16bar": melody_16bar,
}


def get_preset(name: str) -> Experiment:
    """The experiment of that name.

    Raises:
        SettingError: If there is none.
    """
    if name not in PRESETS:
        raise SettingError(
            f"preset {name!r}",
            expected=f"one of {', '.join(PRESETS)}",
            action="Choose one of these; overlays change its details.",
            field="preset",
        )
    return PRESETS[name]()
