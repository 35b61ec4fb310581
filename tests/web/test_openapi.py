"""``openapi.json`` says what is true: every route is in it, and nothing that schemathesis sends breaks a word of it."""

from __future__ import annotations

import atexit
import json
import re
import shutil
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st

from mtp_plugin.records import ACTIONS
from mtp_plugin.track.aliases import canonical
from mtp_plugin.web.routes import ROUTES

from .shop import Shop, build_shop

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def described(shop: Shop) -> dict[str, Any]:
    answer: dict[str, Any] = shop.browser().get("/mtp/openapi.json").get_json()
    return answer


def test_every_route_is_described(shop: Shop, described: dict[str, Any]) -> None:
    registered = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule.removeprefix("/mtp")))
        for rule in shop.app.url_map.iter_rules()
        if rule.endpoint.startswith("mtp.") and not rule.endpoint.startswith("mtp.admin_")  # the console is no API
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    told = {(method.upper(), path) for path, operations in described["paths"].items() for method in operations}
    assert registered == told
    assert len(told) == len(ROUTES)


def test_every_route_is_in_the_docs() -> None:
    text = (DOCS / "api.md").read_text() + (DOCS / "privacy-basics.md").read_text()
    for route in ROUTES:
        name = route.rule.removeprefix("/")
        assert name in text or name.removeprefix("v1/") in text, route.rule


def test_it_is_about_this_shop(described: dict[str, Any]) -> None:
    assert described["servers"] == [{"url": "/mtp"}]
    assert "home-hero" in described["components"]["schemas"]["RecommendationQuery"]["properties"]["placement"]["enum"]
    assert described["components"]["schemas"]["ErrorAnswer"]


def whole_shop() -> Shop:
    """Made at import: schemathesis' own way to take an API from a fixture knows no pytest after 9.1."""
    folder = tempfile.mkdtemp(prefix="mtp-openapi-")
    shop = build_shop(Path(folder))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(shop.state.close)
    return shop


# The format knows years that no clock of a sender's shows.
schemathesis.openapi.format(
    "date-time", st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1)).map(lambda moment: f"{moment.isoformat()}Z")
)
# "Printable" is a word of Unicode's that no pattern of JSON Schema can say; among ASCII one can.
config = schemathesis.Config.from_dict({"generation": {"codec": "ascii"}})
schema = schemathesis.openapi.from_wsgi("/mtp/openapi.json", whole_shop().app, config=config)


@schema.parametrize()
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
def test_schemathesis_finds_nothing(case: schemathesis.Case) -> None:
    sent = json.dumps([case.query, case.body], default=str)
    # An operator that nobody knows is refused, which the description leaves to docs/conditions.md.
    assume('"$' not in sent.replace("\\", ""))
    # So is a control character, however deep: JSON Schema would have to say so of every level.
    assume(not re.search(r"\\+(u00[01]|u007f|[bfnrt])", sent))
    # So is what changes a profile without naming a product: docs/events.md lists those names.
    names = re.findall(r'"(?:event|name)": "([^"]*)"', sent)
    assume(not any(canonical(name) in ACTIONS for name in names))
    assume(not case.path.endswith("/privacy/consent") or decides(case.body))
    case.call_and_validate()


def decides(body: Any) -> bool:
    """Whether a choice says one thing that can be one: no schema can say what is a consent string, or "just one of"."""
    if not isinstance(body, dict) or "next" in body or isinstance(body.get("choice"), str):
        return True
    ways = [name for name in ("choice", "purposes", "tcf", "consent_mode") if name in body]
    if len(ways) > 1 or "tcf" in ways:
        return False
    known = {"functionality_storage", "analytics_storage", "personalization_storage"}
    return ways == ["choice"] or bool(body.get("purposes")) or bool(known & {*body.get("consent_mode", ())})
