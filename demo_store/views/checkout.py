"""Checkout in one column, and thanks."""

from __future__ import annotations

import secrets

from flask import Blueprint, abort, current_app, flash, redirect, render_template, session, url_for
from werkzeug.wrappers import Response

from mtp_plugin.errors import MTPError

from ..account import current_account
from ..basket import Row, current_basket, delivery
from ..forms import CheckoutForm
from ..ledger import Line, Order, SoldOut
from ..offer import basket_offer
from ..personalisation import track
from ..shop import current_shop

bp = Blueprint("checkout", __name__)


@bp.get("/checkout")
def show() -> str | Response:
    """The form."""
    rows = current_basket().rows()
    if not rows:
        return redirect(url_for("basket.show"))
    form = CheckoutForm()
    form.key.data = secrets.token_urlsafe(16)
    account = current_account()
    if account:
        form.name.data, form.email.data = account.persona.name, f"{account.persona.key}@example.org"
    return _page(form, rows)


@bp.post("/checkout")
def place() -> str | Response | tuple[str, int]:
    """Place the order, or say beside each field what is wrong."""
    form, basket = CheckoutForm(), current_basket()
    rows = basket.rows()
    if not rows:
        return redirect(url_for("basket.show"))
    if not form.validate():
        return _page(form, rows), 422
    account = current_account()
    try:
        order = current_shop().ledger.place(
            form.key.data or "", account.user_id if account else "", form.name.data or "", map(_line, rows)
        )
    except SoldOut as sold_out:
        flash(f"Somebody was quicker: {sold_out}.", "error")
        return redirect(url_for("basket.show"))
    _tell(order, rows)
    basket.clear()
    session["orders"] = [*session.get("orders", []), order.key][-10:]
    return redirect(url_for("checkout.thanks", key=order.key))


@bp.get("/thanks/<key>")
def thanks(key: str) -> str:
    """The order as it was placed, for whoever placed it."""
    order = current_shop().ledger.order(key) if key in session.get("orders", []) else None
    if order is None:
        abort(404)
    products = current_shop().catalogue.products
    return render_template("shop/thanks.html", order=order, products=products, bought=[line[0] for line in order.lines])


def _page(form: CheckoutForm, rows: list[Row]) -> str:
    goods = sum(row.total for row in rows)
    return render_template(
        "shop/checkout.html", form=form, rows=rows, goods=goods, delivery=delivery(goods), offer=basket_offer()
    )


def _line(row: Row) -> Line:
    return Line(
        row.product.product_id,
        row.variant.variant_id,
        f"{row.product.title}, {row.variant.title.lower()}",
        row.quantity,
        row.price,
        row.variant.stock or 0,
    )


def _tell(order: Order, rows: list[Row]) -> None:
    """Tell the plugin. An order stands whether or not that works."""
    products = [
        {
            "product_id": row.product.product_id,
            "variant": row.variant.variant_id,
            "quantity": row.quantity,
            "price": row.price,
        }
        for row in rows
    ]
    facts = {"order_id": order.key, "total": order.total, "currency": "EUR", "products": products}
    try:
        track("Order Completed", facts)
    except MTPError:
        current_app.logger.exception("order %s was not recorded as an event", order.number)
