"""Which key a request shows, and whether it comes from a page of our own origin."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from urllib.parse import urlsplit

import msgspec
from flask import request

from ..errors import UnauthorizedError
from .body import EVENT_TYPES, body_bytes

PORTS = {"http": 80, "https": 443}


class _Keyed(msgspec.Struct, rename="camel"):
    write_key: str = ""


def shown_key() -> str:
    """The key of this request, ``""`` for none: HTTP Basic user name, bearer token, ``writeKey`` in address or body.

    :raises UnauthorizedError: there is an Authorization header that cannot be read
    """
    if "Authorization" not in request.headers:
        return key_in_query() or _key_in_body()
    shown = request.authorization
    key = (shown.username or shown.token) if shown is not None else None
    if not key:
        raise UnauthorizedError("the Authorization header cannot be read; send the key as the Basic user name")
    return key


def key_in_query() -> str:
    """The public key in the address; a secret key does not belong there, addresses are logged."""
    asked = request.environ.get("QUERY_STRING", "")
    if not any(name in asked for name in ("writeKey", "write_key", "%")):
        return ""  # the usual case, told without taking the address apart
    return request.args.get("writeKey", "") or request.args.get("write_key", "")


def _key_in_body() -> str:
    if request.method != "POST" or request.mimetype not in EVENT_TYPES:
        return ""
    body = body_bytes()
    if b'"writeKey"' not in body:
        return ""
    try:
        return msgspec.json.decode(body, type=_Keyed).write_key
    except msgspec.MsgspecError:
        return ""  # the body is refused, with the reason, where it is read for what it says


def is_one_of(key: str, keys: Iterable[str]) -> bool:
    """Whether *key* is among *keys*; takes as long for a near miss as for a wild guess."""
    shown, found = key.encode(), False
    for known in keys:
        found |= hmac.compare_digest(shown, known.encode())
    return found


def same_origin() -> bool | None:
    """Whether a page of our own origin asks: ``None`` when the request does not tell.

    ``Sec-Fetch-Site`` is written by the browser and no page can change it; browsers without it send ``Origin`` with
    every POST. The scheme is not compared: behind a proxy that ends TLS we may not know our own.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    if origin is None:
        return None
    own = _host(f"{request.scheme}://{request.host}")
    return own is not None and _host(origin) == own


def _host(origin: str) -> tuple[str, int] | None:
    try:
        parts = urlsplit(origin)
        if not parts.hostname or parts.scheme not in PORTS:
            return None
        default = parts.port in (None, *PORTS.values())
        return parts.hostname.lower(), 0 if default else parts.port or 0
    except ValueError:
        return None
