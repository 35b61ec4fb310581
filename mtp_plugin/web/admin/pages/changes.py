"""Changes: who did what and when, out of the audit log, and whether the log is whole."""

from __future__ import annotations

from flask import Response, request

from ...parts import get_state
from ..frame import page
from ..panel import Page, Panel
from ..tables import csv_answer, part_of

MOST = 2000
"""Latest entries that the page and its file hold; ``flask mtp audit list`` has all."""
KINDS = {
    "": "All",
    "placement": "Placements",
    "rule": "Rules",
    "segment": "Segments",
    "model": "Models",
    "job": "Jobs",
    "alert": "Alerts",
}


def show() -> Response:
    """The newest first."""
    kind = request.args.get("kind", "")
    kind = kind if kind in KINDS else ""
    found = get_state().audit.latest(MOST, action=f"{kind}." if kind else "")
    if request.args.get("format") == "csv":
        columns = ("number", "at", "actor", "action", "subject", "details")
        return csv_answer("changes", columns, ([getattr(entry, name) for name in columns] for entry in found))
    return page("changes.html", title="Changes", part=part_of(found), kinds=KINDS, kind=kind)


def verify() -> Response:
    """Read the whole chain and say whether anything was changed, taken out or put in."""
    faults, head = get_state().audit.verify(), get_state().audit.head()
    return page("changes_verify.html", title="Is the log whole?", faults=faults, head=head)


PANEL = Panel(
    key="changes", title="Changes", group="Trust", pages=(Page("/", "show", show), Page("/verify", "verify", verify))
)
