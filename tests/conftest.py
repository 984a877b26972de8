"""What tests of several packages share: tiny experiments, prepared data and bundles."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hand_made import table_of, write_set

from musicvae import bundle
from musicvae.bundle.format import Bundle
from musicvae.bundle.modules import weights_of
from musicvae.data.manifest import Source
from musicvae.evaluation import evaluate
from musicvae.evaluation.evaluate import Sizes
from musicvae.experiment.build import build_model, build_prior
from musicvae.experiment.experiment import Experiment, TrainingConfig
from musicvae.experiment.presets import get_preset, melody_2bar
from musicvae.model.touch import Touch
from musicvae.music.notes import TimeGrid
from musicvae.representation import Melody, Trio
from musicvae.runtime.model_config import ModelConfig

# The programs that tests start must find the installed package, not the part of it in a checkout's
# folder musicvae/, which Python would put first.
os.environ["PYTHONSAFEPATH"] = "1"

# Two workers share two cores: with more threads they would wait for each other. The programs that
# tests start read the variable.
os.environ["OMP_NUM_THREADS"] = "1"
torch.set_num_threads(1)

pytest_plugins = ["engines", "evaluations", "shapes_by_task"]


@pytest.fixture(scope="session", autouse=True)
def cache_folder(tmp_path_factory):
    """A cache of our own: what was read before a change must not be found after it."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MUSICVAE_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def few_measures():
    """`evaluate` and `export` as commands, on a few excerpts and not on thousands."""
    sizes = Sizes(
        reconstructed=32, bounded=4, bound_draws=3, pairs=6, shifted=4, draws=16, compared=16
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate, "DEFAULT_SIZES", sizes)
        patch.setattr(evaluate, "QUICK_SIZES", sizes)
        yield sizes


SPLITS = {"train": 40, "validation": 12, "test": 20}


def tiny_experiment(**training: float) -> Experiment:
    """The preset's shape at a size that trains a step in a few milliseconds."""
    settings = {
        "steps": 20,
        "batch_size": 8,
        "warmup_steps": 2,
        "validate_every": 8,
        "validation_examples": 8,
        "prior_steps": 20,
    }
    return replace(
        melody_2bar(),
        name="tiny",
        model=ModelConfig(
            latent_size=8, event_size=8, position_size=4, encoder_size=12, decoder_size=24
        ),
        training=TrainingConfig(**{**settings, **training}),
    )


