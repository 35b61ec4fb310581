"""The body of a request: of a type we read, within the limit, decompressed once."""

from __future__ import annotations

import zlib

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from ..errors import InputError, TooLargeError
from .kept import kept
from .parts import get_state

EVENT_TYPES = ("application/json", "text/plain", "")
"""``sendBeacon`` sends text, and some of Segment's clients send no type at all."""

GZIP = 16 + zlib.MAX_WBITS


def event_body() -> bytes:
    """The body of a request with events.

    :raises UnsupportedMediaType: it is of another type
    """
    if request.environ.get("CONTENT_TYPE") not in EVENT_TYPES and request.mimetype not in EVENT_TYPES:
        raise UnsupportedMediaType
    return body_bytes()


def json_body() -> bytes:
    """The body of a request that must be JSON.

    :raises UnsupportedMediaType: it is of another type
    """
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    return body_bytes()


def body_bytes() -> bytes:
    """The body, gzip undone; read once a request.

    :raises TooLargeError: it is larger than ``MTP_BODY_MAX_KB``, as sent or decompressed
    :raises InputError: it claims to be gzip and is not
    """
    of_request = kept()
    if of_request.body is None:
        of_request.body = _read(get_state().settings.body_max_kb * 1024)
    return of_request.body


def _read(most: int) -> bytes:
    request.max_content_length = most
    try:
        body = request.get_data(cache=True)
    except RequestEntityTooLarge:
        raise _too_large(most) from None
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding == "identity":
        return body
    if encoding != "gzip":
        raise InputError(f"a body encoded as {encoding[:20]!r} cannot be read; send gzip or none", status=415)
    return _gunzip(body, most)


def _gunzip(body: bytes, most: int) -> bytes:
    reader = zlib.decompressobj(GZIP)
    try:
        plain = reader.decompress(body, most + 1)
    except zlib.error:
        raise InputError("the body is not the gzip it claims to be") from None
    if len(plain) > most:
        raise _too_large(most)
    if not reader.eof:
        raise InputError("the gzip body is cut off")
    return plain


def _too_large(most: int) -> TooLargeError:
    return TooLargeError(f"the body is larger than {most // 1024} kB; send several smaller ones")
