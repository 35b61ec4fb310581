"""``audit``: what was done, and whether the log of it is whole."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import click
from flask.cli import with_appcontext

from ..errors import InputError
from ..ports import AuditEntry, AuditFault, AuditHead
from .base import answer, command, mounted

WORDS = {
    "changed": "entry {} was changed",
    "missing": "something is missing before entry {}",
    "reordered": "entry {} does not stand where it was written",
    "unsealed": "entry {} was not sealed under a key",
    "unknown-key": "entry {} is sealed under a key that is not here: give it in SECRET_KEY_FALLBACKS",
    "elsewhere": "entry {} is not the one that was noted elsewhere",
}


def register(mtp: click.Group) -> None:
    """Add these commands to the group."""
    audit = click.Group("audit", help="The audit log: who did what, and whether the log is whole.")
    mtp.add_command(audit)

    @command(audit, "verify")
    @click.option("--expect", default="", help="NUMBER:SEAL as an earlier run printed it: nothing since was cut off.")
    @with_appcontext
    def verify(expect: str, as_json: bool) -> None:
        """Find entries that were changed, removed or moved; exit code 1 when there are any.

        Keep the last line elsewhere (a mail, a ticket): with --expect it shows that nothing written until then was
        cut off.
        """
        log = mounted().audit
        found = log.verify() + _expected(log.entries(after=_number(expect) - 1), expect)
        head = log.head()
        answer({"faults": found, "head": head}, as_json, _verdict(found, head))
        if found:
            sys.exit(1)

    @command(audit, "list")
    @click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 10_000), help="How many.")
    @click.option("--action", default="", help="Only actions that begin so, such as consent or rule.published.")
    @click.option("--subject", default="", help="Only of this object, such as rule:12.")
    @click.option("--visitor", default="", help="Only of this visitor, such as u:42.")
    @with_appcontext
    def list_entries(limit: int, action: str, subject: str, visitor: str, as_json: bool) -> None:
        """What was done last, the newest first."""
        state = mounted()
        subject = state.hasher.subject(visitor) if visitor else subject
        found = state.audit.latest(limit, action=action, subject=subject)
        answer({"entries": found}, as_json, "\n".join(map(_line, found)) or "Nothing was done yet.")


def _number(expect: str) -> int:
    number = expect.partition(":")[0]
    if expect and (not number.isdecimal() or ":" not in expect):
        raise InputError("write NUMBER:SEAL as `flask mtp audit verify` printed it", field="--expect")
    return int(number) if expect else 1


def _expected(entries: Iterator[AuditEntry], expect: str) -> list[AuditFault]:
    """Whether the log still has the entry that was noted elsewhere."""
    if not expect or _number(expect) == 0:
        return []
    entry = next(entries, None)
    number, seal = _number(expect), expect.partition(":")[2]
    if entry is not None and entry.number == number and entry.seal == seal:
        return []
    return [AuditFault(number=number, kind="elsewhere")]


def _verdict(found: list[AuditFault], head: AuditHead) -> str:
    lines = [WORDS[fault.kind].format(fault.number) for fault in found]
    return "\n".join([*(lines or [f"The log is whole: {head.number:,} entries."]), f"{head.number}:{head.seal}"])


def _line(entry: AuditEntry) -> str:
    when = datetime.fromtimestamp(entry.at, UTC).strftime("%Y-%m-%d %H:%M:%S")
    details = json.dumps(entry.details, sort_keys=True) if entry.details else ""
    return f"{entry.number:>6}  {when} UTC  {entry.actor:16} {entry.action:24} {entry.subject} {details}".rstrip()