def random_melodies(count: int, seed: int, length_steps: int = 32) -> np.ndarray:
    """Walks over the scale, a note or a rest on some of the eighths."""
    random = np.random.default_rng(seed)
    events = np.zeros((count, length_steps, 1), np.int16)
    pitches = 40 + np.cumsum(random.integers(-2, 3, (count, length_steps // 2)), axis=1)
    kinds = random.choice(3, (count, length_steps // 2), p=[0.35, 0.1, 0.55])
    events[:, ::2, 0] = np.choose(kinds, [0, 1, pitches])
    events[:, 0, 0] = pitches[:, 0]
    return events


def write_data(
    directory: Path, splits: dict[str, int], *, bars: int = 2, grid: TimeGrid | None = None
) -> Path:
    """A prepared data set of random melodies, two excerpts to a piece."""
    representation = Melody(bars=bars).on_grid(grid or TimeGrid())
    tables = {
        name: table_of(
            random_melodies(count, seed, representation.length_steps),
            piece=[f"{name}-{row // 2}" for row in range(count)],
            source=["walks"] * count,
        )
        for seed, (name, count) in enumerate(splits.items())
    }
    source = Source(
        name="walks", licence="none needed", pieces=36, pieces_used=36, excerpts=dict(splits)
    )
    write_set(directory, representation, tables, sources=[source])
    return directory


FAMILY = (
    "melody-2bar",
    "melody-16bar",
    "drums-2bar",
    "groove-2bar",
    "trio-16bar",
    "leadsheet-4bar",
)
"""A preset for every kind of model that is served."""


def tiny_member(preset: str, *, has_chords: bool = False) -> Experiment:
    """A member of the family at a size that plays in milliseconds: at most 4 bars, and narrow.

    A trio has chords if it `has_chords`; bundles of trios were without chords at first.
    """
    experiment = get_preset(preset)
    representation = experiment.representation
    representation = replace(representation, bars=min(representation.bars, 4))
    if isinstance(representation, Trio):
        representation = replace(representation, chords=has_chords)
    # No product has as few as 8 columns: those round a row by its place in a batch of 8.
    widths = replace(
        experiment.model,
        latent_size=8,
        event_size=16,
        position_size=4,
        encoder_size=12,
        decoder_size=24,
        conductor_size=16,
        plan_size=16,
    )
    prior = replace(experiment.prior, event_size=16, position_size=4, hidden_size=16)
    return replace(experiment, representation=representation, model=widths, prior=prior)


def untrained_touch() -> Touch:
    """A touch whose velocities differ from note to note."""
    touch = Touch()
    torch.nn.init.normal_(touch.head.weight)
    return touch.eval()


def save_untrained(
    directory: Path,
    *,
    name: str = "tiny",
    seed: int = 0,
    preset: str = "",
    draws_events: bool = False,
    styles: tuple[str, ...] = (),
    grids: tuple[TimeGrid, ...] = (),
    progressions: torch.Tensor | None = None,
    **widths: int,
) -> Bundle:
    """Saves an untrained model with one vector an attribute, and loads it as anyone would.

    Its prior is over latents, or over events if it `draws_events`; then it hears the styles, and
    keeps the progressions, and a trio has chords.
    """
    has_chords = progressions is not None
    experiment = tiny_member(preset, has_chords=has_chords) if preset else tiny_experiment()
    experiment = replace(
        experiment,
        name=name,
        model=replace(experiment.model, **widths),
        prior=replace(experiment.prior, styles=styles),
        grids=grids,
    )
    known = experiment.representation.kind.attributes
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = build_model(experiment)
        # Untrained, it would play nearly the same for every latent: hold, in the end silence.
        weights = {key: 6 * value for key, value in weights_of(model).items()}
        vectors = {each.name: torch.randn(model.latent_size).numpy() for each in known}
        prior = build_prior(experiment) if draws_events else model.latent.make_prior()
        touch = untrained_touch() if preset.startswith(("melody", "trio", "lead")) else None
    if draws_events:
        has_key = experiment.representation.kind.name not in ("drums", "groove")
        prior.key_weights[..., slice(0, 24) if has_key else 24] = 1 / 24
        if prior.style_weights is not None:
            prior.style_weights[:] = 1 / len(prior.style_weights)
        prior.load_state_dict({key: 3 * value for key, value in prior.state_dict().items()})
        if progressions is not None:
            prior.keep_progressions(progressions)
    made = Bundle(
        name=name,
        version="",
        experiment=experiment,
        weights=weights,
        prior_weights=weights_of(prior),
        touch_weights={} if touch is None else weights_of(touch),
        draws_events=draws_events,
        attribute_vectors=vectors,
        card=f"# {name}\n\nUntrained.\n",
    )
    bundle.save(directory, made)
    return bundle.load(directory)


@pytest.fixture(scope="session")
def make_experiment() -> Callable[..., Experiment]:
    return tiny_experiment


@pytest.fixture(scope="session")
def make_bundle() -> Callable[..., Bundle]:
    return save_untrained


@pytest.fixture(scope="session")
def make_data() -> Callable[..., Path]:
    return write_data


@pytest.fixture(scope="session")
def melodies() -> Callable[..., np.ndarray]:
    return random_melodies


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny prepared data: 40 excerpts to train on, 12 to validate, 20 to test."""
    return write_data(tmp_path_factory.mktemp("data") / "walks", SPLITS)


@pytest.fixture(scope="session")
def bundle_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny untrained bundle."""
    folder = tmp_path_factory.mktemp("bundles") / "tiny"
    save_untrained(folder)
    return folder


@pytest.fixture(scope="session")
def family_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny untrained bundle of every kind of model, in a folder of the name of its preset."""
    folder = tmp_path_factory.mktemp("family")
    for seed, name in enumerate(FAMILY):
        save_untrained(folder / name, name=name, preset=name, seed=seed)
    return folder


@pytest.fixture(scope="session")
def family(family_folder: Path) -> dict[str, Bundle]:
    """The same, loaded, by name."""
    return {name: bundle.load(family_folder / name) for name in FAMILY}
