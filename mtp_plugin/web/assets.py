"""``widget.js`` and ``mtp.css``: read once, named by their content, kept by browsers for ever under that name."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from flask import Response, request

from ..assets import static_folder

TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
YEAR = 365 * 86400
SHORT = 300


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent; ``version`` is a hash of its content."""

    body: bytes
    content_type: str
    version: str


def load_asset(name: str) -> Asset:
    """Read a file of ``static/mtp``."""
    path = Path(static_folder()) / "mtp" / name
    body = path.read_bytes()
    return Asset(body, TYPES[path.suffix], hashlib.sha256(body).hexdigest()[:16])


def send_asset(asset: Asset) -> Response:
    """Answer with a file: for ever when the address names this version, else shortly and by ETag."""
    response = Response(asset.body, content_type=asset.content_type)
    response.set_etag(asset.version)
    response.cache_control.public = True
    named = request.args.get("v") == asset.version
    response.cache_control.max_age = YEAR if named else SHORT
    if named:
        response.cache_control.immutable = True
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.make_conditional(request)
    return response
