"""The log on standard error: lines of text, or a JSON object a line.

A line that belongs to a call has the id of its request. The fields of JSON are time (UTC), level,
event and request_id; the event `call` has the fields of `Calls`, other events have a message, and
an error has its traceback in the field exception.
"""

from __future__ import annotations

import json
import logging
from contextvars import ContextVar
from datetime import UTC, datetime

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request that the current task answers; empty outside calls."""

log = logging.getLogger("musicvae.server.calls")


def log_call(fields: dict[str, str | int | float]) -> None:
    """Writes the line of a call that has ended."""
    log.info(
        "%(request_id)s %(method)s %(code)s %(duration_ms).0f ms, model %(model)s, "
        "%(size_bytes)d bytes, %(replies)d replies, %(who)s",
        {**fields, "who": f"{fields['caller']} {fields['peer']}".strip()},
        extra={"event": "call", "fields": fields},
    )


def set_up_log(log_format: str) -> None:
    """Lets all lines of this process go to standard error.

    Args:
        log_format: "text" or "json".
    """
    handler = logging.StreamHandler()
    handler.setFormatter(_Json() if log_format == "json" else _Text())
    logging.basicConfig(level=logging.INFO, handlers=[handler])


class _Text(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(request_id)s%(message)s")

    def format(self, record: logging.LogRecord) -> str:
        known = "" if hasattr(record, "fields") else request_id.get()
        record.request_id = f"{known} " if known else ""
        return super().format(record)


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": getattr(record, "event", "message"),
        }
        if known := request_id.get():
            line["request_id"] = known
        line |= getattr(record, "fields", None) or {"message": record.getMessage()}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)
