"""Measures whether a model of drums hears the style that it is told.

The likelihood: nats of the validation excerpts that have a style, under the prior that is told the
right style, no style, or a random style.

The classifier: a small network learns styles from the training split, without a fifth of the pieces
of each style. It then names the styles of excerpts of these pieces, and of draws in each style, as
the model plays them; each style counts as much as any other.

    python benchmarks/styles.py BUNDLE --data drums
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Int16
from rich.console import Console
from torch import Tensor, nn

from musicvae.bundle.format import load
from musicvae.bundle.modules import modules_of
from musicvae.data import shards
from musicvae.data.relative import keys_of, make_batch, styles_of
from musicvae.data.shards import ExampleSet
from musicvae.evaluation.decoding import encode, play
from musicvae.model.event_prior import EventPrior
from musicvae.representation import Drums, hits
from musicvae.runtime.conditions import Conditions
from musicvae.runtime.draws import draw_music
from musicvae.temperature import SAMPLE_TEMPERATURE

DRAWS = 64  # of each style
STEPS, BATCH = 1_500, 128


def measure_nats(prior: EventPrior, examples: ExampleSet, drums: Drums) -> dict[str, float]:
    """The mean nats of the excerpts that have a style, by the style that is told."""
    count = len(prior.config.styles)
    right = styles_of(examples, prior.config.styles)
    random = np.random.default_rng(0).integers(0, count, len(right))
    nats = {}
    ways = {
        "the right style": right,
        "no style": np.full_like(right, count),
        "a random style": random,
    }
    for name, told in ways.items():
        batch = make_batch(drums, examples.events[:], keys_of(examples), told)
        rows = torch.arange(len(right))[torch.from_numpy(right) < count].split(BATCH)
        with torch.inference_mode():
            each = [prior.log_prob(batch.events[part], batch.conditions[part]) for part in rows]
        nats[name] = -float(torch.cat(each).mean())
    return nats


def describe(events: Int16[np.ndarray, "batch step 1"]) -> Float[Tensor, "batch _"]:
    """The hits of each class at each step, in each bar and at each place of the beat."""
    played = hits.split_hits(events[..., 0]).astype(np.float32)
    beats = played.reshape(len(played), -1, 4, played.shape[-1]).sum(1)
    parts = (played, played.sum(1), beats)
    return torch.from_numpy(np.concatenate([each.reshape(len(each), -1) for each in parts], 1))


def train_classifier(x: Float[Tensor, "batch _"], y: Int[Tensor, " batch"]) -> nn.Module:
    """Learns styles; each style weighs as much as any other."""
    torch.manual_seed(0)
    counts = torch.bincount(y)
    weight = counts.sum() / (len(counts) * counts)
    sizes = (x.shape[1], BATCH, len(counts))
    model = nn.Sequential(nn.Linear(*sizes[:2]), nn.ReLU(), nn.Dropout(0.5), nn.Linear(*sizes[1:]))
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=0.05)
    for _ in range(STEPS):
        rows = torch.randint(len(x), (BATCH,))
        loss = nn.functional.cross_entropy(model(x[rows]), y[rows], weight=weight)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


def leave_out(pieces: np.ndarray, styles: Int[np.ndarray, " batch"]) -> Bool[np.ndarray, " batch"]:
    """Marks the excerpts of a fifth of the pieces of each style, at least one piece."""
    random, left = np.random.default_rng(1), np.zeros(len(styles), np.bool_)
    for style in np.unique(styles):
        own = np.unique(pieces[styles == style].astype(str))
        chosen = random.permutation(own)[: max(1, len(own) // 5)]
        left |= (styles == style) & np.isin(pieces.astype(str), chosen)
    return left


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("bundle", help="a model of drums that knows styles")
    parser.add_argument("--data", type=Path, required=True, help="its prepared data set")
    options = parser.parse_args()
    bundle = load(options.bundle)
    modules, drums = modules_of(bundle), bundle.representation
    prior = modules.prior
    assert isinstance(prior, EventPrior)
    assert isinstance(drums, Drums)
    names, console = prior.config.styles, Console()
    for told, nats in measure_nats(prior, shards.load(options.data, "validation"), drums).items():
        console.print(f"validation, told {told}: {nats:.2f} nats")

    training = shards.load(options.data, "train")
    styles = styles_of(training, names)
    has_style, left = styles < len(names), leave_out(training.pieces, styles)
    rows = np.flatnonzero(has_style & ~left)
    model = train_classifier(describe(training.events[rows]), torch.from_numpy(styles[rows]))
    drawn = []
    for style in range(len(names)):
        told = Conditions(styles=np.full(DRAWS, style))
        each = draw_music(prior.draws, drums, seed=0, rows=range(DRAWS), conditions=told)
        z = encode(modules.model, drums, each.events).mean
        drawn.append(play(modules.model, drums, z, each.events, temperature=SAMPLE_TEMPERATURE))
    held_out = np.flatnonzero(has_style & left)
    for name, events, told in (
        ("pieces left out", training.events[held_out], styles[held_out]),
        ("draws", np.concatenate(drawn), np.repeat(np.arange(len(names)), DRAWS)),
    ):
        with torch.inference_mode():
            is_right = model(describe(events)).argmax(1).numpy() == told
        shares = [is_right[told == style].mean() for style in np.unique(told)]
        console.print(f"{name}: the style of {np.mean(shares):.3f} is named (of {len(names)})")


if __name__ == "__main__":
    main()
