"""The balance of faithful reconstruction and good draws: one run trained on at several betas.

Each point starts from the weights of the same run, trains for the same number of steps at its beta,
and is measured on the validation split: nats of the latent against sampled accuracy, the bound on
the likelihood, and the overlap of draws with the data, from the Gaussian and from the fitted prior.
Points already in `--out` are not trained or measured again; give each run its own `--out`.

Run it as `python benchmarks/rate_distortion.py RUN --data melodies`.
"""

import argparse
import json
import statistics
from dataclasses import replace
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from musicvae.bundle.prior_fit import fit_prior
from musicvae.evaluation.decoding import canonical
from musicvae.evaluation.likelihood import bound
from musicvae.evaluation.prior_samples import compare_prior_samples, draw_new
from musicvae.evaluation.reconstruction import reconstruct
from musicvae.evaluation.subject import choose, load_data, transposed
from musicvae.experiment.build import build_model
from musicvae.model.latent.flow_prior import FlowPrior
from musicvae.temperature import SAMPLE_TEMPERATURE
from musicvae.training import RunSettings, load_run, train
from musicvae.training.checkpoints import LAST

BETAS = (0.05, 0.1, 0.2, 0.4, 0.8)
BOUNDED = 256
DRAWS = 2_048
COMPARED = 8_192


def measure(folder: Path, data_folder: Path, seed: int) -> dict[str, float]:
    """One point of the curve."""
    run = load_run(folder, checkpoint=LAST)  # the best weights are older than beta's effect
    experiment, representation = run.experiment, run.experiment.representation
    model = build_model(experiment)
    model.load_state_dict(run.weights)
    model.eval()
    data = load_data(data_folder, "validation")
    held_out = data.held_out.events
    found = reconstruct(model, representation, held_out[choose(len(held_out), COMPARED, seed)],
                        seed=seed)  # fmt: skip
    bounds = bound(model, representation, held_out[choose(len(held_out), BOUNDED, seed)], seed=seed)
    assert data.training, "a run has learnt from a training split"
    rows = choose(len(data.training), COMPARED + DRAWS, seed)
    more, training = (
        transposed(representation, data.training.events[part],
                   most_semitones=experiment.training.most_semitones, seed=seed)
        for part in (rows[:DRAWS], rows[DRAWS:])
    )  # fmt: skip
    priors = {
        "gaussian": FlowPrior(model.latent_size),
        "fitted": fit_prior(model, experiment, data.training.events, seed=seed),
    }
    like = np.zeros((DRAWS, *held_out.shape[1:]), np.int16)
    overlaps = {}
    for name, prior in priors.items():
        drawn = canonical(representation, draw_new(model, prior, representation, like, seed=seed))
        compared = compare_prior_samples(
            representation, {SAMPLE_TEMPERATURE: drawn}, held_out, training, more
        )
        (measures,) = compared.at[0].measures.values()
        of_all = [each.training_overlap for each in measures.values()]
        overlaps |= {f"{name}_mean": statistics.fmean(of_all), f"{name}_lowest": min(of_all)}
    return {
        "beta": experiment.objective.beta_max,
        "nats": found.divergence_nats,
        "sampled": found.sampled.all_steps,
        "sampled_onsets": found.sampled.onsets,
        "sampled_at_temperature_1": found.sampled_at_temperature_1.all_steps,
        "bound_bits_a_step": bounds.bound_bits_per_step.value,
        **overlaps,
    }


def draw(points: list[dict[str, float]], path: Path) -> None:
    """The curve as a picture: accuracy and overlap by the nats of the latent."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    nats = [point["nats"] for point in points]
    for name, label in {
        "sampled": "sampled accuracy",
        "sampled_at_temperature_1": "at temperature 1",
        "fitted_mean": "overlap of draws, fitted prior",
        "gaussian_mean": "overlap of draws, standard Gaussian",
    }.items():
        axes.plot(nats, [point[name] for point in points], marker="o", label=label)
    for point in points:
        axes.annotate(f"β {point['beta']:g}", (point["nats"], point["sampled"]),
                      textcoords="offset points", xytext=(0, 8), ha="center")  # fmt: skip
    axes.margins(y=0.1)
    axes.set_xlabel("KL from the standard Gaussian, nats an excerpt")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=100)


def main() -> None:
    """Trains and measures each point, prints a table, writes JSON and a picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=4_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("build/rate_distortion"))
    options = parser.parse_args()
    console = Console()
    experiment = load_run(options.run).experiment
    points = []
    for beta in BETAS:
        folder = options.out / f"{beta:g}"
        point = replace(
            experiment,
            objective=replace(experiment.objective, beta_max=beta, beta_rate=0.99, free_nats=0.0),
            training=replace(experiment.training, steps=options.steps, level_steps=1_000),
        )
        settings = RunSettings(
            data=options.data, out=folder, seed=options.seed, resume=folder.exists(),
            start_from=options.run,
        )  # fmt: skip
        if not train(point, settings, console):
            return
        measured = folder / f"point-{options.steps}.json"
        if not measured.exists():
            found = measure(folder, options.data, options.seed)
            measured.write_text(json.dumps(found, indent=2) + "\n")
        points.append(json.loads(measured.read_text()))
    table = Table(*points[0])
    for each in points:
        table.add_row(*(f"{value:.3f}" for value in each.values()))
    console.print(table)
    (options.out / "points.json").write_text(json.dumps(points, indent=2) + "\n")
    draw(points, options.out / "curve.png")


if __name__ == "__main__":
    main()
