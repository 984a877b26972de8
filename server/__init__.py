"""The service: gRPC requests to music."""

from musicvae.rpc.limits import Limits

from .serving import RunningServer, serve, start
from .settings import Settings

__all__ = ["Limits", "RunningServer", "Settings", "serve", "start"]
