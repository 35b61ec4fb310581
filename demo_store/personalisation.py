"""How this shop mounts the plugin: what it tells about visitors, basket, prices and products."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from flask import current_app, has_request_context

from mtp_plugin import MTP
from mtp_plugin.catalog.mapped import CallableCatalog
from mtp_plugin.records import Product, Receipt, Signals

from .account import current_account
from .basket import current_basket
from .console import console_guard
from .formatting import money
from .loyalty import NAME, cards
from .security import current_nonce
from .shop import current_shop
from .whereabouts import whereabouts_of

MOUNTED = "tarn-mtp"


def current_mtp() -> MTP:
    """The plugin as this application mounted it."""
    return cast(MTP, current_app.extensions[MOUNTED])


def create_mtp() -> MTP:
    """The plugin with everything this shop declares, ready for ``init_app``."""
    mtp = MTP()
    mtp.user_loader(_user)
    mtp.cart_loader(lambda: current_basket().product_ids)
    mtp.nonce_loader(current_nonce)
    mtp.price_formatter(money)
    mtp.admin_guard(console_guard)
    mtp.catalog(CallableCatalog(products=_products, availability=_availability, currency="EUR"))
    mtp.crm(NAME, cards, id="customer")
    mtp.enricher(pretended_place)
    return mtp


def pretended_place(signals: Signals, found: Mapping[str, Any]) -> Mapping[str, Any]:
    """Where the persona would be, as no place database is shipped: the shop's own enricher, by its session."""
    account = current_account() if has_request_context() else None
    if account is None or found.get("country"):
        return {}
    town = whereabouts_of(account.persona).town
    return {
        **{"country": town.country, "region": town.region, "city": town.city, "urban": town.urban},
        **{"time_zone": town.time_zone, "latitude": town.latitude, "longitude": town.longitude},
        "simulated_place": True,
    }


def _user() -> str | None:
    account = current_account()
    return account.user_id if account else None


def _products() -> Iterable[Product]:
    return current_shop().products()


def _availability(product_ids: Sequence[str]) -> Mapping[str, bool]:
    return current_shop().availability(product_ids)


def track(name: str, properties: Mapping[str, Any]) -> Receipt:
    """Record an event of the shop's own for the visitor of this request; the visitor's consent decides."""
    return MTP().track(name, properties)
