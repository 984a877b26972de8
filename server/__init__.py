"""The service: gRPC requests to music."""

from .engine import Engine
from .serving import RunningServer, serve, start
from .settings import Limits, Settings

__all__ = ["Engine", "Limits", "RunningServer", "Settings", "serve", "start"]
