"""``flask mtp ...``: progress goes to stderr; ``--json`` prints exactly one JSON object on stdout."""

from __future__ import annotations

import click

from .commands import audit, data, evaluate, models, operate, rules, segments

mtp = click.Group("mtp", help="Micro-targeted personalisation: data, models, jobs and health.")

for _subject in (data, models, segments, rules, evaluate, operate, audit):
    _subject.register(mtp)
