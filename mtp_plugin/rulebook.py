"""Every change of the rules, by whatever way it comes: checked, saved as a version, noted in the audit log."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence

import msgspec

from .errors import FindingsError, InputError, NotFoundError
from .ports import AuditLog, RuleStore
from .records import Rule, RuleSet, RuleSetInfo
from .rules.checks import Finding
from .rules.read import read_stored

Check = Callable[[RuleSet, Collection[str] | None], list[Finding]]
"""Finds what is wrong with rules, of all or of these."""


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """A version that was saved, and the warnings that were accepted with it."""

    version: int
    findings: tuple[Finding, ...] = ()


class Rulebook:
    """The rules of one shop, to be changed.

    :param check: judges rules before they are saved
    :param clock: gives seconds since 1970
    """

    def __init__(
        self, store: RuleStore, audit: AuditLog, check: Check, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._store, self._audit, self._check, self._clock = store, audit, check, clock

    def read(self, version: int | None = None) -> tuple[int, RuleSet]:
        """A version (the current one if none is said) and its rules; rules that cannot be read are left out.

        :raises NotFoundError: there is no such version
        """
        number = self._store.current() if version is None else version
        return number, RuleSet(rules=read_stored(self._store.load(number), lambda rule_id, error: None))

    def _whole(self, version: int | None) -> tuple[int, RuleSet]:
        """As :meth:`read`, to be changed: a rule that cannot be read would get lost.

        :raises InputError: there is one, written by a newer release
        """
        number = self._store.current() if version is None else version
        unread: list[str] = []
        rules = read_stored(self._store.load(number), lambda rule_id, error: unread.append(rule_id))
        if unread:
            raise InputError(
                f"this release cannot read the rules {', '.join(unread)[:200]}: change them with a newer one"
            )
        return number, RuleSet(rules=rules)

    def history(self, *, limit: int = 50, before: int | None = None) -> list[RuleSetInfo]:
        """Versions, newest first."""
        return self._store.history(limit=limit, before=before)

    def save(
        self, ruleset: RuleSet, *, by: str, note: str = "", expected: int | None = None, force: bool = False
    ) -> Saved:
        """Put these rules in place of all others.

        :param by: who does it
        :param expected: the version that the change was made from
        :param force: save in spite of warnings; errors cannot be saved
        :raises FindingsError: something is wrong with them
        :raises mtp_plugin.errors.ConflictError: somebody else was faster
        """
        _, before = self._whole(expected)
        findings = self._refuse(ruleset, changed(before, ruleset), force)
        return self._write(ruleset, "rules.saved", by, note, expected, findings)

    def put(self, rule: Rule, *, by: str, note: str = "", expected: int | None = None, force: bool = False) -> Saved:
        """Add a rule, or put it in place of the one with its id; errors as for :meth:`save`."""
        version, before = self._whole(expected)
        rules = [rule if known.rule_id == rule.rule_id else known for known in before.rules]
        new = all(known.rule_id != rule.rule_id for known in before.rules)
        ruleset = RuleSet(rules=tuple([*rules, rule] if new else rules))
        findings = self._refuse(ruleset, {rule.rule_id}, force)
        action = "rule.added" if new else "rule.changed"
        return self._write(ruleset, action, by, note or rule.rule_id, version, findings, rule.rule_id)

    def delete(self, rule_id: str, *, by: str, note: str = "", expected: int | None = None) -> Saved:
        """Delete a rule.

        :raises NotFoundError: there is none of this id
        """
        version, before = self._whole(expected)
        _found(before, rule_id)
        left = RuleSet(rules=tuple(rule for rule in before.rules if rule.rule_id != rule_id))
        return self._write(left, "rule.deleted", by, note or f"{rule_id} deleted", version, [], rule_id)

    def switch(self, rule_id: str, enabled: bool, *, by: str, note: str = "", expected: int | None = None) -> Saved:
        """Enable or disable a rule.

        :raises NotFoundError: there is none of this id
        """
        version, before = self._whole(expected)
        _found(before, rule_id)
        ruleset = RuleSet(
            rules=tuple(
                msgspec.structs.replace(rule, enabled=enabled) if rule.rule_id == rule_id else rule
                for rule in before.rules
            )
        )
        word = "enabled" if enabled else "disabled"
        return self._write(ruleset, f"rule.{word}", by, note or f"{rule_id} {word}", version, [], rule_id)

    def roll_back(self, version: int, *, by: str, note: str = "") -> Saved:
        """Let the rules of an earlier version serve again, as a new version.

        :raises NotFoundError: there is no such version
        """
        current = self._store.current()
        _, ruleset = self._whole(version)
        return self._write(ruleset, "rules.rolled-back", by, note or f"as in version {version}", current, [])

    def check(self, ruleset: RuleSet, only: Collection[str] | None = None) -> list[Finding]:
        """What is wrong with rules."""
        return self._check(ruleset, only)

    def _refuse(self, ruleset: RuleSet, only: Collection[str], force: bool) -> list[Finding]:
        findings = self._check(ruleset, only)
        if any(finding.level == "error" for finding in findings) or (findings and not force):
            raise FindingsError(findings)
        return findings

    def _write(
        self,
        ruleset: RuleSet,
        action: str,
        by: str,
        note: str,
        expected: int | None,
        findings: Sequence[Finding],
        rule_id: str = "",
    ) -> Saved:
        now, note, by = self._clock(), _plain(note, 2000), _plain(by, 200)
        version = self._store.save(ruleset, by=by, at=now, note=note, expected=expected)
        subject = f"rule:{rule_id}" if rule_id else "rules"
        accepted = [f"{finding.rule_id}: {finding.code}" for finding in findings][:20]
        self._audit.append(by, action, subject, {"version": version, "note": note, "accepted": accepted}, at=now)
        return Saved(version=version, findings=tuple(findings))


def changed(before: RuleSet, after: RuleSet) -> set[str]:
    """Ids of the rules that are new or other than before."""
    known = {rule.rule_id: rule for rule in before.rules}
    return {rule.rule_id for rule in after.rules if known.get(rule.rule_id) != rule}


def _found(ruleset: RuleSet, rule_id: str) -> None:
    if all(rule.rule_id != rule_id for rule in ruleset.rules):
        raise NotFoundError(f"there is no rule {rule_id[:100]!r}", field="rule_id")


def _plain(text: str, most: int) -> str:
    """Text that every database takes."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")[:most]
