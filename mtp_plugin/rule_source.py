"""From stored versions to rules that serve."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import msgspec

from .config import Settings
from .errors import MTPError
from .facts import FactReader, Vary, variation_of
from .ports import RuleStore
from .records import Gate, RuleSet, UseModel
from .rules.compile import NO_RULES, Compiled
from .rules.engine import engine_of
from .rules.read import read_stored

log = logging.getLogger(__name__)

SYSTEM = "system"
"""Who switches faulty rules off."""


@dataclass(frozen=True, slots=True, eq=False)
class Served:
    """The rules of one version and what reads the facts that they look at."""

    rules: Compiled
    reader: FactReader

    @property
    def version(self) -> int:
        return self.rules.version


NOTHING = Served(NO_RULES, FactReader())


class RuleSource:
    """Loads versions of the rules and makes them ready to decide.

    :param placements: those that exist; their engines are built beforehand
    """

    def __init__(self, store: RuleStore, settings: Settings, placements: Iterable[str] = ()) -> None:
        self._store, self._placements = store, tuple(placements)
        self.zone, self._excluded = ZoneInfo(settings.time_zone), settings.segment_exclude_categories
        self._make_engine = engine_of(settings.rule_engine)
        self.vary: Vary = lambda gate, unit, now: variation_of(gate, unit)
        """The variation that a visitor is in at a time."""

    def version(self) -> int:
        """The version that is current."""
        return self._store.current()

    def models(self) -> set[str]:
        """The versions of behaviour models that rules name, those that are off too; none while nobody knows."""
        try:
            rules = read_stored(self._store.load(self.version()), lambda rule_id, error: None) if self.version() else ()
        except MTPError as error:
            log.warning("models that rules name are not known: %s", error)
            return set()
        return {effect.version for rule in rules for effect in rule.then if isinstance(effect, UseModel)}

    def load(self, version: int) -> Served:
        """A version, ready; rules in it that cannot be used are left out and switched off in a version to come.

        :raises mtp_plugin.errors.MTPError: there is no such version, or it cannot be read
        """
        if not version:
            return NOTHING
        faults: dict[str, str] = {}

        def faulty(rule_id: str, error: Exception) -> None:
            faults[rule_id] = str(error)

        served = self.ready(RuleSet(rules=read_stored(self._store.load(version), faulty)), version, faulty)
        if faults:
            self.switch_off(version, faults)
        return served

    def ready(self, ruleset: RuleSet, version: int = 0, faulty: object = None) -> Served:
        """A ruleset that is stored or not, such as a draft, ready to decide."""
        report = faulty if callable(faulty) else lambda rule_id, error: None
        rules = Compiled(ruleset.rules, version=version, zone=self.zone, make_engine=self._make_engine, faulty=report)
        rules.warm(self._placements)
        return Served(rules, self.reader(rules.paths, rules.gates))

    def reader(self, paths: Collection[str], gates: Mapping[str, Gate]) -> FactReader:
        """Reads these facts of requests, as this shop has it."""
        return FactReader(paths, gates, excluded=self._excluded, vary=lambda *asked: self.vary(*asked))

    def switch_off(self, version: int, faults: dict[str, str]) -> None:
        """Write a version without the faulty rules, in a thread: whoever found the fault may be a visitor's request."""
        threading.Thread(target=self._switch_off, args=(version, faults), name="mtp-faulty-rule", daemon=True).start()

    def _switch_off(self, version: int, faults: dict[str, str]) -> None:
        try:
            unread: list[str] = []
            ruleset = RuleSet(
                rules=read_stored(self._store.load(version), lambda rule_id, error: unread.append(rule_id))
            )
            if unread:  # a newer release wrote them: a version of ours would lose them
                log.warning("rules %s are off in this process only", ", ".join(faults))
                return
            rules = tuple(
                msgspec.structs.replace(rule, enabled=False) if rule.rule_id in faults else rule
                for rule in ruleset.rules
            )
            note = "; ".join(f"{rule_id} switched off: {why}" for rule_id, why in faults.items())[:2000]
            if any(rule.rule_id in faults for rule in ruleset.rules):
                self._store.save(RuleSet(rules=rules), by=SYSTEM, at=time.time(), note=note, expected=version)
        except MTPError as error:
            log.warning("faulty rules %s are off in this process only: %s", ", ".join(faults), error)
