"""Requests for an export that somebody else brought, such as the shop's platform: hand them out within their time."""

from __future__ import annotations

import msgspec
from flask import Response, request

from ....privacy.readable import as_html
from ....privacy.subjects import ANSWER_DAYS
from ....state import State
from ...parts import get_state
from ..frame import current_person, page
from ..panel import Page, Panel
from ..roles import Role

DAY = 86_400.0


def show() -> Response:
    """Those that wait, the oldest first."""
    rows = [(one, one.requested_at + ANSWER_DAYS * DAY) for one in get_state().subjects.waiting()]
    return page("requests.html", title="Requests", rows=rows, days=ANSWER_DAYS)


def hand_out(request_id: str) -> Response:
    """The export as a file; the request is done with it.

    :raises NotFoundError: no such request waits
    """
    found = get_state().subjects.hand_out(request_id, f"console:{current_person().name}")
    as_json = request.form.get("format") == "json"
    response = Response(
        msgspec.json.encode(found) if as_json else as_html(found, "What this shop keeps of you"),
        content_type="application/json" if as_json else "text/html; charset=utf-8",
    )
    suffix = "json" if as_json else "html"
    response.headers["Content-Disposition"] = f'attachment; filename="export-{request_id}.{suffix}"'
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _count(state: State) -> int | None:
    return len(state.subjects.waiting()) or None


PANEL = Panel(
    key="requests",
    title="Requests",
    group="Trust",
    pages=(
        Page("/", "show", show),
        Page("/<request_id>/export", "export", hand_out, "POST", Role.ADMINISTRATOR),
    ),
    count=_count,
)
