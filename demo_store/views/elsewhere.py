"""A page of somebody else's: a magazine that shows what the shop's public key lets it show."""

from __future__ import annotations

from flask import Blueprint, Response, abort, make_response, render_template, request

from ..elsewhere import WRITE_KEY, other_origin
from ..security import current_nonce

bp = Blueprint("elsewhere", __name__)


@bp.get("/elsewhere")
def show() -> Response:
    """The page; with ``?events=yes`` its reader has allowed it to tell the shop what they look at."""
    shop = other_origin()
    if not shop:
        abort(404)
    allowed = request.args.get("events") == "yes"
    response = make_response(
        render_template("elsewhere/page.html", shop=shop, here=request.host_url, key=WRITE_KEY, allowed=allowed)
    )
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; script-src 'nonce-{current_nonce()}'; style-src 'self' {shop}; img-src 'self' {shop}; "
        f"connect-src {shop}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    return response
