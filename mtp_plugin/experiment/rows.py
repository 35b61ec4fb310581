"""What a shop tests: each experiment a row of ``MTP_EXPERIMENTS``, checked before anything runs."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Literal

import msgspec

from ..conditions import compile_condition
from ..errors import ConditionError, SettingError
from .assign import assign
from .crossing import cells

KEY = "MTP_EXPERIMENTS"
MOST = 16
"""Variations of one experiment."""
GOALS = ("revenue", "conversion", "order-value", "margin", "ctr")

Goal = Literal["revenue", "conversion", "order-value", "margin", "ctr"]
Guardrail = Literal["revenue", "conversion", "order-value", "margin", "ctr", "latency"]


class Variation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of the things that are tried; ``variables`` of any kind reach templates and the shop's code."""

    name: str
    variables: dict[str, Any] = {}


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One experiment. The first variation is the control.

    With ``factors`` (a name to its levels, the usual one first) every combination is a variation. ``ramp`` are dates
    from which a share of visitors takes part, at most ``coverage``; who took part once goes on.

    ``when`` is a condition on who takes part, over the facts that rules know (``segment``, ``context``, ``profile``):
    it is asked whenever the difference would be seen. Rules of the rule editor have conditions of their own.

    ``weights`` divide visitors (evenly when there are none), ``coverage`` is the share that takes part at all,
    ``namespace`` keeps experiments apart: a name and the stretch, from and to, of its visitors. ``seed`` is the key
    when empty. ``since`` and ``until`` are ISO dates in UTC, empty for no end. ``goal`` decides, ``guardrails`` must
    not get worse; ``matters`` is the smallest relative change worth acting on, ``planned`` the visitors that were
    planned. With ``stops`` a variation that is worse for certain ends by itself. ``rule`` says that rules of the rule
    editor are its variations, by the same key.
    """

    variations: tuple[Variation, ...] = ()
    factors: dict[str, list[Any]] = {}
    ramp: tuple[tuple[str, float], ...] = ()
    when: dict[str, Any] = {}
    title: str = ""
    hypothesis: str = ""
    weights: tuple[float, ...] = ()
    coverage: float = 1.0
    namespace: tuple[str, float, float] | None = None
    seed: str = ""
    since: str = ""
    until: str = ""
    goal: Goal = "revenue"
    guardrails: tuple[Guardrail, ...] = ()
    matters: float = 0.05
    planned: int = 0
    stops: bool = True
    note: str = ""
    key: str = ""

    @property
    def shares(self) -> tuple[float, ...]:
        """How visitors are divided, adding up to 1."""
        return self.weights or (1.0 / len(self.variations),) * len(self.variations)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.variations)

    @property
    def begins(self) -> float:
        """Seconds since 1970, minus infinity for always."""
        return _moment(self.since) if self.since else float("-inf")

    @property
    def ends(self) -> float:
        """Seconds since 1970, infinity for never."""
        return _moment(self.until) if self.until else float("inf")

    def runs(self, now: float) -> bool:
        """Whether visitors are assigned at a time."""
        return self.begins <= now < self.ends

    def state(self, now: float) -> str:
        """``running``, ``scheduled`` or ``over``."""
        if now < self.begins:
            return "scheduled"
        return "running" if now < self.ends else "over"

    def covers(self, now: float) -> float:
        """The share of visitors who take part at a time."""
        steps = [share for at, share in self.ramp if _moment(at) <= now]
        return min(self.coverage, steps[-1] if steps else 0.0) if self.ramp else self.coverage

    def of(self, unit: str, now: float = float("inf")) -> int:
        """The variation of a visitor, -1 for one who takes no part (yet). The same for ever, whatever else runs."""
        return assign(
            unit, seed=self.seed or self.key, coverage=self.covers(now), weights=self.shares, namespace=self.namespace
        )


def load_experiments(given: Mapping[str, Any]) -> dict[str, Row]:
    """The experiments by key.

    :raises SettingError: one that cannot work, with the remedy
    """
    return {str(key): _row(str(key), value) for key, value in given.items()}


def _row(key: str, value: Any) -> Row:
    if "key" in value:
        raise SettingError(f"{KEY}[{key!r}]", value, "leave out key, it is the name of the entry")
    unknown = set(value) - set(Row.__struct_fields__)
    if unknown:
        near = difflib.get_close_matches(str(min(unknown)), Row.__struct_fields__, n=1)
        raise _wrong(
            key, str(min(unknown)), value[min(unknown)], f"did you mean {near[0]}?" if near else "leave it out"
        )
    try:
        row = msgspec.convert({**value, "key": key}, Row)
    except msgspec.ValidationError as error:
        raise SettingError(f"{KEY}[{key!r}]", value, str(error).replace("`", "")) from None
    if row.factors:
        row = _crossed(key, row)
    _checked(key, row)
    return row


def _crossed(key: str, row: Row) -> Row:
    """The row with a variation for each combination of its factors' levels."""
    if row.variations:
        raise _wrong(key, "variations", row.names, "leave them out: every combination of factors is one")
    for name, levels in row.factors.items():
        if len(levels) < 2 or len({repr(level) for level in levels}) < len(levels):
            raise _wrong(key, "factors", {name: levels}, "give each factor two levels or more, all different")
    made = tuple(Variation(name=_named(cell), variables=cell) for cell in cells(row.factors))
    return msgspec.structs.replace(row, variations=made)


