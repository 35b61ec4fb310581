"""Drawn pictures; their addresses carry a version, so browsers may keep them for ever."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache

from flask import Blueprint, Response, abort, current_app, request

from ..drawing import version
from ..drawing.scene import hero
from ..drawing.studio import DUSK
from ..shop import current_shop

bp = Blueprint("pictures", __name__)
YEAR = 31_536_000
POLICY = (
    "default-src 'none'; frame-ancestors 'none'; "
    f"style-src 'sha256-{base64.b64encode(hashlib.sha256(DUSK.encode()).digest()).decode()}'"
)


@bp.get("/pictures/<name>.svg")
def picture(name: str) -> Response:
    """A variant's picture, or the room on the front page."""
    text = _hero() if name == "room" else current_shop().catalogue.picture(name)
    if text is None:
        abort(404)
    response = Response(text, content_type="image/svg+xml; charset=utf-8")
    # A picture without its version, or with an older one, must not be kept under that address.
    if request.args.get("v") == version() and not current_app.debug:
        response.cache_control.public, response.cache_control.max_age = True, YEAR
        response.cache_control.immutable = True
    else:
        response.cache_control.max_age = 60
    response.headers["Content-Security-Policy"] = POLICY
    return response


@lru_cache(maxsize=1)
def _hero() -> str:
    return hero()
