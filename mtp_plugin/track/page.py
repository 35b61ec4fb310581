"""What is kept of the page an event came from: where it was and which campaign led there, not who was on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from .limits import kept_name, plain

ADDRESSES = frozenset({"url", "referrer", "referer", "path", "page_location", "page_referrer"})
"""Properties that are addresses of pages; their queries and fragments are cut off."""
_LOOKED_AT = ADDRESSES | {"search"}


def without_queries(properties: dict[str, Any]) -> None:
    """Cut from addresses what may name a person or be a secret; of ``search`` the campaign stays."""
    if _LOOKED_AT.isdisjoint(properties):
        return
    for name in ADDRESSES.intersection(properties):
        if isinstance(value := properties[name], str):
            properties[name] = _cut(value)
    search = properties.get("search")
    if isinstance(search, str) and search.startswith("?"):
        campaign = [(name, value) for name, value in parse_qsl(search[1:]) if name.startswith("utm_")]
        properties["search"] = f"?{urlencode(campaign)}" if campaign else ""


def kept_context(context: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of an event's context: path, campaign and language; no addresses of machines, no user agents."""
    page, campaign, locale = context.get("page"), context.get("campaign"), context.get("locale")
    kept: dict[str, Any] = {}
    if isinstance(page, dict) and isinstance(path := page.get("path"), str):
        kept["page"] = {"path": plain(_cut(path)[:300])}
    if campaign and isinstance(campaign, dict):
        kept["campaign"] = {
            name: plain(value[:100])
            for key, value in list(campaign.items())[:8]
            if isinstance(value, str) and (name := kept_name(key[:40]))
        }
    if isinstance(locale, str):
        kept["locale"] = plain(locale[:20])
    return kept


def _cut(address: str) -> str:
    return address.partition("?")[0].partition("#")[0]
