"""Who may do what, asked of every route that the application has: each kind of caller sends a real request to each.

A new route has no row in :data:`ASKS` (or does not belong to the console) and stops the table from being made.
"""

from __future__ import annotations

import re
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from mtp_plugin.track.webhooks.signature import sign

from ..web.shop import BLOG, PUBLIC, SECRET, Shop, build_shop

HOME = "/mtp/admin"
OWN = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost", "User-Agent": "Mozilla/5.0 (X11) Firefox/140"}
ELSEWHERE = OWN | {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
HOOK = "a secret of the source"
VALUES = {
    "key": "offer",
    "name": "cart-complete",
    "kind": "content",
    "product_id": "p001",
    "rest": "nothing/here",
    "placement": "home-hero",
    "source": "erp",
}
EVENT = {"anonymousId": "w1", "event": "Product Viewed", "properties": {"product_id": "p001"}}
GA4 = {"events": [{"name": "view_item", "params": {"items": [{"item_id": "p001"}]}}]}


@dataclass(frozen=True)
class Ask:
    """A request that is well formed; *label* tells it from the plain one of the same route."""

    json: Any = None
    query: str = ""
    label: str = ""
    signed: bool = False


def _naming(**body: Any) -> Ask:
    return Ask(json=body, label="naming another")


ASKS: dict[str, tuple[Ask, ...]] = {
    "track": (Ask(EVENT), _naming(**EVENT, userId="ben")),
    "page": (Ask({"anonymousId": "w1", "name": "Home"}),),
    "identify": (Ask({"anonymousId": "w1", "traits": {"plan": "a"}}), _naming(userId="ben", traits={"plan": "a"})),
    "alias": (Ask({"anonymousId": "w1", "previousId": "x"}), _naming(userId="ben", previousId="ada")),
    "batch": (
        Ask({"batch": [{"type": "track", **EVENT}]}),
        _naming(batch=[{"type": "track", **EVENT, "userId": "ben"}]),
    ),
    "group": (Ask({"groupId": "g"}),),
    "screen": (Ask({"name": "x"}),),
    "ga4": (Ask({**GA4, "client_id": "c"}), _naming(**GA4, client_id="c", user_id="ben")),
    "recommendations": (
        Ask(query="placement=home-hero"),
        Ask(query="placement=home-hero&user_id=ben", label="naming another"),
    ),
    "recommendations_post": (Ask({"placement": "home-hero"}), _naming(placement="home-hero", user_id="ben")),
    "block": (Ask(),),
    "propensity": (Ask(), Ask(query="user_id=ben", label="naming another")),
    "read_consent": (Ask(),),
    "write_consent": (Ask({"choice": True}),),
    "read_rules": (Ask(),),
    "write_rules": (Ask({"rules": []}),),
    "rules_history": (Ask(),),
    "check_rules": (Ask({"rules": []}),),
    "roll_back": (Ask({"version": 0}),),
    "write_rule": (Ask({"rule": {"rule_id": "1", "then": [{"hide": True}]}}),),
    "delete_rule": (Ask(),),
    "enable_rule": (Ask(),),
    "disable_rule": (Ask(),),
    "webhook": (Ask({"id": "e1"}), Ask({"id": "e2"}, label="signed", signed=True)),
    "read_experiments": (Ask(),),
    "read_experiment": (Ask(),),
    "read_identity": (Ask(),),
    "claim_identity": (Ask({"left": "u:a", "right": "a:b"}),),
    "decide_identity": (Ask({"link_id": 1, "decision": "undo"}),),
    "export_subject": (Ask(), Ask(query="user_id=ben", label="naming another")),
    "erase_subject": (Ask(), Ask(query="user_id=gone", label="naming another")),
    "read_requests": (Ask(), Ask(query="user_id=ben", label="naming another")),
    "ask_subject": (Ask({"kind": "lift"}), _naming(kind="lift", user_id="ben")),
    **dict.fromkeys(
        ("widget", "widget_carousel", "widget_consent", "widget_datalayer", "widget_engage", "widget_managers"),
        (Ask(),),
    ),
    **dict.fromkeys(("style", "live", "ready", "metrics", "openapi", "gpc", "admin_asset"), (Ask(),)),
}
"""What is sent to each route that is no page of the console, by the name of its endpoint."""

ACTORS = {
    "nobody": "no cookie, no key, no origin",
    "visitor": "a browser on the shop's pages, with its signed cookie and full consent",
    "other site": "a page of another site in that visitor's browser, with all its cookies",
    "write key": "a page of an origin that the public key is listed for",
    "write key elsewhere": "the same key from a page of another origin",
    "secret key": "a server",
    "viewer": "who the shop's guard calls so, with the console's token",
    "merchandiser": "the same",
    "administrator": "the same",
    "forged form": "a page of another site in the administrator's browser, with all its cookies and no token",
}
ROLES = ("viewer", "merchandiser", "administrator")


@dataclass(frozen=True)
class Row:
    """A route, what is asked of it, and how each actor is answered."""

    route: str
    cells: tuple[str, ...]


def matrix(folder: Path) -> Iterator[Row]:
    """Every route of the plugin with every actor."""
    shop = build_shop(folder, webhooks={"erp": {"kind": "mapped", "secrets": [HOOK], "map": MAP}})
    who: list[str | None] = [None]
    shop.mtp.admin_guard(lambda: who[0])
    callers = _Callers(shop, who)
    for rule in sorted(shop.app.url_map.iter_rules(), key=lambda rule: (rule.rule, sorted(rule.methods or ()))):
        if not rule.endpoint.startswith("mtp"):
            continue
        for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}):
            for ask in asks_of(rule):
                label = f" ({ask.label})" if ask.label else ""
                cells = tuple(callers.word(actor, method, _address(rule), ask) for actor in ACTORS)
                shown = re.sub(r"\(max=\d+\)", "", rule.rule.removeprefix("/mtp/"))
                yield Row(f"`{method} {shown}`{label}", cells)
    shop.state.close()


