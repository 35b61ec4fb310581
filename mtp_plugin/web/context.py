"""What is true of this request: device, time of day, page, where the visitor came from."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from flask import request
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from ..records import ConsentLevel, Context

DAYPARTS = ("night",) * 6 + ("morning",) * 6 + ("afternoon",) * 6 + ("evening",) * 6
"""Word for each hour of the shop's day."""

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MOST = 200


def build_context(
    level: ConsentLevel, now: float, zone: ZoneInfo, *, page_type: str = "", category: str = "", query: str = ""
) -> Context:
    """The context of the current request.

    A slate that is the same for everybody knows the page alone, so nothing of the browser is read for it.

    :param now: seconds since 1970
    :param zone: the shop's time zone
    """
    if level is ConsentLevel.NON_PERSONAL:
        return Context(page_type=page_type, category=category, query=query)
    local = datetime.fromtimestamp(now, zone)
    return Context(
        device=device(request.headers.get("User-Agent", "")),
        daypart=DAYPARTS[local.hour],
        weekday=WEEKDAYS[local.weekday()],
        page_type=page_type,
        category=category,
        query=query,
        referrer=_referrer(),
        campaign=request.args.get("utm_campaign", "")[:MOST] if request.query_string else "",
        locale=_locale(request.headers.get("Accept-Language", "")),
    )


@lru_cache(maxsize=1024)
def _locale(accepted: str) -> str:
    """The language that a visitor likes best, ``""`` for any."""
    return parse_accept_header(accepted, LanguageAccept).best or ""


@lru_cache(maxsize=1024)
def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def device(user_agent: str) -> str:
    """``mobile``, ``tablet``, ``desktop``, or ``""`` when the browser does not say."""
    if "iPad" in user_agent or "Tablet" in user_agent:
        return "tablet"
    if "Android" in user_agent:
        return "mobile" if "Mobile" in user_agent else "tablet"
    if "Mobi" in user_agent or "iPhone" in user_agent:
        return "mobile"
    return "desktop" if user_agent.startswith("Mozilla/") else ""


def _referrer() -> str:
    """Host of the page before, if it is another site's."""
    address = request.headers.get("Referer", "")
    host = _host(address[:2000]) if address else ""
    return "" if not host or host == request.host.partition(":")[0] else host[:MOST]
