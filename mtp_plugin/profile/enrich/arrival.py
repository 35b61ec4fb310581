"""What led the visitor here: campaign tags, else the page before."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import parse_qsl, urlsplit

from ...records import Signals
from .base import Found

MOST = 200
SEARCH = ("google", "bing", "duckduckgo", "ecosia", "yahoo", "qwant", "startpage", "baidu", "yandex", "brave", "naver")
SOCIAL = {
    "facebook": "facebook",
    "instagram": "instagram",
    "pinterest": "pinterest",
    "tiktok": "tiktok",
    "youtube": "youtube",
    "linkedin": "linkedin",
    "lnkd": "linkedin",
    "reddit": "reddit",
    "twitter": "x",
    "t.co": "x",
    "x.com": "x",
    "threads": "threads",
    "bsky": "bluesky",
}
CLICKS = {"gclid": "google", "wbraid": "google", "gbraid": "google", "msclkid": "bing"}
"""Marks that paid clicks carry, and who sold them."""
_TELLING = ("utm_", *CLICKS)
_TAGS = {"utm_source": "source", "utm_medium": "medium", "utm_campaign": "campaign"}


class ArrivalEnricher:
    """``source``, ``medium``, ``campaign`` and ``referrer``.

    UTM tags come first; then what paid clicks carry; then the page before: a search engine (``organic``), a social
    network (``social``) or another site (``referral``). Who comes with nothing of it stays unknown.
    """

    name = "arrival"
    live = False

    def enrich(self, signals: Signals, found: Found) -> Found:
        if not (signals.referrer or signals.search or signals.campaign):
            return {}
        referrer = _host(signals.referrer[:2000]) if signals.referrer else ""
        if referrer == signals.host.partition(":")[0]:
            referrer = ""
        tags = dict(signals.campaign) if signals.campaign else {}
        if signals.search:
            tags = {**_tagged(signals.search), **tags}
        if not referrer:
            return tags
        return {"referrer": referrer[:MOST], **(tags or _led_by(referrer))}


def _tagged(search: str) -> dict[str, str]:
    """What the address's query says of the campaign, and nothing else of it."""
    if "utm_" not in search and not any(mark in search for mark in CLICKS):
        return {}
    parts = (part for part in search.removeprefix("?")[:4000].split("&") if part.startswith(_TELLING))
    pairs = dict(parse_qsl("&".join(parts)))
    tags = {short: pairs[name][:MOST] for name, short in _TAGS.items() if pairs.get(name)}
    paid = next((seller for mark, seller in CLICKS.items() if mark in pairs), "")
    return {"source": paid, "medium": "cpc", **tags} if paid else tags


@lru_cache(maxsize=1024)
def _led_by(host: str) -> dict[str, str]:
    labels = host.split(".")
    network = next((SOCIAL[name] for name in (host.removeprefix("www."), *labels) if name in SOCIAL), "")
    if network:
        return {"source": network, "medium": "social"}
    engine = next((label for label in labels[:-1] if label in SEARCH), "")
    if engine:
        return {"source": engine, "medium": "organic"}
    return {"source": host[:MOST], "medium": "referral"}


@lru_cache(maxsize=1024)
def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
