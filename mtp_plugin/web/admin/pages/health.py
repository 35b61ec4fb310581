"""Health: what ``flask mtp doctor`` finds, with what to do about it."""

from __future__ import annotations

from flask import Response, current_app

from ...doctor import Finding, examine
from ...parts import get_state
from ..frame import page
from ..panel import Page, Panel

ORDER = (("broken", "Broken"), ("advice", "Worth doing"), ("well", "In order"))


def findings() -> list[Finding]:
    """Everything the doctor looks at."""
    return examine(current_app._get_current_object(), get_state())  # type: ignore[attr-defined]


def show() -> Response:
    """All findings, the worst first."""
    found = findings()
    groups = [(word, title, [one for one in found if one.status == word]) for word, title in ORDER]
    return page("health.html", title="Health", findings_by=groups, settings=get_state().settings)


PANEL = Panel(key="health", title="Health", group="Engine", pages=(Page("/", "show", show),))
