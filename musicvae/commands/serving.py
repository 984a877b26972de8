"""The command that serves bundles over gRPC."""

from __future__ import annotations

import click

from musicvae.commands.terminal import DEFAULT_BUNDLE, embedded_bundles


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
    help="Address to listen on; 0.0.0.0: every interface.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=50051, show_default=True,
              help="0: any free port.")  # fmt: skip
def serve(bundles: tuple[str, ...], host: str, port: int) -> None:
    """Answer requests over gRPC until it is stopped."""
    from musicvae import bundle
    from musicvae.server import Settings
    from musicvae.server import serve as run

    settings = Settings(host=host, port=port)
    run(settings, [bundle.load(each) for each in bundles or embedded_bundles()], say=click.echo)
