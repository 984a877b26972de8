"""Runs that are watched, and interrupted where a test asks for it."""

import io
import os
from dataclasses import dataclass, field

import pytest
import torch
from rich.console import Console

from musicvae.training import RunSettings, train
from musicvae.training.checkpoints import Checkpoints
from musicvae.training.module import TrainingModule
from musicvae.training.prior_module import PriorModule
from musicvae.training.record import MODEL, PRIOR, TOUCH
from musicvae.training.touch_module import TouchModule

MODULES = {MODEL: TrainingModule, PRIOR: PriorModule, TOUCH: TouchModule}


class PowerCutError(Exception):
    """A run that ends without a chance to say goodbye."""


@dataclass
class Watched:
    """What a run did.

    Attributes:
        is_complete: What `train` returned.
        losses: By step.
        validations: The steps after which it validated.
        said: What it printed.
    """

    is_complete: bool | None = None
    losses: dict[int, float] = field(default_factory=dict)
    validations: list[int] = field(default_factory=list)
    said: str = ""


@pytest.fixture(scope="session")
def watch():
    """Runs `train` on the CPU; `end` is called with each step's number, and may not return."""

    def run(experiment, data, out, *, end=id, **settings):
        watched = Watched()
        console = Console(file=io.StringIO(), width=500)
        with pytest.MonkeyPatch.context() as patch:
            module = MODULES[settings.get("part", MODEL)]
            take_step, on_validation_end = module.training_step, Checkpoints.on_validation_end

            def step(self, events, index):
                loss = take_step(self, events, index)
                watched.losses[self.global_step] = loss.item()
                end(self.global_step)
                return loss

            def validated(self, trainer, pl_module):
                on_validation_end(self, trainer, pl_module)
                watched.validations.append(trainer.global_step)

            patch.setattr(module, "training_step", step)
            patch.setattr(Checkpoints, "on_validation_end", validated)
            run_settings = RunSettings(data=data, out=out, accelerator="cpu", **settings)
            try:
                watched.is_complete = train(experiment, run_settings, console)
            except PowerCutError:
                pass
            finally:
                watched.said = console.file.getvalue()
        return watched

    return run


@pytest.fixture(scope="session")
def interrupt():
    """What ends a run at a step: a signal's number, or None for a power cut."""

    def at(last_step, signal_number):
        def end(step):
            if step != last_step:
                return
            if signal_number is None:
                raise PowerCutError
            os.kill(os.getpid(), signal_number)

        return end

    return at


@pytest.fixture(scope="session")
def whole_run(watch, make_experiment, data, tmp_path_factory):
    """The folder of a run that nothing interrupted, and what it did."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    return out, watch(make_experiment(), data, out)


def is_same(a, b):
    """Whether two states, of tensors in dicts and lists, are equal to the last bit."""
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(is_same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(is_same, a, b))
    return a == b


@pytest.fixture(scope="session")
def same_state():
    return is_same
