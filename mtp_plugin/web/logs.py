"""Lines of the log as JSON, each with the id of the request that it is about.

The id is that of the proxy in front (``X-Request-ID``), if it is one that can stand in a log and a header, else a new
one. It is in the answer too, so that what a customer reports, what the proxy saw and what we wrote can be put together.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import sys
from datetime import UTC, datetime
from typing import Any

from flask import Response, has_request_context, request

from .kept import kept

HEADER = "X-Request-ID"
_GOOD = re.compile(r"[A-Za-z0-9._~+/=-]{1,128}")


def request_id() -> str:
    """The id of the current request, ``""`` outside of one."""
    if not has_request_context():
        return ""
    of_request = kept()
    if not of_request.request_id:
        told = request.headers.get(HEADER, "")
        of_request.request_id = told if _GOOD.fullmatch(told) else secrets.token_hex(16)
    return of_request.request_id


def answer_with_id(response: Response) -> Response:
    """Put the id into an answer."""
    response.headers[HEADER] = request_id()
    return response


class JsonLines(logging.Formatter):
    """Each line has ``time``, ``level``, ``logger``, ``message``, ``process``, and ``exception`` where there was one.

    In a request it also has ``request_id`` and ``route``, which is the name of the endpoint: an address could hold a
    key or an id.
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
        }
        if has_request_context():
            line |= {"request_id": request_id(), "route": request.endpoint or ""}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def write_json(name: str = "mtp_plugin") -> None:
    """Write what a logger and those below it say to standard error as JSON, each line once."""
    logger = logging.getLogger(name)
    if any(isinstance(handler.formatter, JsonLines) for handler in logger.handlers):
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logger.addHandler(handler)
    logger.propagate = False
