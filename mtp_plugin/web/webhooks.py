"""``v1/webhooks/<source>``: signed deliveries, answered when they are kept."""

from __future__ import annotations

import time

import msgspec
from flask import Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from ..errors import InputError, NotFoundError, TooLargeError, UnauthorizedError
from ..receiving import receive
from ..track.clock import parse_time
from ..track.webhooks.signature import verify
from ..track.webhooks.sources import Source
from .parts import get_parts, get_state
from .sender import address_of_caller

MAX_KB = 2048
"""Orders of Shopify with many lines are larger than events may be."""
AHEAD = 300.0
"""Seconds that a sender's clock may be ahead of ours."""


class AnyBody(msgspec.Struct):
    """Whatever the source sends, signed."""


class WebhookAnswer(msgspec.Struct, frozen=True):
    """What became of a delivery, which is kept: ``done``, ``ignored``, ``waiting``, ``dead`` or ``repeated``."""

    status: str


def webhook(source: str) -> Response:
    """Take a delivery."""
    state, now = get_state(), time.time()
    known = state.sources.get(source)
    if known is None:
        raise NotFoundError(f"there is no source {source[:40]!r}; MTP_WEBHOOKS names them", field="source")
    body = _raw_body()
    try:
        sent = verify(known.signature, known.secrets, body, request.headers.get(known.signature.header, ""))
    except UnauthorizedError:
        get_parts().limits.hit(f"webhook:{address_of_caller()}")
        raise
    _require_recent(known, sent, now)
    if not state.settings.enabled:
        return _answer("ignored")
    topic = _header(known.topic_header)
    done = receive(state, source, topic, _header(known.id_header), body, now)
    return _answer(done.state if done else "repeated")


def _raw_body() -> bytes:
    """Byte for byte as it came: the signature is of nothing else."""
    request.max_content_length = MAX_KB * 1024
    try:
        return request.get_data(cache=True)
    except RequestEntityTooLarge:
        raise TooLargeError(f"the body is larger than {MAX_KB} kB") from None


def _require_recent(source: Source, sent: float | None, now: float) -> None:
    """Refuse what was captured long ago and is sent again."""
    if sent is None and source.sent_header and (told := request.headers.get(source.sent_header)):
        sent = parse_time(told, source.sent_header)
    if sent is not None and not now - source.window_s <= sent <= now + AHEAD:
        raise InputError("this was sent too long ago, or by a clock that is wrong", code="stale", status=401)


def _header(name: str) -> str:
    value = request.headers.get(name, "") if name else ""
    if len(value) > 200 or not value.isprintable():
        raise InputError("this must be printable and at most 200 characters long", field=name)
    return value


def _answer(status: str) -> Response:
    response = Response(msgspec.json.encode(WebhookAnswer(status)), content_type="application/json")
    response.cache_control.no_store = True
    return response
