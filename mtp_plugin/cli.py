"""``flask mtp ...``: progress goes to stderr; ``--json`` prints exactly one JSON object on stdout."""

from __future__ import annotations

import click

from .commands import (
    alerts,
    audit,
    bandits,
    data,
    evaluate,
    experiments,
    feedback,
    forward,
    identity,
    kpi,
    models,
    operate,
    privacy,
    propensity,
    replay,
    rules,
    segments,
    sources,
    stream,
    subject,
    webhooks,
)

mtp = click.Group("mtp", help="Micro-targeted personalisation: data, models, jobs and health.")

_SUBJECTS = (
    data, sources, models, segments, propensity, rules, experiments, bandits, feedback, replay, evaluate, identity,
    operate, stream, webhooks, forward, alerts, kpi, audit, privacy, subject,
)  # fmt: skip
for _subject in _SUBJECTS:
    _subject.register(mtp)
