"""``widget.js``, its parts and ``mtp.css``: read once, named by their content, kept by browsers under that name."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from flask import Response, request

from ..assets import static_folder

TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
YEAR = 365 * 86400
SHORT = 300

PARTS = {
    "carousel": "Buttons of carousels",
    "consent": "The banner without a reload",
    "datalayer": "GA4's data layer and Google's consent mode",
    "engage": "Time, depth and filters",
    "managers": "Consent managers: OneTrust, TrustArc",
}
"""What the script loads only where a page uses it, as ``widget-<part>.js``."""

SCRIPTS = ("mtp.js", *(f"mtp-{part}.js" for part in PARTS))


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent; ``version`` is a hash of its content, or of what it belongs to."""

    body: bytes
    content_type: str
    version: str


def load_assets() -> dict[str, Asset]:
    """Read the files of ``static/mtp`` that browsers ask for, by name.

    The scripts have one version together: the first of them names the others by its own.
    """
    bodies = {name: (Path(static_folder()) / "mtp" / name).read_bytes() for name in (*SCRIPTS, "mtp.css")}
    versions = dict.fromkeys(SCRIPTS, version_of(b"".join(bodies[name] for name in SCRIPTS)))
    versions["mtp.css"] = version_of(bodies["mtp.css"])
    return {name: Asset(body, TYPES[Path(name).suffix], versions[name]) for name, body in bodies.items()}


def version_of(content: bytes) -> str:
    """What a file is called by its content."""
    return hashlib.sha256(content).hexdigest()[:16]


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