def _named(cell: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {level}" for name, level in cell.items())


def _checked(key: str, row: Row) -> None:
    count = len(row.variations)
    if not 2 <= count <= MOST:
        raise _wrong(key, "variations", row.names, f"name 2 to {MOST}, the control first")
    if len(set(row.names)) < count or not all(row.names):
        raise _wrong(key, "variations", row.names, "give each a name of its own")
    if row.weights and (len(row.weights) != count or min(row.weights) <= 0 or abs(sum(row.weights) - 1) > 1e-6):
        raise _wrong(key, "weights", row.weights, "one positive number a variation, adding up to 1")
    if not 0 < row.coverage <= 1:
        raise _wrong(key, "coverage", row.coverage, "use a share above 0, at most 1")
    if row.namespace is not None and not 0 <= row.namespace[1] < row.namespace[2] <= 1:
        raise _wrong(key, "namespace", row.namespace, 'use a name and two shares, such as ["home", 0, 0.5]')
    if not 0 < row.matters < 10:
        raise _wrong(key, "matters", row.matters, "use a share, such as 0.05 for 5 %")
    if list(row.ramp) != sorted(row.ramp) or not all(0 < share <= 1 for _, share in row.ramp):
        raise _wrong(key, "ramp", row.ramp, 'dates in their order, each with a share, such as ["2026-11-26", 0.1]')
    if any(after[1] < before[1] for before, after in pairwise(row.ramp)):
        raise _wrong(key, "ramp", row.ramp, "let shares grow: who took part once goes on")
    try:
        compile_condition(row.when)
    except ConditionError as error:
        raise _wrong(key, "when", row.when, str(error)) from None
    if row.planned < 0:
        raise _wrong(key, "planned", row.planned, "use a number of visitors, 0 for none")
    for name, text in (("since", row.since), ("until", row.until), *(("ramp", at) for at, _ in row.ramp)):
        _date(key, name, text)
    if not row.begins < row.ends:
        raise _wrong(key, "until", row.until, "let it end after it begins")


def _date(key: str, name: str, text: str) -> None:
    if text:
        try:
            _moment(text)
        except ValueError:
            raise _wrong(key, name, text, "use an ISO date, such as 2026-11-26 or 2026-11-26T09:00") from None


def _moment(text: str) -> float:
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _wrong(key: str, name: str, value: Any, remedy: str) -> SettingError:
    return SettingError(f"{KEY}[{key!r}][{name!r}]", value, remedy)