MAP = {"event": "type", "events": {"order.paid": "Order Completed"}, "user_id": "user", "key": "id"}


def asks_of(rule: Rule) -> tuple[Ask, ...]:
    """What is asked of a route.

    :raises LookupError: nobody has said
    """
    name = rule.endpoint.removeprefix("mtp.").removeprefix("mtp_")
    if name in ASKS:
        return ASKS[name]
    if name.startswith("admin_"):
        return (Ask(),)
    raise LookupError(f"{rule.rule} is new: say in tests/security/matrix.py what to ask of it")


def _address(rule: Rule) -> str:
    return re.sub(r"<(?:[\w()=]+:)?(\w+)>", lambda found: VALUES.get(found[1], "1"), rule.rule)


class _Callers:
    """Each actor as a client of its own, new for each request: what one did is no help to the next."""

    def __init__(self, shop: Shop, who: list[str | None]) -> None:
        self._shop, self._who = shop, who

    def word(self, actor: str, method: str, address: str, ask: Ask) -> str:
        client, headers, form = self._be(actor)
        path = f"{address}?{ask.query}" if ask.query else address
        more: dict[str, Any] = {"json": ask.json} if ask.json is not None else {}
        if method == "POST" and address.startswith(HOME):
            more = {"data": form}
        if ask.signed:
            headers["X-Mtp-Signature"] = sign(HOOK, b'{"id": "e2"}', time.time())
            more = {"data": b'{"id": "e2"}'}
        answer = client.open(path, method=method, headers=headers, **more)
        said = _said(answer)
        return f"{said} as named" if said == "kept" and self._newest() == "u:ben" else said

    def _newest(self) -> str:
        """Of whom the newest event is."""
        journal = self._shop.state.journal
        found, _ = journal.tail(journal.last_number() - 1, limit=1)
        return found[0][1].profile_id

    def _be(self, actor: str) -> tuple[FlaskClient, dict[str, str], dict[str, str]]:
        client, self._who[0] = self._shop.app.test_client(), None
        if actor in ("nobody", "secret key"):
            return client, _basic(SECRET) if actor == "secret key" else {}, {}
        if actor.startswith("write key"):
            origin = BLOG if actor == "write key" else "https://evil.example"
            return client, ELSEWHERE | {"Origin": origin} | _basic(PUBLIC), {}
        client.post("/mtp/v1/privacy/consent", json={"choice": True}, headers=OWN)
        if actor in ROLES or actor == "forged form":
            self._who[0] = "administrator" if actor == "forged form" else actor
            form = {"console_token": _token(client)} if actor in ROLES else {}
            return client, dict(OWN if actor in ROLES else ELSEWHERE), form
        return client, dict(ELSEWHERE if actor == "other site" else OWN), {}


def _token(client: FlaskClient) -> str:
    found = re.search(r'name="console_token" value="([^"]+)"', client.get(f"{HOME}/search", headers=OWN).text)
    assert found
    return found[1]


def _basic(key: str) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(f'{key}:'.encode()).decode()}"}


def _said(answer: TestResponse) -> str:
    """A word for what an answer lets the caller do."""
    assert answer.status_code < 500 or answer.status_code == 503, answer.text
    if answer.status_code in (401, 403):
        return str(answer.status_code)
    body = answer.get_json(silent=True) if answer.is_json else None
    if isinstance(body, dict) and "accepted" in body:
        return "kept" if body["accepted"] else "dropped" if body["dropped"] else "ignored"
    if isinstance(body, dict) and "consent_level" in body:
        return str(body["consent_level"])
    return "yes"
