"""Headers of every page: a Content-Security-Policy with a nonce and nothing inline."""

from __future__ import annotations

import secrets

from flask import Flask, Response, g


def current_nonce() -> str:
    """The nonce of this response."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def add_headers(app: Flask) -> None:
    """Send the headers with each response."""

    @app.after_request
    def headers(response: Response) -> Response:
        nonce = current_nonce()
        response.headers.setdefault(
            "Content-Security-Policy",
            f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self'; connect-src 'self'; "
            "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        )
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        return response
