"""The console's panels, in the order of the navigation."""

from __future__ import annotations

from flask import Blueprint

from .console import PATH
from .guard import asset, guarded, missing
from .pages import (
    alerts,
    bandits,
    changes,
    experiments,
    health,
    jobs,
    kpi,
    models,
    overview,
    placements,
    products,
    requests,
    rules,
    search,
    segments,
    shop_as,
    theme,
)
from .panel import Page, Panel

PANELS: tuple[Panel, ...] = (
    overview.PANEL,
    placements.PANEL,
    products.PANEL,
    rules.PANEL,
    segments.PANEL,
    shop_as.PANEL,
    kpi.PANEL,
    experiments.PANEL,
    bandits.PANEL,
    alerts.PANEL,
    models.PANEL,
    jobs.PANEL,
    health.PANEL,
    requests.PANEL,
    changes.PANEL,
)
EXTRAS: tuple[Panel, ...] = (search.PANEL, theme.PANEL)
"""Pages that do not stand in the navigation."""


LARGEST = 2**63 - 1
"""The largest number that a database can be asked for; a larger one in an address is that of no page."""


def add_console(blueprint: Blueprint) -> None:
    """Register every page of the console, each behind its guard."""
    for panel in (*PANELS, *EXTRAS):
        for page in panel.pages:
            blueprint.add_url_rule(
                _rule(panel, page), f"admin_{page.name_in(panel.key or 'overview')}", guarded(page),
                methods=[page.method], strict_slashes=False,
            )  # fmt: skip
    blueprint.add_url_rule(f"{PATH}/static/<name>", "admin_asset", asset)
    blueprint.add_url_rule(f"{PATH}/<path:rest>", "admin_missing", guarded(Page("", "missing", missing)))


def _rule(panel: Panel, page: Page) -> str:
    if not panel.key:
        return f"{PATH}/"
    return f"{PATH}/{panel.key}{page.rule}".replace("<int:", f"<int(max={LARGEST}):")
