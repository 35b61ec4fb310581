"""The merge ledger in SQLite or PostgreSQL, with what pages ask for at hand in each process.

What is at hand is used for two seconds; where all processes share a page of memory (:mod:`.marks`) it is used until
one of them changes it, a minute at most.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy import bindparam, or_, select, text

from ..identity import ledger
from ..identity.guards import ACCOUNT, BROWSER, MOST
from ..memory import Remembered
from ..records import Claim, Link, LinkEntry, Person
from .database import Database
from .identity_work import LINKS, SqlIdentityWork, link_of
from .marks import Marks
from .schema import identity_entry, identity_link, identity_member
from .words import storable

T = TypeVar("T")

LOCK = 0x6D74706964
"""Key of PostgreSQL's advisory lock on the ledger: two transactions must not join clusters at once."""
UNTOLD, TOLD = 2.0, 60.0
"""Seconds for which an answer is used where changes are not told, and where they are."""
READ = 12
"""Profiles of one person that a page reads at most: those linked first and those linked last."""

member = identity_member.alias()
PEOPLE = (
    select(member.c.node, member.c.shared)
    .where(
        or_(
            member.c.cluster
            == select(identity_member.c.cluster)
            .where(identity_member.c.node == bindparam("account"))
            .scalar_subquery(),
            member.c.node.in_(bindparam("own", expanding=True)),
        )
    )
    .order_by(member.c.since, member.c.node)
)

Copy = tuple[bytes, float, Person]


class SqlIdentity:
    """Implements :class:`mtp_plugin.ports.Identity`.

    :param marks: gives the memory in which processes tell each other of changes, if there is one
    :param most: nodes that one person may have
    """

    def __init__(self, database: Database, marks: Callable[[], Marks | None] = lambda: None, most: int = MOST) -> None:
        self._database, self._marks, self._most = database, marks, most
        self._copies: Remembered[tuple[str, ...], Copy] = Remembered(5000)

    def resolve(self, profile_ids: Sequence[str]) -> Person:
        own = tuple(profile_ids)
        if len(own) == 1 and own[0].startswith(BROWSER):
            return Person(own, own[0])
        account = next((name for name in own if name.startswith(ACCOUNT)), None)
        if account is None or not all(map(storable, own)):
            return person(own, [])
        marks, now = self._marks(), time.monotonic()
        mark = b"".join(marks.of(f"i:{name}") for name in own) if marks else b""
        copy = self._copies.get(own)
        if copy is not None and copy[0] == mark and now - copy[1] < (TOLD if marks else UNTOLD):
            return copy[2]
        rows = self._database.glance(PEOPLE, {"account": account, "own": own})
        return self._copies.keep(own, (mark, now, person(own, [(row[0], row[1]) for row in rows])))[2]

    # ------------------------------------------------------------------------------------------- writing

    def claim(self, claims: Sequence[Claim], now: float, actor: str) -> list[Link]:
        good = [claim for claim in claims if storable(claim.left + claim.right)]
        return self._write(lambda work: [ledger.take(work, claim, now, actor, self._most) for claim in good])

    def decide(self, link_id: int, state: str, now: float, actor: str) -> Link:
        return self._write(lambda work: ledger.decide(work, link_id, state, now, actor, self._most))

    def detach(self, node: str, reason: str, now: float, actor: str) -> list[Link]:
        return self._write(lambda work: ledger.detach(work, node, reason, now, actor))

    def share(self, node: str, shared: bool, now: float, actor: str) -> None:
        def change(work: SqlIdentityWork) -> None:
            if shared:
                ledger.detach(work, node, "shared", now, actor)
            work.share(node, shared, now)

        self._write(change)

    def erase(self, node: str) -> int:
        if not storable(node):
            return 0
        return self._write(lambda work: ledger.erase(work, node, time.time()))

    def _write(self, job: Callable[[SqlIdentityWork], T]) -> T:
        with self._database.writing(page=True) as connection:
            if not self._database.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
            work = SqlIdentityWork(connection)
            done = job(work)
        self._copies = Remembered(5000)
        if work.touched and (marks := self._marks()):
            marks.change(f"i:{node}" for node in work.touched)
        return done

    # ------------------------------------------------------------------------------------------- reading

    def links(self, state: str = "", limit: int = 100) -> list[Link]:
        wanted = [identity_link.c.state == state] if state else []
        query = LINKS.order_by(None).where(*wanted).order_by(identity_link.c.link_id.desc()).limit(limit)
        with self._database.reading() as connection:
            return [link_of(row) for row in connection.execute(query)]

    def links_of(self, node: str) -> list[Link]:
        if not storable(node):
            return []
        with self._database.reading() as connection:
            return SqlIdentityWork(connection).touching([node])

    def history(self, link_id: int) -> list[LinkEntry]:
        columns = [identity_entry.c[name] for name in LinkEntry.__struct_fields__]
        query = select(*columns).where(identity_entry.c.link_id == link_id).order_by(identity_entry.c.entry_id)
        with self._database.reading() as connection:
            return [LinkEntry(**row._mapping) for row in connection.execute(query)]

    def cluster(self, node: str) -> tuple[str, ...]:
        if not storable(node):
            return (node,)
        with self._database.reading() as connection:
            return tuple(sorted(SqlIdentityWork(connection).cluster(node)))


def person(own: Sequence[str], rows: Sequence[tuple[str, bool]]) -> Person:
    """Whom ids of one visitor belong to.

    :param rows: the nodes of the account's cluster and the ids' own, each with whether it is shared, oldest first
    """
    shared = {node for node, is_shared in rows if is_shared}
    ids = [name for name in own if name not in shared or name.startswith(ACCOUNT)] if rows else list(own)
    linked = [node for node, is_shared in rows if node.startswith(BROWSER) and not is_shared]
    others = [node for node in linked if node not in ids]
    room = max(0, READ - len(ids))
    if len(others) > room:
        others = others[: room // 2] + others[len(others) - (room - room // 2) :]
    first = linked[0] if linked else next((name for name in own if name.startswith(BROWSER)), "")
    return Person((*ids, *others), first or (own[0] if own else ""))
