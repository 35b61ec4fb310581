"""What a merchant wrote comes out as the merchant meant it."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from mtp_plugin import Product
from mtp_plugin.records import ConsentLevel, Context, SegmentRef, SlateRequest
from mtp_plugin.rules.read import read_ruleset
from mtp_plugin.rules.schedule import moment
from mtp_plugin.state import State

from ..core.shops import mounted

GOLDEN = Path(__file__).parents[1] / "golden" / "rules"
RULES = read_ruleset((GOLDEN / "rules.json").read_bytes())
CASES: list[dict[str, Any]] = json.loads((GOLDEN / "cases.json").read_text(encoding="utf-8"))["cases"]
ZONE = ZoneInfo("Europe/Berlin")


def at(text: str) -> float:
    return moment(text, ZONE)


PRODUCTS = [
    Product(product_id=f"plain{n}", title=f"Plain thing number {n}", brand="Acme", price=20.0 + n, created=2e9 - n)
    for n in range(8)
] + [
    Product(product_id="sofa", title="Sofa", brand="Brenn", tags=("bulky",), price=900.0, created=2e9 + 5),
    Product(product_id="parasol", title="Parasol", tags=("sunny",), price=50.0, created=2e9 + 4),
    Product(product_id="lamp", title="Lamp", brand="Acme", price=40.0),
    Product(product_id="cup", title="Folding cup", tags=("portable",), price=9.0),
    Product(product_id="snack", title="Noodles", tags=("quick", "food"), price=4.0),
    Product(product_id="star", title="Paper star", brand="Brenn", price=15.0),
    Product(product_id="sold-out", title="Glass star", price=15.0, stock=0),
    Product(product_id="reduced", title="Bowl", price=30.0, sale_price=20.0),
    Product(
        product_id="flash",
        title="Radio",
        tags=("flash-sale",),
        price=80.0,
        sale_price=40.0,
        sale_from=at("2026-11-10T00:00"),
        sale_until=at("2026-11-12T00:00"),
    ),
    Product(product_id="was-reduced", title="Vase", price=30.0, sale_price=20.0, sale_until=at("2026-11-01")),
]


class Segments:
    """Segments by name alone."""

    version = "golden"

    def find(self, segment_id: str) -> SegmentRef | None:
        return SegmentRef(segment_id, segment_id, 0.9)

    def all(self) -> tuple[Any, ...]:
        return ()

    def assign(self, *args: Any) -> None:
        return None


@pytest.fixture(scope="module", params=["native", "auto"])
def state(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> State:
    made = mounted(
        tmp_path_factory.mktemp("shop"), PRODUCTS, MTP_TIME_ZONE="Europe/Berlin", MTP_RULE_ENGINE=request.param
    )[1]
    made.rulebook.save(RULES, by="merchant", force=True)
    serving = made.pipeline.live.refresh()
    made.pipeline.live._serving = dataclasses.replace(serving, segments=Segments())
    return made


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_outcome(state: State, case: dict[str, Any]) -> None:
    request = SlateRequest(
        placement=case.get("placement", "home-hero"),
        now=at(case["at"]),
        consent_level=ConsentLevel.CONTEXTUAL,
        context=msgspec.convert(case.get("context", {}), Context),
        segment_id=case.get("segment", ""),
        product_ids=tuple(case.get("products", ())),
        cart_ids=tuple(case.get("cart", ())),
        limit=8,
    )
    slate, _ = state.pipeline.preview(request)
    shown = [item.product_id for item in slate.items]
    place = {product_id: item.position for item in slate.items for product_id in [item.product_id]}
    assert list(slate.rules) == case["fired"]
    assert slate.title == case.get("title", slate.title)
    assert slate.message == case.get("message", slate.message)
    assert shown[: len(case.get("first", ()))] == case.get("first", [])
    for count, members in case.get("among_first", {}).items():
        assert set(members) <= set(shown[: int(count)])
    for product_id, least in case.get("not_before", {}).items():
        assert place.get(product_id, 99) >= least, shown
    if "most_of_brand" in case:
        brands = Counter(product.brand for product in PRODUCTS if product.product_id in shown and product.brand)
        assert max(brands.values()) <= case["most_of_brand"]
