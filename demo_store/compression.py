"""Answers go compressed to browsers that can read them so, as any good web server would send them."""

from __future__ import annotations

from flask import Flask, Response
from flask_compress import Compress


def add_compression(app: Flask) -> None:
    """Compress pages, scripts, styles and pictures."""
    Compress(app)

    # Asked before the compressor: a file that is streamed through it would stay open.
    @app.after_request
    def read(response: Response) -> Response:
        if response.direct_passthrough:
            response.direct_passthrough, file = False, response.response
            response.set_data(response.get_data())
            getattr(file, "close", lambda: None)()
        return response
