"""Complete Journey, a year of grocery purchases, as orders of households and the features of who ordered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mtp_plugin.config import Settings
from mtp_plugin.profile.columns import Columns
from mtp_plugin.profile.features import features_of
from mtp_plugin.profile.fold import Fold
from mtp_plugin.records import Event, EventProduct, ProductFacts, Profile
from mtp_plugin.segment.learn.columns import choose_columns
from mtp_plugin.segment.matrix import FeatureTable
from mtp_plugin.track.imported import imported_event

WEEK = 7 * 86_400.0
Orders = Mapping[str, Sequence[Event]]


def read_orders(data: Path, households: int) -> tuple[dict[str, list[Event]], dict[str, ProductFacts]]:
    """The orders of some households, oldest first, and what is known of the products.

    :param data: the folder of the data sets
    :param households: how many, those of the lowest ids
    """
    folder = data / "complete_journey"
    lines = pq.read_table(folder / "transactions.parquet")
    most = np.unique(lines["household_id"].to_numpy())[:households].max()
    lines = lines.filter(pc.less_equal(lines["household_id"], int(most))).sort_by("transaction_timestamp")
    stamps = lines["transaction_timestamp"].to_numpy().astype("datetime64[s]").astype(float)
    names = ("household_id", "basket_id", "product_id", "quantity", "sales_value")
    columns = [lines[name].to_pylist() for name in names]
    baskets: dict[tuple[int, int], tuple[float, list[EventProduct]]] = {}
    for stamp, who, basket, product, pieces, value in zip(stamps.tolist(), *columns, strict=True):
        item = EventProduct(str(product), float(pieces or 1), value / pieces if pieces else value)
        baskets.setdefault((who, basket), (stamp, []))[1].append(item)
    orders: dict[str, list[Event]] = {}
    for (who, basket), (stamp, items) in baskets.items():
        made = imported_event(
            "Order Completed", key=str(basket), timestamp=stamp, user_id=str(who), products=tuple(items),
            properties={"order_id": str(basket)},
        )  # fmt: skip
        orders.setdefault(f"u:{who}", []).append(made)
    return orders, _products(folder)


def _products(folder: Path) -> dict[str, ProductFacts]:
    rows = pq.read_table(folder / "products.parquet").to_pylist()
    return {
        str(row["product_id"]): ProductFacts(
            category=" > ".join(filter(None, (row["department"], row["product_category"]))),
            brand=row["brand"] or "", colors=(), style="", price_tier="", price=None, margin=None, on_sale=False,
        )
        for row in rows
    }  # fmt: skip


def features(orders: Orders, products: Mapping[str, ProductFacts], since: float, until: float) -> FeatureTable:
    """The features at *until* of all who ordered in this time."""
    fold = Fold(Settings(half_life_days=180.0))  # a household changes over seasons, not over a fortnight
    profiles: list[Profile] = []
    for events in orders.values():
        window = [event for event in events if since <= event.timestamp < until]
        if window:
            profiles.append(fold(None, window, lambda product_id, now: products.get(product_id)))
    said: list[dict[str, Any]] = [features_of(profile, until) for profile in profiles]
    columns = Columns(choose_columns(said))
    values = np.stack([columns.row_of(one) for one in said])
    return FeatureTable(columns.names, values, [profile.profile_id for profile in profiles])
