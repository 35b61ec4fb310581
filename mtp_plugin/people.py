"""Who is who, as the path asks for it: what events tell is linked, what is linked is read as one.

Each merge and each one taken back is told to whoever keeps the audit log.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence

from .errors import UnavailableError
from .identity.evidence import claims_of
from .identity.ledger import is_withdrawn
from .memory import Remembered
from .ports import Identity
from .records import Claim, Event, Link, Person

log = logging.getLogger(__name__)

MERGES = ("active", "undone", "suspended")
"""What a link becomes when profiles are merged or parted."""
AUTOMATIC = "event"
"""The actor of what events tell."""

Tell = Callable[[Link], None]


def _tell_nobody(link: Link) -> None:
    """There is no audit log."""


class People:
    """The merge ledger with an audit log beside it.

    :param tell: takes each link by which profiles were merged or parted
    """

    def __init__(self, identity: Identity, tell: Tell = _tell_nobody) -> None:
        self.identity, self._tell = identity, tell
        self._seen: Remembered[tuple[str, str], bool] = Remembered(20_000)

    def resolve(self, profile_ids: Sequence[str]) -> Person:
        """Whose these ids are; while that cannot be read, their own."""
        try:
            return self.identity.resolve(profile_ids)
        except UnavailableError as error:
            log.warning("links of profiles could not be read, answering without: %s", error)
            return Person(tuple(profile_ids), next(iter(profile_ids[-1:]), ""))

    def observe(self, events: Iterable[Event], now: float) -> None:
        """Link what durable events tell of; told again, it changes nothing.

        :raises UnavailableError: that cannot be now; whoever sent the events is to send them again
        """
        claims = [claim for claim in claims_of(events) if not self._seen.get((claim.left, claim.right))]
        if not claims:
            return
        links = self.claim(claims, now, AUTOMATIC)
        withdrawn = {frozenset((link.left, link.right)) for link in links if is_withdrawn(link)}
        for claim in claims:
            pair = claim.left, claim.right
            if frozenset(pair) not in withdrawn:  # else later evidence says that permission was given again
                self._seen.keep(pair, True)

    def claim(self, claims: Sequence[Claim], now: float, actor: str) -> list[Link]:
        """Take claims; see :meth:`mtp_plugin.ports.Identity.claim`."""
        return self._told(self.identity.claim(claims, now, actor), now)

    def decide(self, link_id: int, state: str, now: float, actor: str) -> Link:
        """Take a person's word; see :meth:`mtp_plugin.ports.Identity.decide`."""
        return self._told([self.identity.decide(link_id, state, now, actor)], now)[0]

    def detach(self, node: str, reason: str, now: float, actor: str) -> list[Link]:
        """Part a node from all others; see :meth:`mtp_plugin.ports.Identity.detach`."""
        self._seen = Remembered(20_000)
        return self._told(self.identity.detach(node, reason, now, actor), now)

    def erase(self, node: str) -> int:
        """Forget a node; see :meth:`mtp_plugin.ports.Identity.erase`."""
        self._seen = Remembered(20_000)
        return self.identity.erase(node)

    def _told(self, links: list[Link], now: float) -> list[Link]:
        for link in links:
            if link.state in MERGES and link.decided_at == now:
                self._tell(link)
        return links
