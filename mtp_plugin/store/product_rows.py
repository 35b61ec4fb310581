"""Products as rows, and back. What changes often is a column of its own, all else one text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from ..errors import InputError
from ..records import Product
from .words import storable

_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(Product).decode


class ProductRow(NamedTuple):
    """One row of ``mtp_product``, in the order of its columns."""

    product_id: str
    hidden: bool
    stock: int | None
    body: str


def product_row(product: Product) -> ProductRow:
    """The product as a row; the same product gives the same row.

    :raises InputError: an attribute cannot be stored
    """
    if not storable(product.product_id):
        raise InputError("a product_id must be valid text without the character NUL", field="product_id")
    try:
        body = _encode(msgspec.structs.replace(product, hidden=False, stock=None)).decode()
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{product.product_id!r} holds what JSON cannot: {error}", field="attributes") from error
    return ProductRow(product.product_id, product.hidden, product.stock, body)


def row_product(row: Sequence[Any]) -> Product:
    """The product of a row."""
    _, hidden, stock, body = row
    product = _decode(body)
    if not hidden and stock is None:
        return product
    return msgspec.structs.replace(product, hidden=bool(hidden), stock=stock)
