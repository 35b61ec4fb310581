"""Who sends events, as far as that decides what is believed."""

from __future__ import annotations

from typing import Literal

import msgspec

from ..records import ConsentLevel, Signals

Kind = Literal["browser", "other-origin", "server", "shop", "anonymous"]


class Sender(msgspec.Struct, frozen=True, kw_only=True):
    """One sender.

    ``browser``: a page of the shop's own origin, for the visitor of its signed cookie. ``other-origin``: a page
    elsewhere with a public key. ``server``: shows a secret key and may name anybody. ``shop``: the shop's own code.
    ``anonymous``: nobody we know; nothing of it is kept. The ids are those that the web layer vouches for.
    ``signals`` are those of a visitor's own browser.
    """

    kind: Kind
    profile_id: str = ""
    anonymous_id: str = ""
    user_id: str = ""
    consent: ConsentLevel = ConsentLevel.NON_PERSONAL
    user_agent: str = ""
    key: str = ""
    signals: Signals | None = None
    staff: bool = False
    """A member of the staff acts as the customer."""

    @property
    def trusted(self) -> bool:
        """Whether its clock, its ids and its traits are believed."""
        return self.kind in ("server", "shop")
