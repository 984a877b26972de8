"""Plots the schedules of a preset: learning rate, beta, share of the decoder's own samples.

Run it as `python benchmarks/schedules.py melody-2bar --set objective.teacher_decay=2000`.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from musicvae.experiment.experiment import overlay
from musicvae.experiment.objective import beta_at, sampled_share_at
from musicvae.experiment.presets import PRESETS, get_preset
from musicvae.training.module import learning_rate_share

POINTS = 400


def main() -> None:
    """Plots three curves in one picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("preset", choices=PRESETS)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", dest="settings")
    parser.add_argument("--out", type=Path, default=Path("build/schedules.png"))
    options = parser.parse_args()
    experiment = overlay(get_preset(options.preset), settings=options.settings)
    objective, training = experiment.objective, experiment.training
    curves: dict[str, Callable[[int], float]] = {
        "learning rate": lambda step: training.learning_rate * learning_rate_share(training, step),
        "beta": lambda step: beta_at(objective, step),
        "share of past events that are the decoder's own": lambda step: sampled_share_at(
            objective, step
        ),
    }
    steps = [training.steps * point // POINTS for point in range(POINTS + 1)]
    figure = Figure(figsize=(9, 6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(curves), sharex=True)
    for axis, (name, curve) in zip(axes, curves.items(), strict=True):
        axis.plot(steps, [curve(step) for step in steps])
        axis.set_title(name, loc="left", fontsize=10)
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
    axes[-1].set_xlabel("optimiser step")
    figure.suptitle(experiment.name)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(options.out, dpi=100)


if __name__ == "__main__":
    main()
