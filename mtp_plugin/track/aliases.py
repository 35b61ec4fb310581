"""Event names: Segment's E-commerce v2 specification is canonical, GA4's, older and other spellings are aliases."""

from __future__ import annotations

from functools import lru_cache

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

OLDER = {
    "Viewed Product": "Product Viewed",
    "Viewed Product Category": "Product List Viewed",
    "Product Category Viewed": "Product List Viewed",
    "Added Product": "Product Added",
    "Removed Product": "Product Removed",
    "Completed Order": "Order Completed",
    "Updated Order": "Order Updated",
    "Product Searched": "Products Searched",
    "Order Refund": "Order Refunded",
    "Order Canceled": "Order Cancelled",
}
"""Names of the first version of the specification, and usual slips."""


def _squeezed(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())


_BY_SQUEEZED = {_squeezed(name): to for name, to in ({name: name for name in CANONICAL} | GA4 | OLDER).items()}


@lru_cache(maxsize=1024)
def canonical(name: str) -> str:
    """The canonical name of an event; a name nobody knows stays as it is, but for its blanks.

    >>> canonical("product_viewed"), canonical("add_to_cart"), canonical("Quiz  Finished")
    ('Product Viewed', 'Product Added', 'Quiz Finished')
    """
    return _BY_SQUEEZED.get(_squeezed(name)) or " ".join(name.split())
