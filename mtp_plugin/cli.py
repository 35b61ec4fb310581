"""``flask mtp ...``: progress goes to stderr; ``--json`` prints exactly one JSON object on stdout."""

from __future__ import annotations

import click

from .commands import audit, data, evaluate, forward, identity, models, operate, rules, segments, sources, webhooks

mtp = click.Group("mtp", help="Micro-targeted personalisation: data, models, jobs and health.")

for _subject in (data, sources, models, segments, rules, evaluate, identity, operate, webhooks, forward, audit):
    _subject.register(mtp)
