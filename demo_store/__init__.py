"""Tarn: a little shop for well-made everyday things, to show every part of ``mtp_plugin`` at work.

Run it from the checkout: ``flask --app demo_store demo build``, then ``flask --app demo_store run``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask import Flask

CLOCK = "DEMO_CLOCK"
"""Names the file with the simulated time, where :mod:`.traffic` runs the shop in one."""


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """The shop, see :func:`demo_store.app.create_app`; what only simulates shoppers does not load it."""
    if os.environ.get(CLOCK):
        from .clock import Clock

        Clock(os.environ[CLOCK]).rule()
    from .app import create_app as made

    return made(config)


__all__ = ["create_app"]
