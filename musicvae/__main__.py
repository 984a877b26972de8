"""The command `musicvae`: one subcommand for each thing a user does.

The subcommands are in `musicvae.commands`, the one package that may import the applications. Each
subcommand imports its modules inside itself, so that `--help` answers at once.
"""

from __future__ import annotations

import errno
import sys
import traceback
from tempfile import NamedTemporaryFile

import click

from musicvae.commands import accompany, data, experiments, music, serving
from musicvae.commands.output import protect_streams
from musicvae.commands.terminal import FAULT, INTERRUPTED, MISUSE, in_options
from musicvae.errors import MusicVAEError, TrainingError
from musicvae.faults import describe_fault

_OF_TRAINING = {"torch", "lightning", "tensorboard"}
"""The packages that the extra `train` brings."""


class _Commands(click.Group):
    """The subcommands, whose errors name the options of the subcommand that was run."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except MusicVAEError as error:
            command = self.commands[str(ctx.invoked_subcommand)]
            error.args = (in_options(str(error), command),)
            raise
        except ModuleNotFoundError as error:
            if error.name not in _OF_TRAINING:
                raise
            raise TrainingError(
                f"`musicvae {ctx.invoked_subcommand}` without the package {error.name}",
                expected="the packages of training",
                action="Install them: pip install 'musicvae[train]'.",
            ) from error


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="musicvae")
def cli() -> None:
    """A latent space of music: train it, sample it, morph it, serve it."""


for command in (
    music.models,
    data.corpora,
    data.fetch,
    data.inspect,
    data.prepare,
    data.report,
    accompany.accompany,
    experiments.train,
    experiments.evaluate,
    experiments.export,
    music.sample,
    music.interpolate,
    music.transform,
    music.reconstruct,
    music.groove,
    serving.serve,
    serving.token,
):
    cli.add_command(command)


def main() -> None:
    """Runs the command; an error that the caller can correct is one line, with exit code 2."""
    protect_streams()
    try:
        sys.exit(cli(prog_name="musicvae", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        _complain("interrupted")
        sys.exit(INTERRUPTED)
    except MusicVAEError as error:
        _complain(str(error))
        sys.exit(MISUSE)
    except OSError as error:
        _complain(_explain(error))
        sys.exit(MISUSE)
    except Exception as error:  # noqa: BLE001  # no command shows a traceback
        with NamedTemporaryFile("w", prefix="musicvae-", suffix=".txt", delete=False) as file:
            traceback.print_exc(file=file)
        _complain(
            f"a fault of musicvae, not of your input: {describe_fault(error)}. "
            f"Please report it with the input and {file.name}"
        )
        sys.exit(FAULT)


_FULL = "Make room on the disk, and run the command again; older files are unharmed."
_FORBIDDEN = "Choose a place that you may read and write, or change its permissions."
_ADVICE = {
    errno.EACCES: _FORBIDDEN,
    errno.EDQUOT: _FULL,
    errno.ENAMETOOLONG: "Choose a shorter name.",
    errno.ENOENT: "Check the path, and make the folder that the file is to stand in.",
    errno.ENOSPC: _FULL,
    errno.ENOTDIR: "A file stands where a folder should be: choose another path.",
    errno.EPERM: _FORBIDDEN,
    errno.EROFS: "Choose a place that can be written to.",
}
"""The advice for each error of the system that a user can correct."""


def _explain(error: OSError) -> str:
    said = f"{error.filename or 'writing failed'}: {error.strerror or error}"
    advice = _ADVICE.get(error.errno or 0)
    return f"{said}. {advice}" if advice else said


def _complain(text: str) -> None:
    click.secho(f"musicvae: {text}", err=True, fg="red")


if __name__ == "__main__":
    main()
