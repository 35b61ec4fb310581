"""Search over everything that the console knows by name."""

from __future__ import annotations

from flask import Response, current_app

from ...parts import get_state
from ..asking import find_visitor
from ..frame import page
from ..panel import Hit, Page, Panel
from ..tables import searched


def show() -> Response:
    """What was found, by panel; a panel that fails is logged and left out."""
    from ..panels import PANELS

    state, query = get_state(), searched()
    found: list[tuple[str, list[Hit]]] = []
    for panel in PANELS if query else ():
        try:
            hits = list(panel.find(state, query)) if panel.present(state) else []
        except Exception:
            current_app.logger.exception("the panel %s could not be searched", panel.title)
            continue
        if hits:
            found.append((panel.title, hits))
    visitor = find_visitor(state, query) if query else None
    if visitor is not None:
        hit = Hit(visitor.profile_id, f"{visitor.events} events", "as_show", {"visitor": visitor.profile_id})
        found.insert(0, ("Visitors", [hit]))
    return page("search.html", title="Search", query=query, sought=query, found=found)


PANEL = Panel(key="search", title="Search", group="", pages=(Page("", "show", show),))
