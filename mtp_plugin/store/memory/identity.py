"""The merge ledger in dictionaries."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from ...identity import ledger
from ...identity.guards import ACCOUNT, MOST
from ...records import Claim, Link, LinkEntry, Person
from ..sql_identity import person


class MemoryIdentity:
    """Implements :class:`mtp_plugin.ports.Identity`."""

    def __init__(self, most: int = MOST) -> None:
        self._most, self._lock, self._work = most, threading.RLock(), MemoryIdentityWork()

    def resolve(self, profile_ids: Sequence[str]) -> Person:
        own, work = tuple(profile_ids), self._work
        account = next((name for name in own if name.startswith(ACCOUNT)), None)
        if account is None:
            return person(own, [])
        nodes = (work.cluster(account) | set(own)) & work.members.keys()
        ordered = sorted(nodes, key=lambda node: (work.members[node][1], node))
        return person(own, [(node, bool(work.shared([node]))) for node in ordered])

    def claim(self, claims: Sequence[Claim], now: float, actor: str) -> list[Link]:
        with self._lock:
            return [ledger.take(self._work, claim, now, actor, self._most) for claim in claims]

    def decide(self, link_id: int, state: str, now: float, actor: str) -> Link:
        with self._lock:
            return ledger.decide(self._work, link_id, state, now, actor, self._most)

    def detach(self, node: str, reason: str, now: float, actor: str) -> list[Link]:
        with self._lock:
            return ledger.detach(self._work, node, reason, now, actor)

    def share(self, node: str, shared: bool, now: float, actor: str) -> None:
        with self._lock:
            if shared:
                ledger.detach(self._work, node, "shared", now, actor)
            self._work.share(node, shared, now)

    def links(self, state: str = "", limit: int = 100) -> list[Link]:
        wanted = [link for link in self._work.links.values() if not state or link.state == state]
        return sorted(wanted, key=lambda link: -link.link_id)[:limit]

    def links_of(self, node: str) -> list[Link]:
        return self._work.touching([node])

    def history(self, link_id: int) -> list[LinkEntry]:
        return [entry for entry in self._work.entries if entry.link_id == link_id]

    def cluster(self, node: str) -> tuple[str, ...]:
        return tuple(sorted(self._work.cluster(node)))

    def erase(self, node: str) -> int:
        with self._lock:
            return ledger.erase(self._work, node, 0.0)


class MemoryIdentityWork:
    """Implements :class:`mtp_plugin.identity.ledger.Work`; ``members`` are (cluster, since) by node."""

    def __init__(self) -> None:
        self.links: dict[int, Link] = {}
        self.entries: list[LinkEntry] = []
        self.members: dict[str, tuple[str, float]] = {}
        self._shared: set[str] = set()
        self._last = 0

    def cluster(self, node: str) -> frozenset[str]:
        if node not in self.members:
            return frozenset({node})
        name = self.members[node][0]
        return frozenset(other for other, (of, _) in self.members.items() if of == name)

    def shared(self, nodes: Iterable[str]) -> frozenset[str]:
        return frozenset(self._shared.intersection(nodes))

    def get(self, link_id: int) -> Link | None:
        return self.links.get(link_id)

    def between(self, left: str, right: str) -> list[Link]:
        return [link for link in self.links.values() if (link.left, link.right) == (left, right)]

    def touching(self, nodes: Iterable[str]) -> list[Link]:
        wanted = set(nodes)
        return [link for link in self.links.values() if link.left in wanted or link.right in wanted]

    def add(self, link: Link) -> Link:
        self._last += 1
        stored = msgspec.structs.replace(link, link_id=self._last)
        self.change(stored)
        return stored

    def change(self, link: Link) -> None:
        self.links[link.link_id] = link
        self.entries.append(
            LinkEntry(link_id=link.link_id, at=link.decided_at, state=link.state, reason=link.reason, actor=link.actor)
        )

    def place(self, clusters: Mapping[str, str], now: float) -> None:
        for node, cluster in clusters.items():
            self.members[node] = (cluster, self.members.get(node, ("", now))[1])

    def leave(self, nodes: Iterable[str]) -> None:
        for node in nodes:
            if node not in self._shared:
                self.members.pop(node, None)
            else:
                self.members[node] = (node, self.members[node][1])

    def share(self, node: str, shared: bool, now: float) -> None:
        (self._shared.add if shared else self._shared.discard)(node)
        if shared:
            self.members.setdefault(node, (node, now))
        elif self.cluster(node) == {node}:
            self.members.pop(node, None)

    def forget(self, node: str, links: Sequence[Link]) -> None:
        gone = {link.link_id for link in links}
        self.links = {number: link for number, link in self.links.items() if number not in gone}
        self.entries = [entry for entry in self.entries if entry.link_id not in gone]
        self.members.pop(node, None)
        self._shared.discard(node)
