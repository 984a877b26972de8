"""The command that serves bundles over gRPC."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from musicvae.commands.terminal import DEFAULT_BUNDLE, embedded_bundles
from musicvae.errors import SettingError

REQUEST_LIMITS: Mapping[str, tuple[Any, str]] = {
    "max_steps": (262_144, "Steps of music of one request: clips times the length of each."),
    "max_count": (256, "Clips of one Sample."),
    "max_points": (16, "Points of one Interpolate."),
    "max_path_count": (64, "Clips from one point to the next."),
    "max_latents": (256, "Latents of one Decode."),
    "max_amounts": (32, "Attributes of one Transform."),
    "max_notes": (100_000, "Notes of one excerpt."),
    "max_path_notes": (200_000, "Notes of all points of one Interpolate together."),
    "max_midi_bytes": (4_194_304, "Size of one MIDI file in bytes."),
    "max_midi_tracks": (512, "Tracks of one MIDI file."),
    "max_length_quarters": (16_384, "Length of one excerpt in quarter notes."),
}
"""The fields of the server's `Limits` that are options, each with its default."""

SERVER_LIMITS: Mapping[str, tuple[Any, str]] = {
    "max_message_bytes": (9_437_184, "Size of one request in bytes."),
    "max_wait_s": (2.0, "Seconds that a call may wait for its first clip."),
    "max_model_bytes": (1_073_741_824, "The files of all models together in bytes."),
    "poll_s": (5.0, "Seconds between two looks at the folder of --model-folder."),
    "max_rpcs": (512, "Calls that make music at the same time."),
    "max_caller_rpcs": (512, "Calls of one caller that make music at the same time."),
    "max_caller_rate": (0.0, "Calls of one caller a second that make music; 0: no limit."),
    "max_call_s": (120.0, "Seconds that one call may take."),
    "max_body_s": (10.0, "Seconds that a request may take to arrive."),
    "max_unread_s": (30.0, "Seconds that a reply may wait for its reader."),
    "max_watchers": (64, "Streams of health and reflection at the same time."),
    "pause_s": (2.0, "Seconds between the status NOT_SERVING and the closing of the port."),
    "grace_s": (20.0, "Seconds that calls have to finish after the port is closed."),
}
"""The fields of the server's `Settings` that are options, each with its default."""

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
_NEW_FILE = click.Path(path_type=Path, dir_okay=False)

Command = Callable[..., None]


def _limits(limits: Mapping[str, tuple[Any, str]]) -> Callable[[Command], Command]:
    """An option for each limit."""

    def option(command: Command, name: str) -> Command:
        default, text = limits[name]
        kind = click.IntRange(1) if isinstance(default, int) else click.FloatRange(0)
        flag = "--" + name.replace("_", "-")
        add = click.option(flag, name, type=kind, default=default, show_default=True, help=text)
        return add(command)

    return lambda command: reduce(option, reversed(list(limits)), command)


_FILES = {
    "tls_certificate": "The server's certificate, with those that sign it (PEM): turns TLS on.",
    "tls_key": "The key of that certificate (PEM).",
    "tls_client_ca": "Certificates that sign the clients' (PEM): all clients then need one.",
    "tokens": "Names of callers and hashes of their tokens, made by `musicvae token`.",
}


def _files_of_security(command: Command) -> Command:
    """An option for each file of TLS and tokens."""
    for name, text in reversed(_FILES.items()):
        flag = "--" + name.replace("_", "-")
        command = click.option(flag, name, type=_FILE, help=f"{text} Read again when it changes.")(
            command
        )
    return command


@click.command()
@click.argument("name")
@click.option("--out", "path", type=_NEW_FILE, default="tokens.txt", show_default=True,
              help="The file of tokens, which gets a line for the caller.")  # fmt: skip
def token(name: str, path: Path) -> None:
    """Make a token for a caller, for `serve --tokens`.

    The token is printed once and kept nowhere; the file holds its hash.
    """
    from musicvae.server.tokens import add_token

    click.echo(add_token(path, name))


@click.command()
@click.option(
    "--bundle",
    "bundles",
    multiple=True,
    metavar="NAME|DIR",
    help=f"A model to serve; the first is the default model (default: all models of the package, "
    f"{DEFAULT_BUNDLE} first).",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on; 0.0.0.0: every interface, with TLS.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=50051, show_default=True,
              help="0: any free port.")  # fmt: skip
@click.option(
    "--http-port",
    type=click.IntRange(0, 65535),
    help="Also answer Connect, gRPC-Web and JSON over HTTP; 0: any free port.",
)
@click.option(
    "--allow-origin",
    "allow_origins",
    multiple=True,
    metavar="ORIGIN",
    help="Pages of this origin may call over HTTP, such as https://studio.example.org; * for all.",
)
@click.option(
    "--model-folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Serve the bundles in this folder, and follow it: load what is new or changed, unload "
    "what is gone.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    default=1,
    show_default=True,
    help="Processes that share the port, each with all models: one for each core.",
)
@click.option(
    "--admin-port",
    type=click.IntRange(0, 65535),
    help="Let callers on this machine load and unload models on this port; 0: any free port.",
)
@click.option(
    "--metrics-port",
    type=click.IntRange(0, 65535),
    help="Show metrics for Prometheus on this port; 0: any free port.",
)
@click.option("--metrics-host", default="127.0.0.1", show_default=True,
              help="Address of the port of metrics, which has no TLS.")  # fmt: skip
@click.option("--log-format", type=click.Choice(("text", "json")), default="text",
              show_default=True, help="The log's lines: text, or a JSON object each.")  # fmt: skip
@click.option(
    "--config",
    type=_FILE,
    help="A YAML file of these options by their names, such as `max-count: 64`; an option of the "
    "command line wins over the file.",
)
@_files_of_security
@click.option(
    "--allow-plain",
    is_flag=True,
    help="Let other machines connect without TLS: behind a proxy that has TLS.",
)
@_limits(REQUEST_LIMITS)
@_limits(SERVER_LIMITS)
@click.pass_context
def serve(context: click.Context, /, config: Path | None, **options: Any) -> None:
    """Answer requests over gRPC until it is stopped."""
    from musicvae import bundle
    from musicvae.server import Limits, Settings, read_config
    from musicvae.server import serve as run
    from musicvae.server.model_folder import find_bundles
    from musicvae.server.workers import serve_workers

    if config is not None:
        names = {
            max(each.opts, key=len).lstrip("-"): name
            for each in context.command.params
            if (name := each.name) in options
        }
        in_file = read_config(config, names)
        is_given = context.get_parameter_source
        options |= {
            name: value
            for name, value in in_file.items()
            if is_given(name) is ParameterSource.DEFAULT
        }
    workers, folder, named = options.pop("workers"), options["model_folder"], options.pop("bundles")
    if folder is not None and named:
        raise SettingError(
            "--model-folder and --bundle",
            expected="either",
            action="Copy the bundle into the folder.",
            field="bundle",
        )
    bundles = named or (embedded_bundles() if folder is None else find_bundles(folder))
    if not bundles:
        raise SettingError(
            f"--model-folder {folder} without a bundle",
            expected="a folder with at least one bundle in a folder of its own",
            action="Copy a bundle into it: `musicvae export` makes bundles.",
            field="model_folder",
        )
    limits = Limits(**{name: options.pop(name) for name in REQUEST_LIMITS})
    settings = Settings(limits=limits, **options)
    if workers > 1:
        serve_workers(settings, bundles, workers, say=click.echo)
    else:
        run(settings, [bundle.load(each) for each in bundles], say=click.echo)
