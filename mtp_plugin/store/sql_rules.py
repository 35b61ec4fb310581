"""Versions of the rules in SQLite or PostgreSQL."""

from __future__ import annotations

import msgspec
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from ..errors import ConflictError, NotFoundError
from ..records import RuleSet, RuleSetInfo
from .database import Database
from .schema import ruleset

_encode = msgspec.json.Encoder().encode
_INFO = [ruleset.c[name] for name in RuleSetInfo.__struct_fields__]


class SqlRules:
    """Implements :class:`mtp_plugin.ports.RuleStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def current(self) -> int:
        return int(self._database.glance(select(func.max(ruleset.c.version)))[0][0] or 0)

    def load(self, version: int) -> bytes:
        if version == 0:
            return b'{"rules":[]}'
        with self._database.reading() as connection:
            body = connection.execute(select(ruleset.c.body).where(ruleset.c.version == version)).scalar()
        if body is None:
            raise NotFoundError(f"there is no version {version} of the rules", field="version")
        return str(body).encode()

    def save(self, rules: RuleSet, *, by: str, at: float, note: str = "", expected: int | None = None) -> int:
        values = {
            "created_at": at,
            "created_by": by,
            "note": note,
            "rules": len(rules.rules),
            "enabled": sum(rule.enabled for rule in rules.rules),
            "body": _encode(rules).decode(),
        }
        try:
            with self._database.writing() as connection:
                current = int(connection.execute(select(func.max(ruleset.c.version))).scalar() or 0)
                if expected is not None and expected != current:
                    raise conflict(expected, current)
                connection.execute(insert(ruleset).values(version=current + 1, **values))
        except IntegrityError as error:
            raise ConflictError("the rules were changed at the same moment; try again", field="version") from error
        return current + 1

    def history(self, *, limit: int = 50, before: int | None = None) -> list[RuleSetInfo]:
        query = select(*_INFO).order_by(ruleset.c.version.desc()).limit(limit)
        if before is not None:
            query = query.where(ruleset.c.version < before)
        with self._database.reading() as connection:
            return [RuleSetInfo(**row._mapping) for row in connection.execute(query)]


def conflict(expected: int, current: int) -> ConflictError:
    """The error of a change that was made from another version than the current one."""
    return ConflictError(
        f"the rules are at version {current} now, this change was made from version {expected}: read them again",
        field="version",
    )
