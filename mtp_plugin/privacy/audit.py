"""The chain of the audit log: each entry is sealed together with the seal of the one before it.

Whoever changes, removes, inserts or moves an entry breaks a seal or a link. Under a key (HMAC-SHA256) nobody who can
write the database alone can mend the chain; without one it is plain SHA-256 and finds accidents and careless hands.
The end of a log can be cut off unseen by its own links: that is what the head and a note kept elsewhere are for.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from ..ports import AuditEntry, AuditFault, AuditHead
from .redact import redact

FIRST = "0" * 64
"""What the first entry has for the seal before it."""


class Sealer:
    """Seals entries and checks seals.

    :param keys: the newest last, which seals; empty seals without a key
    """

    def __init__(self, keys: Sequence[bytes] = ()) -> None:
        self._keys = {_key_id(key): key for key in keys}
        self.key_id = _key_id(keys[-1]) if keys else ""

    def entry(
        self, head: AuditHead, at: float, actor: str, action: str, subject: str, details: Mapping[str, Any] | None
    ) -> AuditEntry:
        """The entry that follows *head*; personal data that strayed into the details is masked."""
        told = json.loads(canonical(redact(dict(details or {}))))
        seal = self.seal(self.key_id, head.seal, at, actor, action, subject, told)
        return AuditEntry(
            number=head.number + 1,
            at=at,
            actor=actor,
            action=action,
            subject=subject,
            details=told,
            key_id=self.key_id,
            previous=head.seal,
            seal=seal,
        )

    def seal(self, key_id: str, *content: Any) -> str:
        """The seal of an entry's content.

        :raises KeyError: the key it was made under is not here
        """
        text = canonical([key_id, *content]).encode()
        return hmac.digest(self._keys[key_id], text, "sha256").hex() if key_id else hashlib.sha256(text).hexdigest()

    def fault(self, entry: AuditEntry) -> str:
        """``""`` if an entry is as it was sealed, else what is wrong: ``changed``, ``unsealed`` or ``unknown-key``."""
        if self.key_id and not entry.key_id:
            return "unsealed"
        content = (entry.previous, entry.at, entry.actor, entry.action, entry.subject, entry.details)
        try:
            right = self.seal(entry.key_id, *content)
        except KeyError:
            return "unknown-key"
        return "" if hmac.compare_digest(right, entry.seal) else "changed"


def check(
    entries: Callable[[int], Iterable[AuditEntry]], head: Callable[[], AuditHead], sealer: Sealer
) -> list[AuditFault]:
    """What is wrong in a log that may grow meanwhile.

    :param entries: gives those after a number, in order of their numbers
    :param head: the end of the log as noted apart from the entries
    """
    found: list[AuditFault] = []
    last, end = AuditHead(number=0, seal=FIRST), head()
    while True:
        before = last
        for entry in entries(last.number):
            found += _faults(entry, last, sealer)
            last = AuditHead(number=entry.number, seal=entry.seal)
        end = head()
        if end.number <= last.number or last == before:
            break
    if end != last:
        found.append(AuditFault(number=last.number + 1, kind="missing", previous=end.seal))
    return _moved(found, entries(0)) if found else found


def _faults(entry: AuditEntry, last: AuditHead, sealer: Sealer) -> Iterator[AuditFault]:
    if kind := sealer.fault(entry):
        yield AuditFault(number=entry.number, kind=kind)
    if entry.number != last.number + 1 or entry.previous != last.seal:
        yield AuditFault(number=entry.number, kind="missing", previous=entry.previous)


def _moved(found: Sequence[AuditFault], entries: Iterable[AuditEntry]) -> list[AuditFault]:
    """The faults; a broken link whose predecessor is in the log, but elsewhere, is called ``reordered``."""
    sought = {fault.previous for fault in found if fault.kind == "missing"}
    present = {entry.seal for entry in entries if entry.seal in sought} | {FIRST}
    return [
        msgspec.structs.replace(fault, kind="reordered")
        if fault.kind == "missing" and fault.previous in present
        else fault
        for fault in found
    ]


def canonical(value: Any) -> str:
    """The one way in which a value is written for sealing."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


def _key_id(key: bytes) -> str:
    return hashlib.sha256(b"mtp-audit-key" + key).hexdigest()[:8]
