"""The commands that train a model, measure it and export a bundle."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from musicvae.commands.terminal import DEFAULT_BUNDLE, FOLDER, INTERRUPTED, SEED, console, say
from musicvae.errors import SettingError

if TYPE_CHECKING:
    from musicvae.bundle.format import Bundle
    from musicvae.evaluation.subject import Data, Subject


_DRAW_SETTINGS = ("prior.temperature", "prior.top_p", "prior.guidance")
_LISTS = "musicvae.train.list_settings"


def _list_settings(context: click.Context, _: click.Parameter, preset: str) -> str:
    """Prints the settings of a preset and ends, for the option --list-settings."""
    if context.meta.get(_LISTS):
        from musicvae.experiment.presets import get_preset
        from musicvae.experiment.settings import list_settings

        for setting in list_settings(get_preset(preset)):
            say(f"{setting.name}={setting.value}" + f"  {setting.meaning}".rstrip())
        context.exit()
    return preset


@click.command()
@click.argument("preset", is_eager=True, callback=_list_settings)
@click.option("--list-settings", is_flag=True, is_eager=True, expose_value=False,
              callback=lambda context, _, value: context.meta.update({_LISTS: value}),
              help="Print every setting of PRESET with value and meaning, and end.")  # fmt: skip
@click.option("--data", "folders", type=FOLDER, required=True, multiple=True,
              help="A folder made by `musicvae prepare`; give further folders with the same music "
              "in further meters.")  # fmt: skip
@click.option("--out", type=FOLDER, required=True, help="The run's folder.")
@click.option(
    "--prior",
    "part",
    flag_value="prior",
    default="model",
    help="Train the preset's prior, which draws new music, instead of its model.",
)
@click.option(
    "--touch",
    "part",
    flag_value="touch",
    help="Train touch instead: how loud people play the notes of a melody.",
)
@click.option("--name", help="The bundle's name later on.  [default: the preset's]")
@click.option("--seed", type=SEED, default=0, show_default=True)
@click.option(
    "--resume",
    is_flag=True,
    help="Go on exactly where the run in --out stopped; raise training.steps to go further.",
)
@click.option("--start-from", metavar="RUN|BUNDLE",
              help="Begin with the weights of a run or a bundle, as far as they fit.")  # fmt: skip
@click.option("--set", "settings", multiple=True, metavar="NAME.FIELD=VALUE",
              help="Change a setting, as objective.beta_max=0.1; see --list-settings.")  # fmt: skip
@click.option("--overlay", type=click.File("rb"), help="A YAML file of settings to change.")
@click.option("--accelerator", default="auto", show_default=True,
              type=click.Choice(["auto", "cpu", "cuda", "mps"]))  # fmt: skip
@click.option(
    "--devices",
    type=int,
    default=1,
    show_default=True,
    help="Number of devices, each with a process of its own.",
)
def train(
    preset: str,
    name: str | None,
    start_from: str | None,
    settings: tuple[str, ...],
    overlay: Any,
    folders: tuple[Path, ...],
    **options: Any,
) -> None:
    """Train a preset.

    PRESET is melody-2bar, melody-16bar, melody-16bar-flat, drums-2bar, groove-2bar, trio-16bar or
    leadsheet-4bar; add -tiny for a model that learns in minutes, or -paper for a model of the
    paper's size.

    OUT/run.json holds the settings of the run. `tensorboard --logdir OUT` shows its curves and
    pictures.
    """
    from musicvae.bundle.origin import load_origin
    from musicvae.experiment import experiment, presets
    from musicvae.training import RunSettings
    from musicvae.training import train as run

    chosen = experiment.overlay(
        presets.get_preset(preset),
        yaml_bytes=overlay.read() if overlay else None,
        settings=settings if name is None else (*settings, f"name={json.dumps(name)}"),
    )
    origin = None if start_from is None else load_origin(start_from, options["part"])
    data, *further = folders
    given = RunSettings(data=data, further_data=tuple(further), start_from=origin, **options)
    if not run(chosen, given, console()):
        sys.exit(INTERRUPTED)


@click.command()
@click.argument("models", metavar="[BUNDLE]...", nargs=-1)
@click.option("--data", type=FOLDER, required=True, help="A folder made by `musicvae prepare`.")
@click.option("--split", default="test", show_default=True)
@click.option("--out", type=FOLDER, help="Write report.json and report.html into this folder.")
@click.option("--listen", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write a blind listening test of one bundle: real music or a draw?")  # fmt: skip
@click.option("--seed", type=SEED, default=0, show_default=True)
def evaluate(
    models: tuple[str, ...],
    data: Path,
    split: str,
    out: Path | None,
    listen: Path | None,
    seed: int,
) -> None:
    """Measure bundles on held-out music, several side by side.

    The page has all figures with how each is measured, plots, and music to see and to hear. The
    listening test is a page too: ten pairs to play, your answers, and how likely they are by
    chance. It is written before anything is measured.
    """
    from musicvae import bundle
    from musicvae.errors import SettingError
    from musicvae.evaluation.evaluate import DEFAULT_SIZES
    from musicvae.evaluation.evaluate import evaluate as measure
    from musicvae.evaluation.examples import play_examples
    from musicvae.evaluation.figure import to_table
    from musicvae.evaluation.figure_keys import LISTENER
    from musicvae.evaluation.figures import side_by_side, to_figures
    from musicvae.evaluation.subject import load_data, titles
    from musicvae.evaluation.watch import watched
    from musicvae.files import check_folder
    from musicvae.report.evaluation_page import JSON_NAME, Reported, write_report

    if out is not None:
        check_folder(out, SettingError, JSON_NAME)  # before minutes of measuring, not after
    if listen is not None and len(models) > 1:
        raise SettingError(
            f"{len(models)} bundles with `listen`",
            expected="one bundle, whose draws the test mixes with real music",
            action="Name one bundle, or leave `listen` out.",
            field="listen",
        )
    music = load_data(data, split)
    subjects = [
        _subject(bundle.load(each)).on_grid(music.grid) for each in models or (DEFAULT_BUNDLE,)
    ]
    for subject in subjects:
        music.check(subject.representation)
    if listen is not None:
        _write_listening_test(subjects[0], music, listen, seed)
    with watched(console()) as watch:
        measured = [
            measure(each, music, seed=seed, sizes=DEFAULT_SIZES, watch=watch) for each in subjects
        ]
    names = titles(subjects)
    figures = dict(zip(names, map(to_figures, measured), strict=True))
    console().print(to_table(figures, f"{split} split"))
    for each, evaluation in zip(names, measured, strict=True):
        console().print(side_by_side(evaluation.listener).to_table(f"{each}: {LISTENER.lower()}"))
    if music.left_out:
        say(f"{data} has no training split; left out: {', '.join(music.left_out)}")
    if out is not None:
        reported = [
            Reported(subject=s, evaluation=e, examples=play_examples(s, music, seed=seed))
            for s, e in zip(subjects, measured, strict=True)
        ]
        for path in write_report(reported, music, out):
            say(f"wrote {path}")


def _write_listening_test(subject: Subject, music: Data, path: Path, seed: int) -> None:
    from musicvae.evaluation.listening import make_pairs
    from musicvae.report.listening_page import write_listening_page

    pairs = make_pairs(subject, music, seed=seed)
    write_listening_page(subject, music, pairs, path, seed=seed)
    say(f"wrote {path}; open it in a browser")


def _subject(loaded: Bundle) -> Subject:
    from musicvae.bundle.modules import modules_of
    from musicvae.evaluation.subject import Subject

    modules = modules_of(loaded)
    return Subject(
        name=loaded.name,
        version=loaded.version,
        experiment=loaded.experiment,
        model=modules.model,
        prior=modules.prior,
        attribute_vectors=loaded.attribute_vectors,
        steps=loaded.facts.get("steps"),
        examples_seen=loaded.facts.get("examples_seen"),
    )


def _check_draw_settings(settings: Sequence[str], *, has_prior: bool) -> None:
    for setting in settings:
        if not has_prior or setting.partition("=")[0].strip() not in _DRAW_SETTINGS:
            raise SettingError(
                f"--set {setting}",
                expected=f"{', '.join(_DRAW_SETTINGS)}, together with --prior",
                action="Leave it out; other settings belong to `musicvae train`.",
                field="settings",
            )


@click.command()
@click.argument("run", metavar="RUN|BUNDLE")
@click.option("--out", type=FOLDER, required=True, help="The bundle's folder.")
@click.option("--prior", type=FOLDER, metavar="RUN",
              help="A run of `train --prior`: draws come from it. A bundle gets it as its new "
              "prior.  [default: a prior fitted to the latents of RUN]")  # fmt: skip
@click.option("--touch", type=FOLDER, metavar="RUN",
              help="A run of `train --touch`: melodies are played with accents. A bundle gets it "
              "as its new touch.  [default: all notes equally loud]")  # fmt: skip
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE",
              help="How the prior draws, such as prior.top_p=0.98.")  # fmt: skip
@click.option("--licence", metavar="TEXT", help="The licence of the weights, for the card.")
@click.option("--checkpoint", type=click.Choice(["best", "last"]), default="best",
              show_default=True)  # fmt: skip
@click.option("--figures", type=click.Choice(["quick", "all"]), default="quick", show_default=True,
              help="How much the card's figures are measured on: all takes minutes.")  # fmt: skip
def export(
    run: str,
    out: Path,
    prior: Path | None,
    touch: Path | None,
    settings: tuple[str, ...],
    licence: str | None,
    checkpoint: str,
    figures: str,
) -> None:
    """Make a bundle of a run: weights, prior, touch, attribute vectors, model card."""
    from musicvae import bundle
    from musicvae.bundle.export import export as write
    from musicvae.bundle.export import renew
    from musicvae.bundle.touch import check_touch
    from musicvae.evaluation.evaluate import DEFAULT_SIZES, QUICK_SIZES
    from musicvae.evaluation.figure import to_table
    from musicvae.evaluation.figure_keys import LISTENER
    from musicvae.evaluation.figures import side_by_side, to_figures
    from musicvae.evaluation.watch import watched
    from musicvae.experiment.experiment import overlay
    from musicvae.training import load_run
    from musicvae.training.record import RUN_FILE

    sizes = DEFAULT_SIZES if figures == "all" else QUICK_SIZES
    _check_draw_settings(settings, has_prior=prior is not None)
    is_run = (Path(run) / RUN_FILE).exists()
    if licence is not None and prior is None and not is_run:
        raise SettingError(
            "--licence for a bundle whose prior stays",
            expected="a run, or a bundle with --prior",
            action="Give --prior, too, or leave it out.",
            field="licence",
        )
    if touch is not None and prior is None and not is_run:
        _add_touch(run, touch, out, checkpoint)
        return
    drawn_by = None
    if prior is not None:
        drawn_by = load_run(prior, checkpoint=checkpoint)
        drawn_by = replace(drawn_by, experiment=overlay(drawn_by.experiment, settings=settings))
    if touch is not None:  # before minutes of measuring, not after
        made = load_run(Path(run), checkpoint=checkpoint).experiment if is_run else bundle.load(run)
        check_touch(load_run(touch, checkpoint=checkpoint), made.representation)
    with watched(console()) as watch:
        if drawn_by is not None and not is_run:
            old = bundle.load(run)
            name, measured = (
                old.name,
                renew(old, drawn_by, out, licence=licence, sizes=sizes, watch=watch),
            )
        else:
            loaded = load_run(Path(run), checkpoint=checkpoint)
            name = loaded.experiment.name
            measured = write(loaded, out, prior=drawn_by, licence=licence, sizes=sizes, watch=watch)
    console().print(to_table({name: to_figures(measured)}, f"{measured.split} split"))
    console().print(side_by_side(measured.listener).to_table(f"{name}: {LISTENER.lower()}"))
    if figures == "quick":
        say("figures of a first impression; `--figures all` measures more music")
    if touch is not None:
        _add_touch(str(out), touch, out, checkpoint)
    else:
        say(f"wrote {out}; try `musicvae sample --model {out}`")


def _add_touch(name_or_path: str, touch: Path, out: Path, checkpoint: str) -> None:
    from musicvae import bundle
    from musicvae.bundle.touch import add_touch
    from musicvae.training import load_run

    run = load_run(touch, checkpoint=checkpoint)
    figures = add_touch(bundle.load(name_or_path), run, out).facts["touch"]["figures"]
    for name, own in figures.items():
        say(
            f"velocities by {name}: {own['nats']:.3f} nats a note, correlation "
            f"{own['correlation']:.3f}, mean error {own['error']:.2f}"
        )
    say(f"wrote {out}; try `musicvae sample --model {out}`")
