"""What is true of this request: the signals that a browser sends, and what the enrichers make of them."""

from __future__ import annotations

from functools import lru_cache

from flask import request
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from ..profile.enrich.chain import Enrichment
from ..records import ConsentLevel, Context, Signals
from .kept import kept

MOST = 200


def build_context(
    level: ConsentLevel,
    now: float,
    enrichment: Enrichment,
    *,
    page_type: str = "",
    category: str = "",
    query: str = "",
) -> Context:
    """The context of the current request.

    A slate that is the same for everybody knows the page alone, so nothing of the browser is read for it. A server
    that asks for one of its visitors is not where that visitor is, so of its own request nothing is read either.

    :param now: seconds since 1970
    """
    if level is ConsentLevel.NON_PERSONAL:
        return Context(page_type=page_type, category=category, query=query)
    sender = kept().sender
    served = sender is not None and sender.kind == "server"
    return enrichment.context(
        Signals(at=now) if served else page_signals(now, enrichment),
        page_type=page_type,
        category=category,
        query=query,
        locale="" if served else _locale(request.environ.get("HTTP_ACCEPT_LANGUAGE", "")[:MOST]),
    )


def page_signals(now: float, enrichment: Enrichment) -> Signals:
    """What the browser says with the request for a page: it comes from the page before, its address has the tags."""
    environ = request.environ
    return Signals(
        at=now,
        user_agent=environ.get("HTTP_USER_AGENT", ""),
        referrer=environ.get("HTTP_REFERER", ""),
        host=environ.get("HTTP_HOST", ""),
        search=environ.get("QUERY_STRING", ""),
        place=enrichment.place(request.remote_addr or ""),
    )


def event_signals(now: float, enrichment: Enrichment) -> Signals:
    """What the browser says with the request that brings events, each of which tells of its own page."""
    environ = request.environ
    return Signals(
        at=now,
        user_agent=environ.get("HTTP_USER_AGENT", ""),
        host=environ.get("HTTP_HOST", ""),
        place=enrichment.place(request.remote_addr or ""),
    )


@lru_cache(maxsize=1024)
def _locale(accepted: str) -> str:
    """The language that a visitor likes best, ``""`` for any."""
    return (parse_accept_header(accepted, LanguageAccept).best or "")[:MOST]
