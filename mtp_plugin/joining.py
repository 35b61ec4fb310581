"""Traits from a CRM into profiles: read its rows, find the customers, record what is new.

What a CRM says is recorded as an event (``Identify`` of source ``crm:<name>``), like everything that is known of a
visitor: it survives a rebuild, is told in an export and goes with an erasure. Only differences are recorded, so a CRM
that is read every night adds nothing while it says the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec

from .errors import InputError
from .ports import ConsentLog, Journal
from .privacy.pii import Hasher
from .profile.enrich.join import EMAIL_HASH, Crm
from .profile.traits import CRM, holds_over
from .records import Event, Profile, RowError, TraitOrigin
from .track.identifiers import dedupe_key, time_ordered_id
from .track.limits import PERSONAL_TRAITS, bounded, identifier

BATCH = 1000
PURPOSE = "personalisation"
KEPT_ERRORS = 100

Progress = Callable[[str], None]
Ingest = Callable[[Sequence[Event]], object]
Wanted = tuple[str, dict[str, Any]]
"""A profile and the traits that a row has for it."""


class JoinResult(msgspec.Struct, kw_only=True):
    """What became of a CRM's rows; ``unknown`` are customers never seen here, ``refused`` those who said no."""

    name: str
    rows: int = 0
    changed: int = 0
    unchanged: int = 0
    unknown: int = 0
    refused: int = 0
    bad: int = 0
    errors: list[RowError] = []

    def line(self) -> str:
        """The result as one readable line."""
        return (
            f"{self.name}: {self.rows:,} rows, {self.changed:,} customers changed, {self.unchanged:,} unchanged, "
            f"{self.unknown:,} not known here, {self.refused:,} refused, {self.bad:,} rows with errors"
        )


class Joiner:
    """Joins one CRM with the profiles.

    :param ingest: makes events durable and folds them
    :param now: seconds since 1970
    """

    def __init__(
        self, crm: Crm, *, journal: Journal, ingest: Ingest, consents: ConsentLog, hasher: Hasher, now: float
    ) -> None:
        self._crm, self._journal, self._ingest = crm, journal, ingest
        self._consents, self._hasher, self._now = consents, hasher, now
        self._origin = TraitOrigin(f"{CRM}{crm.name}", now)
        self._by_email: dict[str, str] = {}
        self._recorded = 0

    def run(self, progress: Progress) -> JoinResult:
        """Read all rows and record what they say that is new.

        :raises mtp_plugin.errors.MTPError: the CRM or the store cannot be reached; what was recorded stays
        """
        result = JoinResult(name=self._crm.name)
        if self._crm.email:
            progress("looking up customers by address")
            self._by_email = dict(_addresses(self._journal))
        for rows in _groups(self._crm.source.rows(), BATCH):
            self._take(self._read(rows, result), result)
            progress(f"{result.rows:,} rows read, {result.changed:,} customers changed")
        return result

    def _read(self, rows: Sequence[Mapping[str, Any]], result: JoinResult) -> dict[str, dict[str, Any]]:
        """Traits by profile; of two rows for one customer the later counts."""
        wanted: dict[str, dict[str, Any]] = {}
        for row in rows:
            result.rows += 1
            try:
                found = self._one(row)
            except InputError as error:
                result.bad += 1
                if len(result.errors) < KEPT_ERRORS:
                    result.errors.append(RowError(result.rows, error.field, error.message))
                continue
            if found is None:
                result.unknown += 1
            else:
                wanted[found[0]] = {**wanted.get(found[0], {}), **found[1]}
        return wanted

    def _one(self, row: Mapping[str, Any]) -> Wanted | None:
        read = self._crm.read(row)
        traits = bounded(read.traits, "traits", PERSONAL_TRAITS)
        if read.user_id:
            return f"u:{identifier(read.user_id, self._crm.id)}", traits
        if not read.email:
            raise InputError("the row names no customer", field=self._crm.id or self._crm.email)
        mark = self._hasher.email(read.email) if "@" in read.email else read.email
        profile_id = self._by_email.get(mark)
        return (profile_id, traits) if profile_id else None

    def _take(self, wanted: Mapping[str, dict[str, Any]], result: JoinResult) -> None:
        profiles = self._journal.profiles(list(wanted))
        events = []
        for (profile_id, traits), profile in zip(wanted.items(), profiles, strict=True):
            if profile is None and not self._crm.everyone:
                result.unknown += 1
                continue
            new = self._new(profile, traits)
            if not new:
                result.unchanged += 1
            elif self._refused(profile_id):
                result.refused += 1
            else:
                events.append(self._event(profile_id, new))
        if events:
            self._ingest(events)
            result.changed += len(events)

    def _new(self, profile: Profile | None, traits: Mapping[str, Any]) -> dict[str, Any]:
        """What differs from the profile and will hold there."""
        if profile is None:
            return {name: value for name, value in traits.items() if value is not None}
        return {
            name: value
            for name, value in traits.items()
            if profile.traits.get(name) != value
            and (
                name not in profile.traits or holds_over(self._origin, profile.origins.get(name, TraitOrigin("", 0.0)))
            )
        }

    def _refused(self, profile_id: str) -> bool:
        decisions = [decision for decision in self._consents.of(profile_id) if decision.purpose == PURPOSE]
        return bool(decisions) and not decisions[-1].granted

    def _event(self, profile_id: str, traits: dict[str, Any]) -> Event:
        self._recorded += 1
        event_id = time_ordered_id(self._now, self._recorded)
        return Event(
            event_id=event_id,
            name="Identify",
            profile_id=profile_id,
            timestamp=self._now,
            received_at=self._now,
            dedupe_key=dedupe_key("crm", profile_id, event_id),
            user_id=profile_id.removeprefix("u:") if profile_id.startswith("u:") else "",
            anonymous_id=profile_id.removeprefix("a:") if profile_id.startswith("a:") else "",
            traits=traits,
            source=self._origin.source,
        )


def _addresses(journal: Journal) -> Iterator[tuple[str, str]]:
    """Hashes of addresses and whose they are; where an account and a browser have the same, the account's."""
    for ids in journal.profile_ids():
        for profile in sorted((p for p in journal.profiles(ids) if p), key=lambda p: p.profile_id):
            mark = profile.traits.get(EMAIL_HASH)
            if isinstance(mark, str) and mark:
                yield mark, profile.profile_id


def _groups(rows: Iterable[Mapping[str, Any]], size: int) -> Iterator[list[Mapping[str, Any]]]:
    several = iter(rows)
    while group := list(islice(several, size)):
        yield group
