"""Named experiments: functions that return everything a training run needs, as values.

A variant starts from another preset and replaces some settings, so that the difference is the
experiment.
"""

from dataclasses import replace

from musicvae.errors import SettingError
from musicvae.experiment.experiment import Experiment, TrainingConfig
from musicvae.experiment.objective import Objective
from musicvae.representation import Drums, Groove, LeadSheet, Melody, Trio
from musicvae.runtime.model_config import ModelConfig


def melody_2bar() -> Experiment:
    """Two bars of melody, a flat decoder."""
    return Experiment(
        name="melody-2bar",
        representation=Melody(bars=2),
        model=ModelConfig(),
        objective=Objective(),
        training=TrainingConfig(),
    )


def melody_16bar() -> Experiment:
    """Sixteen bars of melody under a conductor."""
    preset = melody_2bar()
    return replace(
        preset,
        name="melody-16bar",
        prior=replace(preset.prior, lags=(1, 2, 4, 8)),
        prior_training=replace(preset.prior_training, batch_size=8),
        representation=Melody(bars=16),
        model=replace(preset.model, latent="bars", latent_size=32, conductor_layers=1),
        objective=replace(preset.objective, beta_max=0.5, free_nats=256.0),
    )


def melody_16bar_flat() -> Experiment:
    """The same sixteen bars without a conductor: the paper's baseline."""
    preset = melody_16bar()
    return replace(
        preset,
        name="melody-16bar-flat",
        model=replace(preset.model, latent="gaussian", latent_size=512),
    )


def drums_2bar() -> Experiment:
    """Two bars of drums, one event of 512 a step."""
    preset = melody_2bar()
    return replace(
        preset,
        name="drums-2bar",
        representation=Drums(bars=2),
        prior=replace(preset.prior, lags=(1,), dropout=0.4, temperature=1.05, top_p=1.0),
        objective=replace(preset.objective, beta_max=0.1),
        training=replace(preset.training, recombined_share=0.5),
    )


def groove_2bar() -> Experiment:
    """Two bars of drums with velocities and offsets, as drummers played them (GrooVAE)."""
    preset = melody_2bar()
    return replace(
        preset,
        name="groove-2bar",
        representation=Groove(bars=2),
        objective=replace(preset.objective, beta_max=0.1, free_nats=48.0, rare_hit_power=0.7),
        training=replace(preset.training, recombined_share=0.5, reduced_share=0.5),
    )


def trio_16bar() -> Experiment:
    """Sixteen bars of melody, bass and drums, with chords as a condition.

    One conductor plans the bars, and each part has a bar decoder.
    """
    preset = melody_16bar()
    return replace(
        preset,
        name="trio-16bar",
        representation=Trio(bars=16, chords=True),
        prior=replace(preset.prior, event_size=64, hidden_size=192, has_chord_bias=True),
        model=replace(
            preset.model,
            has_decoder_per_stream=True,
            latent_size=64,
            encoder_size=192,
            decoder_size=192,
            conductor_size=96,
        ),
        objective=replace(preset.objective, beta_max=0.6),
        training=replace(preset.training, recombined_share=0.25, has_balanced_sources=True),
        prior_training=replace(preset.prior_training, has_balanced_sources=True),
    )


def leadsheet_4bar() -> Experiment:
    """Four bars of melody, with chords as a condition."""
    preset = melody_16bar()
    return replace(
        preset,
        name="leadsheet-4bar",
        representation=LeadSheet(bars=4),
        prior=replace(preset.prior, lags=(1, 2)),
        prior_training=replace(preset.prior_training, batch_size=16),
        objective=replace(preset.objective, beta_max=0.2, free_nats=64.0),
    )


def tiny(preset: Experiment) -> Experiment:
    """A preset made so small that it learns something in minutes on two cores."""
    model, training = preset.model, preset.training
    return replace(
        preset,
        name=f"{preset.name}-tiny",
        model=replace(
            model,
            latent_size=model.latent_size // 2,
            encoder_size=96,
            decoder_size=128,
            conductor_size=128,
        ),
        training=replace(
            training,
            steps=3_000,
            warmup_steps=100,
            level_steps=1_000,
            validate_every=500,
            validation_examples=128,
            prior_steps=1_500,
        ),
        prior=replace(preset.prior, event_size=64, hidden_size=96),
        prior_training=replace(
            preset.prior_training, steps=1_000, level_steps=500, validation_examples=128
        ),
    )


def paper(preset: Experiment) -> Experiment:
    """A preset in the paper's sizes, for a GPU and a large collection.

    Source: Roberts et al. 2018, section 5.1, and the settings in Magenta's code.
    """
    has_conductor = preset.model.is_by_bar
    is_long = preset.representation.bars > 2
    return replace(
        preset,
        name=f"{preset.name}-paper",
        model=replace(
            preset.model,
            latent_size=512 // preset.representation.bars if has_conductor else 512,
            encoder_size=2048,
            encoder_layers=2 if is_long else 1,
            decoder_size=1024 if has_conductor else 2048,
            decoder_layers=2 if has_conductor else 3,
            conductor_size=1024,
            conductor_layers=2,
            plan_size=512,
        ),
        training=replace(preset.training, batch_size=512, learning_rate=1e-3, steps=200_000),
    )


_FAMILY = (
    melody_2bar(),
    melody_16bar(),
    melody_16bar_flat(),
    drums_2bar(),
    groove_2bar(),
    trio_16bar(),
    leadsheet_4bar(),
)

PRESETS: dict[str, Experiment] = {
    experiment.name: experiment
    for member in _FAMILY
    for experiment in (member, tiny(member), paper(member))
}
"""Every preset by its name."""


def get_preset(name: str) -> Experiment:
    """Looks a preset up by its name.

    Raises:
        SettingError: If there is no such preset.
    """
    if name not in PRESETS:
        raise SettingError(
            f"preset {name!r}",
            expected=f"one of {', '.join(PRESETS)}",
            action="Choose one of these; `settings` and `overlay` change its settings.",
            field="preset",
        )
    return PRESETS[name]
