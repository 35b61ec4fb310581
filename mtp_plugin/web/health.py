"""Health for load balancers, figures for Prometheus, files for browsers."""

from __future__ import annotations

import logging
from collections.abc import Callable

import msgspec
from flask import Response
from prometheus_client import CONTENT_TYPE_LATEST

from ..errors import UnauthorizedError
from ..state import State
from .assets import send_asset
from .keys import is_one_of, shown_key
from .parts import get_parts, get_state
from .sender import address_of_caller

ESSENTIAL = frozenset({"database"})
"""Without these nothing can be kept; without any other part the shop is served all the same, with less."""

log = logging.getLogger(__name__)


class Health(msgspec.Struct, frozen=True, omit_defaults=True):
    """``ok``, ``degraded`` or ``failing``, and the same for each part; why is in the log."""

    status: str
    checks: dict[str, str] = {}


def live() -> Response:
    """The process answers."""
    return _answer(Health("ok"))


def ready() -> Response:
    """Whether this worker can do its work: 503 without its database; what else is away only degrades it."""
    checks = {name: _check(name, get_state()) for name in sorted(get_state().probes)}
    worst = next((word for word in ("failing", "degraded") if word in checks.values()), "ok")
    return _answer(Health(worst, checks))


def _check(name: str, state: State) -> str:
    try:
        wrong = state.probes[name]()
    except Exception:
        log.exception("the probe of %s failed", name)
        return _wrong(name)
    if wrong:
        log.error("%s is not ready: %s", name, wrong)
    return _wrong(name) if wrong else "ok"


def _wrong(name: str) -> str:
    return "failing" if name in ESSENTIAL else "degraded"


def _answer(health: Health) -> Response:
    status = 503 if health.status == "failing" else 200
    response = Response(msgspec.json.encode(health), status=status, content_type="application/json")
    response.cache_control.no_store = True
    return response


def metrics() -> Response:
    """Figures of this application, for who shows a secret key.

    Not for the loopback address without a key: behind a proxy on the same machine everybody comes from there.
    """
    key = shown_key()
    if not is_one_of(key, get_state().settings.secret_keys):
        if key:
            get_parts().limits.hit(f"guess:{address_of_caller()}")
        raise UnauthorizedError("metrics take a secret key, as HTTP Basic user name or bearer token")
    response = Response(get_parts().metrics.text(), content_type=CONTENT_TYPE_LATEST)
    response.cache_control.no_store = True
    return response


def asset_view(name: str) -> Callable[[], Response]:
    """The view of a file of ``static/mtp``."""

    def view() -> Response:
        return send_asset(get_parts().assets[name])

    return view
