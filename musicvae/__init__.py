"""A latent space of music: `musicvae.load("melody-2bar")` gives a model to play with."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from musicvae.bundle.format import Bundle, load

__all__ = ["Bundle", "load"]


def __getattr__(name: str) -> object:
    """Imports the public names when they are first asked for: torch takes seconds to import."""
    if name not in __all__:
        raise AttributeError(f"module 'musicvae' has no attribute {name!r}")
    from musicvae import bundle  # noqa: PLC0415  # see above

    return getattr(bundle, name)
