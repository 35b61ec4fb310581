"""From what slates are owed and what is recorded to what is to be recorded: additions, and corrections as negatives."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..records import Outcome
from .attribution import Credit

EXACT = 1e-6
CORRECTED = ("cart", "purchase", "refund")
"""What a touch that comes late can take from one slate and give to another."""

Source = tuple[str, str, str]
"""What an outcome is of, whichever slate is owed: kind, order (or time) and product."""


@dataclass(slots=True)
class _Sum:
    """What is recorded of one source for one slate, and by how many entries."""

    quantity: float = 0.0
    value: float = 0.0
    margin: float = 0.0
    entries: int = 0
    last: Outcome | None = field(default=None)

    def add(self, outcome: Outcome) -> None:
        self.quantity += outcome.quantity
        self.value += outcome.value
        self.margin += outcome.margin
        self.entries += 1
        self.last = outcome


def settle(credits: Sequence[Credit], recorded: Iterable[Outcome]) -> list[Outcome]:
    """Outcomes to append so that what is recorded of a person adds up to what slates are owed.

    Again with these recorded it gives none; by another worker from the same state it gives the same ids. What is
    recorded and owed to nobody now, as its touch was deleted with old events, stays.

    :param credits: all that is owed by a person, by the events that are known
    :param recorded: all outcomes of the person
    """
    known = _sums(recorded)
    owed = _sums_of_credits(credits)
    found: list[Outcome] = []
    for source, by_slate in owed.items():
        sums = known.get(source, {})
        for slate, have in sums.items():
            if slate not in by_slate and source[0] in CORRECTED and abs(have.quantity) > EXACT and have.last:
                found.append(_correction(source, slate, have, have.last))
        for slate, credit in by_slate.items():
            if (outcome := _difference(source, slate, credit, sums.get(slate, _Sum()))) is not None:
                found.append(outcome)
    return found


def _sums(recorded: Iterable[Outcome]) -> dict[Source, dict[str, _Sum]]:
    known: dict[Source, dict[str, _Sum]] = {}
    for outcome in recorded:
        by_slate = known.setdefault(_source(outcome), {})
        by_slate.setdefault(outcome.recommendation_id, _Sum()).add(outcome)
    return known


def _sums_of_credits(credits: Iterable[Credit]) -> dict[Source, dict[str, Credit]]:
    owed: dict[Source, dict[str, Credit]] = {}
    for credit in credits:
        by_slate = owed.setdefault(_source(credit), {})
        before = by_slate.get(credit.recommendation_id)
        by_slate[credit.recommendation_id] = credit if before is None else _added(before, credit)
    return owed


def _added(one: Credit, other: Credit) -> Credit:
    """The same product put into the cart twice at one moment."""
    return Credit(
        kind=one.kind,
        recommendation_id=one.recommendation_id,
        profile_id=one.profile_id,
        at=one.at,
        product_id=one.product_id,
        position=one.position,
        quantity=one.quantity + other.quantity,
        value=one.value + other.value,
        margin=one.margin + other.margin,
        order_id=one.order_id,
        said=one.said and other.said,
    )


def _source(of: Outcome | Credit) -> Source:
    if of.kind in ("seen", "click"):
        return of.kind, of.recommendation_id, of.product_id
    return of.kind, of.order_id or repr(of.at), of.product_id


def _difference(source: Source, slate: str, credit: Credit, have: _Sum) -> Outcome | None:
    quantity = credit.quantity - have.quantity
    value, margin = credit.value - have.value, credit.margin - have.margin
    same = abs(quantity) <= EXACT
    if same and not (credit.said and abs(value) > EXACT):
        return None
    return Outcome(
        outcome_id=_id(source, slate, credit.profile_id, have.entries),
        kind=credit.kind,
        recommendation_id=slate,
        profile_id=credit.profile_id,
        at=credit.at,
        product_id=credit.product_id,
        position=credit.position,
        quantity=0.0 if same else quantity,
        value=value,
        margin=margin,
        order_id=credit.order_id,
    )


def _correction(source: Source, slate: str, have: _Sum, last: Outcome) -> Outcome:
    return Outcome(
        outcome_id=_id(source, slate, last.profile_id, have.entries),
        kind=last.kind,
        recommendation_id=slate,
        profile_id=last.profile_id,
        at=last.at,
        product_id=last.product_id,
        position=last.position,
        quantity=-have.quantity,
        value=-have.value,
        margin=-have.margin,
        order_id=last.order_id,
    )


def _id(source: Source, slate: str, profile_id: str, entries: int) -> bytes:
    """The same for the same entry of the same thing, whoever finds it."""
    text = "\x1f".join((*source, slate, profile_id, str(entries)))
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
