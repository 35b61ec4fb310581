"""The shop's second name: a page of another origin, served by the same process.

``127.0.0.1`` and ``localhost`` are one machine, but two origins to a browser. A page under the one name shows blocks of
the shop under the other, with the public write key and the list of origins that any page elsewhere needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
from flask import request

WRITE_KEY = "pk_tarn_journal"
"""Public: it stands in the page. It is good for events and for blocks that are the same for everybody."""

NAMES = ("127.0.0.1", "localhost")


def origins(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The origins whose pages may use the key: this machine's two names with the port that the shop is served on."""
    port = config.get("DEMO_PORT") or _port_of_command()
    return tuple(f"http://{name}:{port}" for name in NAMES)


def other_origin() -> str:
    """The shop under its other name, ``""`` where it is not served under one of the two."""
    name, _, port = request.host.partition(":")
    if name not in NAMES or not port:
        return ""
    return f"http://{NAMES[1 - NAMES.index(name)]}:{port}"


def elsewhere_url() -> str:
    """Address of the page of another origin, ``""`` where there is none."""
    origin = other_origin()
    return origin and f"{origin}/elsewhere"


def _port_of_command() -> int:
    """The port given to ``flask run``, else its default."""
    context = click.get_current_context(silent=True)
    return int((context and context.params.get("port")) or 5000)
