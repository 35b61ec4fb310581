"""The merge ledger: links are made, decided and taken back; clusters are what the active ones hold together.

Nothing is ever merged for good. A cluster is a function of the active links, so taking one of them back leaves exactly
the clusters that there would be without it. The functions here work on one transaction of a store.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from ..errors import InputError, NotFoundError
from ..records import Claim, Link
from .guards import ACCOUNT, MOST, refusal

SETTLED = ("undone", "rejected")
"""States that a person chose: no new evidence changes them."""
FOR = {
    "active": ("suggested", "undone", "rejected", "suspended", "refused"),
    "rejected": ("suggested",),
    "undone": ("active",),
}
"""The states from which a person may bring a link into each state."""
IDENTIFIERS = ("e:", "p:", "o:")
REUSED = 2
"""Accounts in vain after which an identifier is taken for one that people share or make up."""


class Work(Protocol):
    """One transaction, in which nobody else changes links."""

    def cluster(self, node: str) -> frozenset[str]:
        """The nodes of the cluster that *node* is in, at least itself."""

    def shared(self, nodes: Iterable[str]) -> frozenset[str]:
        """Those of them that several people use."""

    def get(self, link_id: int) -> Link | None: ...

    def between(self, left: str, right: str) -> list[Link]:
        """All links of this pair, of any kind."""

    def touching(self, nodes: Iterable[str]) -> list[Link]:
        """All links with one of these nodes at an end, oldest first."""

    def add(self, link: Link) -> Link:
        """Store a new link and its first entry; gives it with its number."""

    def change(self, link: Link) -> None:
        """Store what became of a link, and an entry."""

    def place(self, clusters: Mapping[str, str], now: float) -> None:
        """Put each node into a cluster."""

    def leave(self, nodes: Iterable[str]) -> None:
        """These nodes are alone."""

    def share(self, node: str, shared: bool, now: float) -> None:
        """Note whether several people use it."""

    def forget(self, node: str, links: Sequence[Link]) -> None:
        """Delete links with their entries, and what is noted of the node."""


def take(work: Work, claim: Claim, now: float, actor: str, most: int = MOST) -> Link:
    """Take one claim; see :meth:`mtp_plugin.ports.Identity.claim`."""
    left, right = sorted((claim.left, claim.right))
    known = work.between(left, right)
    same = next((link for link in known if link.kind == claim.kind), None)
    if same is not None and not _opens(same, claim):
        return same
    reason = "settled" if any(link.state in SETTLED for link in known) else _refusal(work, left, right, most)
    state = "refused" if reason else "suggested" if claim.suggest else "active"
    link = Link(
        link_id=same.link_id if same else 0,
        left=left,
        right=right,
        kind=claim.kind,
        confidence=claim.confidence,
        state=state,
        reason=reason,
        made_at=now,
        decided_at=now,
        actor=actor,
        evidence=claim.evidence,
    )
    if same:
        work.change(link)
    else:
        link = work.add(link)
    if state == "active":
        _join(work, left, right, now)
    elif reason == "two-accounts":
        _found_shared(work, link, now, actor)
    return link


def _opens(link: Link, claim: Claim) -> bool:
    """Whether new evidence counts: of a suggestion certainty, of a withdrawn permission that it was given again."""
    if claim.suggest:
        return False
    return link.state == "suggested" or (is_withdrawn(link) and claim.at > link.decided_at)


def is_withdrawn(link: Link) -> bool:
    """Whether a withdrawn permission parted the two."""
    return (link.state, link.reason) == ("suspended", "consent")


def _refusal(work: Work, left: str, right: str, most: int) -> str:
    ours, theirs = work.cluster(left), work.cluster(right)
    return refusal(left, right, ours, theirs, work.shared((left, right)), most)


def _found_shared(work: Work, link: Link, now: float, actor: str) -> None:
    """A browser on which a second account signed in, or an identifier that accounts keep giving, tells of nobody."""
    node = next((end for end in (link.left, link.right) if not end.startswith(ACCOUNT)), link.left)
    if link.kind == "sign-in":
        reason = "shared"
    elif node[:2] in IDENTIFIERS and sum(other.reason == "two-accounts" for other in work.touching([node])) >= REUSED:
        reason = "reused"
    else:
        return
    detach(work, node, reason, now, actor)
    work.share(node, True, now)


def decide(work: Work, link_id: int, state: str, now: float, actor: str, most: int = MOST) -> Link:
    """A person's word; see :meth:`mtp_plugin.ports.Identity.decide`."""
    link = work.get(link_id)
    if link is None:
        raise NotFoundError(f"there is no link {link_id}", field="link_id")
    if state not in FOR or link.state not in FOR[state]:
        raise InputError(f"link {link_id} is {link.state}, it cannot become {state}", field="state")
    reason = _refusal(work, link.left, link.right, most) if state == "active" else ""
    if reason:
        raise InputError(f"link {link_id} cannot be made: {reason}", field="link_id", code=reason)
    decided = msgspec.structs.replace(link, state=state, reason="", decided_at=now, actor=actor)
    before = work.cluster(link.left)
    work.change(decided)
    if state == "active":
        _join(work, link.left, link.right, now)
    elif state == "undone":
        _split(work, before, now)
    return decided


def detach(work: Work, node: str, reason: str, now: float, actor: str) -> list[Link]:
    """Suspend a node's active links; see :meth:`mtp_plugin.ports.Identity.detach`."""
    before = work.cluster(node)
    links = [link for link in work.touching([node]) if link.state == "active"]
    gone = [
        msgspec.structs.replace(link, state="suspended", reason=reason, decided_at=now, actor=actor) for link in links
    ]
    for link in gone:
        work.change(link)
    if gone:
        _split(work, before, now)
    return gone


def erase(work: Work, node: str, now: float) -> int:
    """Delete a node; see :meth:`mtp_plugin.ports.Identity.erase`."""
    before = work.cluster(node)
    links = work.touching([node])
    work.forget(node, links)
    _split(work, before - {node}, now)
    return len(links)


def _join(work: Work, left: str, right: str, now: float) -> None:
    together = work.cluster(left) | work.cluster(right)
    name = min(together)
    work.place(dict.fromkeys(sorted(together), name), now)


def _split(work: Work, nodes: Iterable[str], now: float) -> None:
    """Put nodes that were one cluster where the active links that are left hold them."""
    nodes = set(nodes)
    active = [link for link in work.touching(nodes) if link.state == "active"]
    found = components(nodes, [(link.left, link.right) for link in active])
    alone = {node for node, name in found.items() if sum(other == name for other in found.values()) == 1}
    work.leave(sorted(alone))
    work.place({node: name for node, name in found.items() if node not in alone}, now)


def components(nodes: Iterable[str], pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The component of each node, named by its first node.

    >>> components(["a", "b", "c"], [("a", "b")])
    {'a': 'a', 'b': 'a', 'c': 'c'}
    """
    name = {node: node for node in sorted(nodes)}

    def root(node: str) -> str:
        while name[node] != node:
            node = name[node]
        return node

    for left, right in pairs:
        one, other = root(left), root(right)
        name[max(one, other)] = min(one, other)
    return {node: root(node) for node in name}
