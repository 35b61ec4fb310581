"""One transaction of the merge ledger in SQLite or PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, delete, insert, or_, select, update

from ..records import Link
from .schema import identity_entry, identity_link, identity_member

NAMES = {"left": "left_node", "right": "right_node"}
"""Fields of :class:`Link` whose columns have other names."""
LINKS = select(*(identity_link.c[NAMES.get(name, name)] for name in Link.__struct_fields__)).order_by(
    identity_link.c.link_id
)
WHOLE = 500
"""Most values of one list."""


def link_of(row: Row[Any]) -> Link:
    """The link of a row of :data:`LINKS`."""
    values: dict[str, Any] = dict(zip(Link.__struct_fields__, row, strict=True))
    return Link(**{**values, "evidence": json.loads(values["evidence"])})


class SqlIdentityWork:
    """Implements :class:`mtp_plugin.identity.ledger.Work`; ``touched`` are the nodes whose clusters changed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.touched: set[str] = set()

    def cluster(self, node: str) -> frozenset[str]:
        own = select(identity_member.c.cluster).where(identity_member.c.node == node).scalar_subquery()
        found = self._connection.execute(select(identity_member.c.node).where(identity_member.c.cluster == own))
        return frozenset(found.scalars()) | {node}

    def shared(self, nodes: Iterable[str]) -> frozenset[str]:
        query = select(identity_member.c.node).where(identity_member.c.node.in_(list(nodes)), identity_member.c.shared)
        return frozenset(self._connection.execute(query).scalars())

    def get(self, link_id: int) -> Link | None:
        row = self._connection.execute(LINKS.where(identity_link.c.link_id == link_id)).first()
        return link_of(row) if row else None

    def between(self, left: str, right: str) -> list[Link]:
        pair = (identity_link.c.left_node == left, identity_link.c.right_node == right)
        return [link_of(row) for row in self._connection.execute(LINKS.where(*pair))]

    def touching(self, nodes: Iterable[str]) -> list[Link]:
        names = sorted(nodes)
        ends = or_(identity_link.c.left_node.in_(names), identity_link.c.right_node.in_(names))
        return [link_of(row) for row in self._connection.execute(LINKS.where(ends))]

    def add(self, link: Link) -> Link:
        new = insert(identity_link).values(_columns(link)).returning(identity_link.c.link_id)
        stored = msgspec.structs.replace(link, link_id=self._connection.execute(new).scalar_one())
        self._note(stored)
        return stored

    def change(self, link: Link) -> None:
        this = identity_link.c.link_id == link.link_id
        self._connection.execute(update(identity_link).where(this).values(_columns(link)))
        self._note(link)

    def _note(self, link: Link) -> None:
        entry = {"link_id": link.link_id, "at": link.decided_at, "state": link.state}
        self._connection.execute(insert(identity_entry).values(**entry, reason=link.reason, actor=link.actor))

    def place(self, clusters: Mapping[str, str], now: float) -> None:
        for node, cluster in clusters.items():
            self.touched.add(node)
            changed = update(identity_member).where(identity_member.c.node == node).values(cluster=cluster)
            if not self._connection.execute(changed).rowcount:
                row = {"node": node, "cluster": cluster, "shared": False, "since": now}
                self._connection.execute(insert(identity_member).values(row))

    def leave(self, nodes: Iterable[str]) -> None:
        for node in nodes:
            self.touched.add(node)
            this = identity_member.c.node == node
            self._connection.execute(delete(identity_member).where(this, ~identity_member.c.shared))
            self._connection.execute(update(identity_member).where(this).values(cluster=node))

    def share(self, node: str, shared: bool, now: float) -> None:
        self.touched.add(node)
        this = identity_member.c.node == node
        if not self._connection.execute(update(identity_member).where(this).values(shared=shared)).rowcount:
            row = {"node": node, "cluster": node, "shared": shared, "since": now}
            self._connection.execute(insert(identity_member).values(row))
        if not shared and self.cluster(node) == {node}:
            self._connection.execute(delete(identity_member).where(this))

    def forget(self, node: str, links: Sequence[Link]) -> None:
        self.touched.add(node)
        for start in range(0, len(links), WHOLE):
            numbers = [link.link_id for link in links[start : start + WHOLE]]
            self._connection.execute(delete(identity_entry).where(identity_entry.c.link_id.in_(numbers)))
            self._connection.execute(delete(identity_link).where(identity_link.c.link_id.in_(numbers)))
        self._connection.execute(delete(identity_member).where(identity_member.c.node == node))


def _columns(link: Link) -> dict[str, Any]:
    values = {NAMES.get(name, name): value for name, value in msgspec.structs.asdict(link).items()}
    values["evidence"] = json.dumps(link.evidence, sort_keys=True)
    del values["link_id"]
    return values
