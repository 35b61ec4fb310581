"""Tarn: a little shop for well-made everyday things, to show every part of ``mtp_plugin`` at work.

Run it from the checkout: ``flask --app demo_store demo build``, then ``flask --app demo_store run``.
"""

from .app import create_app

__all__ = ["create_app"]
