"""The service: gRPC requests to music."""

from .serving import RunningServer, serve, start
from .settings import Limits, Settings

__all__ = ["Limits", "RunningServer", "Settings", "serve", "start"]
