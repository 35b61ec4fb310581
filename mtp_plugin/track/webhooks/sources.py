"""Who may post webhooks, as ``MTP_WEBHOOKS`` says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from ...errors import SettingError
from ...records import MAX_ID
from .mapped import FieldMap, read_mapped
from .reading import Reading
from .shopify import read_shopify
from .signature import SHOPIFY, Scheme

SETTING = "MTP_WEBHOOKS"
MIN_SECRET = 8
SHOPIFY_WINDOW = 48 * 3600.0
"""Seconds for which Shopify tries to deliver; the time that it states is that of the first try."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One sender of webhooks.

    ``secrets`` are those that are good now. ``customer`` says what the shop's own account ids are: the sender's
    ``id`` of a customer, or the hash of the customer's ``email`` (as ``mtp.hash_email`` gives). ``window_s``: how old
    a delivery may be whose time of sending is known.
    """

    kind: Literal["shopify", "mapped"]
    secrets: tuple[str, ...]
    customer: Literal["id", "email"] = "id"
    signature: Scheme = Scheme()
    topic_header: str = "X-Mtp-Topic"
    id_header: str = "X-Mtp-Delivery"
    sent_header: str = ""
    window_s: float = 300.0
    map: FieldMap | None = None

    def read(self, topic: str, body: Mapping[str, Any], now: float, delivery: str) -> Reading:
        """What a body says.

        :param delivery: what identifies it if the body does not
        :raises mtp_plugin.errors.InputError: it is not of the form it should have
        """
        if self.kind == "shopify":
            return read_shopify(topic, body, now)
        assert self.map is not None  # noqa: S101  checked when it was loaded
        return read_mapped(self.map, topic, body, now, delivery)


def load_sources(given: Mapping[str, Any]) -> dict[str, Source]:
    """The sources by name.

    :raises SettingError: one that cannot work, with the remedy
    """
    return {name: _source(name, value) for name, value in given.items()}


def _source(name: str, value: Any) -> Source:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise _wrong(name, "name a source in small letters, digits, - and _: it stands in the address")
    try:
        source = msgspec.convert(value, Source)
    except msgspec.ValidationError as error:
        raise _wrong(name, str(error).replace("`", "")) from None
    if not source.secrets or not all(MIN_SECRET <= len(secret) <= MAX_ID for secret in source.secrets):
        raise _wrong(name, f'give "secrets", each of at least {MIN_SECRET} characters')
    if source.kind == "mapped" and source.map is None:
        raise _wrong(name, 'a mapped source needs "map", such as {"event": "type", "user_id": "customer.id"}')
    return _for_shopify(source) if source.kind == "shopify" else source


def _for_shopify(source: Source) -> Source:
    return msgspec.structs.replace(
        source,
        signature=SHOPIFY,
        topic_header="X-Shopify-Topic",
        id_header="X-Shopify-Webhook-Id",
        sent_header="X-Shopify-Triggered-At",
        window_s=SHOPIFY_WINDOW,
    )


def _wrong(name: object, remedy: str) -> SettingError:
    return SettingError(f"{SETTING}[{name!r}]", "...", remedy)
