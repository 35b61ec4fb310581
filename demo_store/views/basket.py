"""The basket's page and its buttons."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ..basket import FREE_DELIVERY, current_basket, delivery
from ..forms import AddForm, QuantityForm
from ..offer import basket_offer
from ..shop import current_shop, variant_of

bp = Blueprint("basket", __name__)


@bp.get("/basket")
def show() -> str:
    """What is in the basket."""
    basket = current_basket()
    rows = basket.rows()
    goods = sum(row.total for row in rows)
    return render_template(
        "shop/basket.html",
        rows=rows,
        goods=goods,
        delivery=delivery(goods),
        free_from=FREE_DELIVERY,
        form=QuantityForm(),
        short=any(row.short for row in rows),
        offer=basket_offer() if rows else 0,
    )


@bp.post("/basket/add/<product_id>")
def add(product_id: str) -> Response:
    """Put a variant of a product in."""
    shop, form = current_shop(), AddForm()
    product = shop.catalogue.products.get(product_id)
    if product is None:
        abort(404)
    back = redirect(url_for("pages.product", product_id=product_id, variant=form.variant.data or None))
    variant_id = _variant_id(product_id)
    variant = variant_of(product, variant_id)
    if not form.validate() and form.quantity.errors:
        flash("Choose between 1 and 9 pieces.", "error")
        return back
    if variant is None:
        flash("Choose a colour and a size first.", "error")
        return back
    if shop.stock(product)[variant_id] < (form.quantity.data or 1):
        flash(f"{product.title} in {variant.title.lower()} is sold out, or nearly.", "error")
        return back
    current_basket().add(product, variant, form.quantity.data or 1)
    flash(f"{product.title} is in your basket.", "ok")
    return redirect(url_for("basket.show"))


@bp.post("/basket/change/<product_id>")
def change(product_id: str) -> Response:
    """Have more or fewer of a line, or none."""
    form = QuantityForm()
    if form.validate():
        current_basket().put(product_id, form.variant.data or "", form.quantity.data or 0)
    return redirect(url_for("basket.show"))


def _variant_id(product_id: str) -> str:
    """The variant that colour and size name; pages without a choice of size send the id whole."""
    colour, size = request.form.get("colour", ""), request.form.get("size", "")
    product = current_shop().catalogue.products[product_id]
    for variant in product.variants:
        if colour and variant.color == colour and variant.size == size:
            return variant.variant_id
    return request.form.get("variant", "")
