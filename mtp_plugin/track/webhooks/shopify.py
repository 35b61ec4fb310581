"""Shopify's topics: orders, checkouts and carts, refunds, products, customers, and the three privacy topics.

Field names are those of Shopify's Admin REST resources. What is read of a body is listed in ``docs/webhooks.md``;
names, addresses and whatever else says who somebody is, is not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...errors import InputError
from ...records import EventProduct
from ..clock import parse_time
from .reading import Happening, Person, Reading

Body = Mapping[str, Any]
MAX_LINES = 250


def read_shopify(topic: str, body: Body, now: float) -> Reading:
    """What a body says.

    :param topic: the header ``X-Shopify-Topic``, such as ``orders/create``
    :raises InputError: it is not of the form that the topic has
    """
    read = TOPICS.get(topic)
    return read(body, now) if read else Reading(ignored=f"the topic {topic[:40]} is not read")


def _order(body: Body, now: float) -> Reading:
    order_id = _id(body, "id")
    properties = _without_nothing(
        order_id=order_id,
        total=_amount(body, "total_price"),
        discount=_amount(body, "total_discounts"),
        currency=_text(body, "currency"),
        coupon=",".join(_text(code, "code") for code in _list(body, "discount_codes"))[:200],
    )
    placed = Happening(
        name="Order Completed",
        key=order_id,
        timestamp=_time(body, now, "processed_at", "created_at"),
        products=_lines(_list(body, "line_items")),
        properties=properties,
    )
    happenings = [placed] if placed.products else []
    if body.get("customer"):
        happenings += _traits(_object(body, "customer"), now)
    return Reading(person=_person(body, order_id), happenings=tuple(happenings))


def _cancelled(body: Body, now: float) -> Reading:
    order_id = _id(body, "id")
    gone = Happening(
        name="Order Cancelled",
        key=order_id,
        timestamp=_time(body, now, "cancelled_at", "updated_at"),
        properties={"order_id": order_id},
    )
    return Reading(person=_person(body, order_id), happenings=(gone,))


def _refund(body: Body, now: float) -> Reading:
    order_id, lines = _id(body, "order_id"), _list(body, "refund_line_items")
    products: list[EventProduct] = []
    for line in lines[:MAX_LINES]:
        products += _lines([{**_object(line, "line_item"), "quantity": line.get("quantity")}])
    amount = sum(_amount(paid, "amount") or 0.0 for paid in _list(body, "transactions"))
    if not products and not amount:
        return Reading(ignored="the refund names neither products nor an amount")
    refunded = Happening(
        name="Order Refunded",
        key=_id(body, "id"),
        timestamp=_time(body, now, "processed_at", "created_at"),
        products=tuple(products),
        properties=_without_nothing(order_id=order_id, total=amount or None),
        of_order=order_id,
    )
    return Reading(person=Person(order_ids=(order_id,)), happenings=(refunded,))


def _checkout(body: Body, now: float) -> Reading:
    token = _text(body, "token") or _id(body, "id")
    products = _lines(_list(body, "line_items"))
    person = _person(body, "", guest=token)
    if body.get("completed_at") or not products:
        return Reading(person=person, ignored="the checkout is completed or empty")
    changed = _time(body, now, "updated_at", "created_at")
    started = Happening(
        name="Checkout Started",
        key=f"{token}:{int(changed)}",
        timestamp=changed,
        products=products,
        properties=_without_nothing(
            checkout_id=token, value=_amount(body, "total_price"), currency=_text(body, "currency")
        ),
    )
    return Reading(person=person, happenings=(started,))


def _customer(body: Body, now: float) -> Reading:
    user_id = _id(body, "id")
    return Reading(person=Person(user_id=user_id, contacts=_contacts(body)), happenings=tuple(_traits(body, now)))


def _traits(customer: Body, now: float) -> list[Happening]:
    changed = _time(customer, now, "updated_at", "created_at")
    tags = [tag.strip() for tag in _text(customer, "tags").split(",") if tag.strip()][:50]
    state = customer.get("email_marketing_consent")
    traits = _without_nothing(
        customer_tags=tags or None,
        tax_exempt=customer.get("tax_exempt"),
        newsletter=state.get("state") == "subscribed" if isinstance(state, Mapping) else None,
    )
    return [Happening(name="Identify", key=f"{_id(customer, 'id')}:{int(changed)}", timestamp=changed, traits=traits)]


def _product(body: Body, now: float) -> Reading:
    return Reading(product=dict(body), person=Person()) if _id(body, "id") else Reading()


def _product_gone(body: Body, now: float) -> Reading:
    return Reading(gone=_id(body, "id"))


def _report(body: Body, now: float) -> Reading:
    _needed(body, "shop_domain", "customer", "orders_requested")
    return Reading(person=_subject(body, "orders_requested"), act="report")


def _erase(body: Body, now: float) -> Reading:
    _needed(body, "shop_domain", "customer", "orders_to_redact")
    return Reading(person=_subject(body, "orders_to_redact"), act="erase")


def _erase_source(body: Body, now: float) -> Reading:
    _needed(body, "shop_id", "shop_domain")
    if "customer" in body or "line_items" in body:
        raise InputError("this is not the body of shop/redact", field="customer")
    return Reading(act="erase-source")


TOPICS: Mapping[str, Callable[[Body, float], Reading]] = {
    "orders/create": _order,
    "orders/paid": _order,
    "orders/cancelled": _cancelled,
    "refunds/create": _refund,
    "checkouts/create": _checkout,
    "checkouts/update": _checkout,
    "carts/create": _checkout,
    "carts/update": _checkout,
    "customers/create": _customer,
    "customers/update": _customer,
    "products/create": _product,
    "products/update": _product,
    "products/delete": _product_gone,
    "customers/data_request": _report,
    "customers/redact": _erase,
    "shop/redact": _erase_source,
}


def _person(body: Body, order_id: str, guest: str = "") -> Person:
    customer = body.get("customer")
    user_id = _id(customer, "id") if isinstance(customer, Mapping) and customer.get("id") else ""
    contacts = _contacts(customer) if isinstance(customer, Mapping) else {}
    contacts = {**_contacts(body), **contacts}
    orders = (order_id,) if order_id else ()
    return Person(user_id=user_id, anonymous_id=guest or order_id, order_ids=orders, contacts=contacts)


def _subject(body: Body, orders: str) -> Person:
    customer = _object(body, "customer")
    order_ids = tuple(str(order) for order in _plain_list(body, orders) if isinstance(order, (int, str)))
    return Person(user_id=_id(customer, "id"), order_ids=order_ids, contacts=_contacts(customer))


def _contacts(given: Body) -> dict[str, str]:
    return {name: value for name in ("email", "phone") if isinstance(value := given.get(name), str) and value.strip()}


def _lines(lines: list[Body]) -> tuple[EventProduct, ...]:
    found = []
    for line in lines[:MAX_LINES]:
        product = line.get("product_id") or line.get("sku") or line.get("variant_id")
        quantity = _amount(line, "quantity")
        if product and quantity != 0:
            found.append(EventProduct(str(product)[:200], quantity or 1.0, _amount(line, "price"), _variant(line)))
    return tuple(found)


def _variant(line: Body) -> str:
    return str(line.get("sku") or line.get("variant_id") or "")[:200]


def _needed(body: Body, *names: str) -> None:
    for name in names:
        if name not in body:
            raise InputError("this is missing, so the body is not of this topic", field=name)


def _id(body: Body, name: str) -> str:
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, str)) or not str(value).strip():
        raise InputError("this must be an id", field=name)
    return str(value).strip()[:200]


def _text(body: Any, name: str) -> str:
    value = body.get(name) if isinstance(body, Mapping) else None
    return value.strip()[:500] if isinstance(value, str) else ""


def _amount(body: Any, name: str) -> float | None:
    value = body.get(name) if isinstance(body, Mapping) else None
    try:
        number = float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else None
    except ValueError:
        return None
    return abs(number) if number is not None and number == number and abs(number) < 1e12 else None


def _time(body: Body, now: float, *names: str) -> float:
    for name in names:
        if body.get(name):
            return min(parse_time(body[name], name), now)
    return now


def _object(body: Body, name: str) -> Body:
    value = body.get(name)
    if not isinstance(value, Mapping):
        raise InputError("this must be an object", field=name)
    return value


def _plain_list(body: Body, name: str) -> list[Any]:
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise InputError("this must be a list", field=name)
    return value


def _list(body: Body, name: str) -> list[Body]:
    return [member for member in _plain_list(body, name) if isinstance(member, Mapping)]


def _without_nothing(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None and value != ""}
