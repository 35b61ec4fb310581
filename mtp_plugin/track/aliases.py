"""Event names: Segment's E-commerce v2 specification is canonical, GA4's names and other spellings are aliases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CANONICAL = (
    "Products Searched", "Product List Viewed", "Product List Filtered", "Promotion Viewed", "Promotion Clicked",
    "Product Clicked", "Product Viewed", "Product Added", "Product Removed", "Cart Viewed", "Checkout Started",
    "Checkout Step Viewed", "Checkout Step Completed", "Payment Info Entered", "Order Updated", "Order Completed",
    "Order Refunded", "Order Cancelled", "Coupon Entered", "Coupon Applied", "Coupon Denied", "Coupon Removed",
    "Product Added to Wishlist", "Product Removed from Wishlist", "Wishlist Product Added to Cart", "Product Shared",
    "Cart Shared", "Product Reviewed", "Page Viewed",
)  # fmt: skip

GA4 = {
    "view_item": "Product Viewed",
    "view_item_list": "Product List Viewed",
    "select_item": "Product Clicked",
    "add_to_cart": "Product Added",
    "remove_from_cart": "Product Removed",
    "add_to_wishlist": "Product Added to Wishlist",
    "view_cart": "Cart Viewed",
    "begin_checkout": "Checkout Started",
    "add_shipping_info": "Checkout Step Completed",
    "add_payment_info": "Payment Info Entered",
    "purchase": "Order Completed",
    "refund": "Order Refunded",
    "search": "Products Searched",
    "view_search_results": "Products Searched",
    "view_promotion": "Promotion Viewed",
    "select_promotion": "Promotion Clicked",
    "page_view": "Page Viewed",
    "share": "Product Shared",
}
"""GA4's recommended e-commerce events by our names."""

_PARAMETERS = {
    "transaction_id": "order_id",
    "search_term": "query",
    "item_list_id": "list_id",
    "item_list_name": "category",
    "value": "value",
}
_ITEM = {"item_id": "product_id", "item_name": "name", "item_brand": "brand", "item_variant": "variant", "index": "position"}


def _squeezed(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())


_BY_SQUEEZED = {_squeezed(name): name for name in CANONICAL} | {_squeezed(name): to for name, to in GA4.items()}
_BY_SQUEEZED["orderrefund"], _BY_SQUEEZED["productsearched"] = "Order Refunded", "Products Searched"


def canonical(name: str) -> str:
    """The canonical name of an event; a name nobody knows stays as it is.

    >>> canonical("product_viewed"), canonical("add_to_cart"), canonical("Quiz Finished")
    ('Product Viewed', 'Product Added', 'Quiz Finished')
    """
    return _BY_SQUEEZED.get(_squeezed(name), " ".join(name.split()))


def from_ga4(params: Mapping[str, Any]) -> dict[str, Any]:
    """GA4's parameters as Segment's properties; what has no name there keeps its own."""
    properties = {_PARAMETERS.get(name, name): value for name, value in params.items() if name != "items"}
    items = params.get("items")
    if isinstance(items, list):
        properties["products"] = [
            {_ITEM.get(name, name): value for name, value in item.items()} if isinstance(item, Mapping) else item
            for item in items
        ]
    elif items is not None:
        properties["products"] = items
    return properties
