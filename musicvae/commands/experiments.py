"""The commands that train a model, measure it and make a bundle of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from musicvae.commands.terminal import DEFAULT_BUNDLE, FOLDER, INTERRUPTED, SEED, console


@click.command()
@click.argument("preset")
@click.option("--data", type=FOLDER, required=True, help="A folder made by `musicvae prepare`.")
@click.option("--out", type=FOLDER, required=True, help="The run's folder.")
@click.option("--seed", type=SEED, default=0, show_default=True)
@click.option("--resume", is_flag=True, help="Go on exactly where the run in --out stopped.")
@click.option("--set", "settings", multiple=True, metavar="NAME.FIELD=VALUE",
              help="Change a setting, such as objective.beta_max=0.1.")  # fmt: skip
@click.option("--overlay", type=click.File("rb"), help="A YAML file of settings to change.")
@click.option("--accelerator", default="auto", show_default=True,
              type=click.Choice(["auto", "cpu", "cuda", "mps"]))  # fmt: skip
@click.option("--devices", type=int, default=1, show_default=True, help="Processes of DDP.")
def train(preset: str, settings: tuple[str, ...], overlay: Any, **options: Any) -> None:
    """Train a preset: melody-2bar, melody-2bar-tiny, melody-16bar.

    The settings and their values are in OUT/run.json once the run has begun. Curves, pictures and a
    collapse alarm: tensorboard --logdir OUT.
    """
    from musicvae import experiment, presets
    from musicvae.training import RunSettings
    from musicvae.training import train as run

    chosen = experiment.overlay(
        presets.get_preset(preset),
        yaml_bytes=overlay.read() if overlay else None,
        settings=settings,
    )
    if not run(chosen, RunSettings(**options), console()):
        sys.exit(INTERRUPTED)


@click.command()
@click.argument("model", metavar="BUNDLE", default=DEFAULT_BUNDLE)
@click.option("--data", type=FOLDER, required=True, help="A folder made by `musicvae prepare`.")
@click.option("--split", default="test", show_default=True)
@click.option("--seed", type=SEED, default=0, show_default=True)
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write all figures here.",
)
def evaluate(model: str, data: Path, split: str, seed: int, json_file: Path | None) -> None:
    """Measure a bundle on held-out music."""
    import json
    from dataclasses import asdict

    from musicvae import bundle, shards
    from musicvae.clip_files import write
    from musicvae.evaluation.evaluate import evaluate as run
    from musicvae.evaluation.evaluate import to_table
    from musicvae.manifest import load_manifest

    loaded = bundle.load(model)
    manifest, examples = load_manifest(data), shards.load(data, split)
    with console().status(f"measuring {loaded.name} on {len(examples):,} examples"):
        measured = run(
            loaded.model, loaded.representation, manifest, examples, split=split, seed=seed
        )
    console().print(to_table(measured))
    if json_file is not None:
        record = {"model": loaded.name, "version": loaded.version, **asdict(measured)}
        write(json_file, json.dumps(record, indent=2).encode() + b"\n")


@click.command()
@click.argument("run", type=FOLDER)
@click.option("--out", type=FOLDER, required=True, help="The bundle's folder.")
@click.option("--checkpoint", type=click.Choice(["best", "last"]), default="best",
              show_default=True)  # fmt: skip
def export(run: Path, out: Path, checkpoint: str) -> None:
    """Make a bundle of a run: weights, attribute vectors, model card."""
    from musicvae.evaluation.evaluate import to_table
    from musicvae.export import export as write
    from musicvae.training import load_run

    loaded = load_run(run, checkpoint=checkpoint)
    with console().status("fitting attribute vectors and measuring"):
        measured = write(loaded, out)
    console().print(to_table(measured))
    console().print(f"wrote {out}; try `musicvae sample --model {out}`")
