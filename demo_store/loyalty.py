"""The shop's loyalty cards: a second system that knows customers, joined as a CRM.

Nobody real has one: each persona's account and each simulated account gets a card made up from its id.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

from mtp_plugin.errors import MTPError
from mtp_plugin.scheduled import import_traits
from mtp_plugin.store.crm import crm_of
from mtp_plugin.web.parts import get_state

from .account import Account

NAME = "loyalty"
AGES = ("18-24", "25-34", "35-44", "45-54", "55-64")
TIERS = ("green", "green", "green", "silver", "silver", "gold")
CARDS = {
    "vera": ("gold", "35-44"),
    "ben": ("green", "25-34"),
    "flora": ("silver", "25-34"),
    "niko": ("silver", "35-44"),
    "greta": ("gold", "55-64"),
    "milo": ("silver", "18-24"),
    "dora": ("green", "45-54"),
    "tove": ("silver", "25-34"),
}


def cards() -> Iterator[dict[str, Any]]:
    """The card of every account that was seen, as the job ``traits`` asks for them."""
    for ids in get_state().journal.profile_ids():
        for profile_id in ids:
            if profile_id.startswith("u:"):
                yield card(profile_id.removeprefix("u:"))


def card(user_id: str) -> dict[str, Any]:
    """One account's card."""
    chance = zlib.crc32(user_id.encode())
    drawn = (TIERS[chance % len(TIERS)], AGES[chance // 7 % len(AGES)])
    tier, age_band = CARDS.get(user_id.partition("-")[0], drawn)
    return {"customer": user_id, "loyalty_tier": tier, "age_band": age_band}


def read_card(account: Account) -> None:
    """Join the card of somebody who signs in now, without waiting for the job.

    :raises MTPError: the store cannot be reached
    """
    crm = crm_of(NAME, lambda: [card(account.user_id)], {"id": "customer"})
    result = import_traits(get_state(), crm)
    if result.bad:
        raise MTPError(f"the card of {account.user_id} cannot be read: {result.errors[0].reason}")
