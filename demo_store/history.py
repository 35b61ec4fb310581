"""Giving a persona's fresh account its simulated past."""

from __future__ import annotations

from mtp_plugin.web.parts import get_state

from .account import Account
from .catalogue import Catalogue
from .loyalty import read_card
from .simulate import history_of


def give_history(account: Account, catalogue: Catalogue, now: float) -> int:
    """Record the persona's visits under this account and read its loyalty card; gives the number of events.

    :raises mtp_plugin.errors.MTPError: they could not be stored
    """
    count = sum(get_state().pipeline.ingest(history_of(catalogue, account.persona, account.user_id, now)))
    read_card(account)
    return count
