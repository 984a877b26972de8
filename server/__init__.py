"""The service: gRPC requests to music."""

from musicvae.rpc.limits import Limits

from .config import read_config
from .serving import RunningServer, serve, start
from .settings import Settings

__all__ = ["Limits", "RunningServer", "Settings", "read_config", "serve", "start"]
