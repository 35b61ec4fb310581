"""Fragments for shared caches: the same bytes for whoever asks, and what a cache needs to keep, renew and drop them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from urllib.parse import quote

import msgspec
from flask import Response, request
from werkzeug.datastructures import Headers
from werkzeug.http import parse_list_header

from ..records import Slate
from ..state import State
from .keys import is_one_of
from .parts import get_parts
from .queries import BlockQuery
from .recommendations import is_whole
from .sender import address_of_caller
from .written import turn_of

OLDEST = 60
"""Seconds that a fragment is old at most while the origin answers."""
RENEWED = 10
"""The last of these seconds: a cache gives the fragment out once more and asks for a new one meanwhile."""
PARTIAL = 5
"""Seconds for one that may be fuller a moment later: without them each page would ask the origin for an empty place."""
ORPHANED = 600
"""Seconds for which a cache may go on with it where the origin does not answer: nothing can be bought then anyway."""
LONGEST_KEY = 80


class SharedResponse(Response):
    """An answer that is nobody's own: what a hook of the shop adds for one visitor does not leave with it.

    It never varies by cookie, as none is looked at; another header that the shop says it looked at caches must know of.
    """

    def get_wsgi_headers(self, environ: dict[str, object]) -> Headers:
        headers = super().get_wsgi_headers(environ)
        others = [name for name in headers.getlist("Vary") for name in parse_list_header(name)]
        others = [name for name in others if name.lower() != "cookie"]
        for name in ("Set-Cookie", "Vary"):
            headers.remove(name)
        if others:
            headers["Vary"] = ", ".join(others)
        return headers


def limit_shared(state: State) -> None:
    """Count a request by its address, unless it shows a secret key: a cache asks for many visitors.

    Nothing else of the request is looked at: no visitor, no cookie.

    :raises mtp_plugin.web.limits.RateLimitedError: one too many
    """
    if not _shows_secret(state):
        get_parts().limits.hit(address_of_caller())


def of_known_segment(state: State, page: BlockQuery) -> BlockQuery:
    """The question for everybody where there is no such segment (any more): caches learn of new ones late."""
    if page.segment_id and state.pipeline.live.get().segments.find(page.segment_id) is None:
        return msgspec.structs.replace(page, segment_id="")
    return page


def shared_response(state: State, slate: Slate | None, html: str, now: float) -> Response:
    """The fragment with an ``ETag``, how long caches may keep it, and by which keys they may drop it.

    A request that still brings a cookie or somebody's password gets the same bytes from us, but for itself: what the
    shop's own templates, prices and hooks make of them is not known here.

    :param slate: ``None`` where the placement is switched off
    :param now: seconds since 1970
    """
    response = SharedResponse(html, content_type="text/html; charset=utf-8")
    response.headers["X-Content-Type-Options"] = "nosniff"
    if _brings_identity(state):
        response.headers["Cache-Control"] = "private, no-store"
        return response
    response.headers["Cache-Control"] = _control(state, slate, now)
    response.headers["Surrogate-Key"] = " ".join(_keys(slate)) if slate else "mtp"
    # The address is in it: of all empty places none must be taken for another one's.
    response.set_etag(hashlib.blake2b(f"{request.full_path}\n{html}".encode(), digest_size=16).hexdigest())
    response.make_conditional(request)
    return response


def _control(state: State, slate: Slate | None, now: float) -> str:
    """Fresh, then renewed in the background, together :data:`OLDEST` seconds at most and never past a product's turn.

    Browsers ask each time: theirs would come on top of what the cache in between has kept.
    """
    whole = slate is not None and is_whole(slate)
    turns = turn_of(state, slate, now) - now if slate else math.inf
    total = int(max(0, min(OLDEST if whole else PARTIAL, state.settings.cache_seconds, turns)))
    fresh = total - min(RENEWED, total // 2)
    orphaned = int(min(ORPHANED, turns - fresh)) if total else 0
    return f"public, max-age=0, s-maxage={fresh}, stale-while-revalidate={total - fresh}, stale-if-error={orphaned}"


def _keys(slate: Slate) -> Iterator[str]:
    """What the fragment depends on: at most as many keys as a block has products, and four."""
    yield "mtp"
    yield f"mtp-placement-{slate.placement}"
    if slate.segment:
        yield _key("segment", slate.segment.segment_id)
    if slate.model_version:
        yield _key("model", slate.model_version)
    for item in slate.items:
        yield _key("product", item.product_id)


def _key(kind: str, name: str) -> str:
    """A name as one word; of names that begin alike for long, dropping one drops all."""
    return f"mtp-{kind}-{quote(name, safe='')}"[:LONGEST_KEY]


def _shows_secret(state: State) -> bool:
    shown = request.authorization
    key = (shown.username or shown.token) if shown is not None else None
    return bool(key) and is_one_of(str(key), state.settings.secret_keys)


def _brings_identity(state: State) -> bool:
    if request.environ.get("HTTP_COOKIE"):
        return True
    return bool(request.environ.get("HTTP_AUTHORIZATION")) and not _shows_secret(state)
