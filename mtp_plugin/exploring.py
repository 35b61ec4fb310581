"""A small share of slates gives its last place to a new product, so that what nobody knows yet can come to be liked.

Drawn by the seed of the request: who is drawn, and with which probability, is the same when the slate is replayed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from .bandit.draw import seed_of, uniform
from .draft import Pick, Question
from .records import BoolArray, ProductTable
from .slotting import Filled

POLICY = "exploration"
ORIGIN = "newest"
MOST = 100
"""New products among which one is drawn: the newest, where a whole shop is new."""


def new_products(table: ProductTable, allowed: BoolArray | None, now: float, seconds: float) -> tuple[str, ...]:
    """Ids of products that came within these seconds and may be shown, the newest first, at most :data:`MOST`."""
    young = is_new(table, now, seconds)
    rows = np.flatnonzero(young if allowed is None else young & allowed)
    newest = rows[np.argsort(-table.created[rows], kind="stable")][:MOST]
    return tuple(table.products[row].product_id for row in newest.tolist())


def is_new(table: ProductTable, now: float, seconds: float) -> BoolArray:
    """Mask of the products that came within these seconds."""
    young: BoolArray = (table.created > now - seconds) & (table.created <= now)
    return young


def drawn(question: Question, fresh: Sequence[str]) -> Pick | None:
    """The new product that this request tries, mostly none. Only a visitor who can be learnt from is tried with."""
    if not fresh or not _explores(question):
        return None
    share = question.placement.exploration
    chance = uniform(seed_of(question.request, POLICY))
    if chance >= share:
        return None
    name = fresh[min(len(fresh) - 1, int(chance / share * len(fresh)))]
    return Pick(name, 0.0, (ORIGIN,), "", 0, question.ladder[0])


def explored(
    question: Question, found: Filled, fresh: Sequence[str], tried: Pick | None, sold: Mapping[str, bool]
) -> Filled:
    """The slate with what is tried at its last place, and the probabilities of that place.

    Products that stand in the slate already are not tried: a draw of one of them, or of one that cannot be bought,
    changes nothing. Where a rule or a policy has put a product last nothing is tried.

    :param fresh: what could be drawn
    :param tried: what was
    """
    if not fresh or not found.picks or not _explores(question):
        return found
    if found.picks[-1].pinned or (found.choice and found.choice.position == len(found.picks)):
        return found
    standing = {pick.product_id for pick in found.picks}
    open_to = [name for name in fresh if name not in standing]
    each = question.placement.exploration / len(fresh)
    before = found.propensities[:-1]
    if tried is not None and tried.product_id in open_to and sold.get(tried.product_id, False):
        return found._replace(picks=[*found.picks[:-1], tried], propensities=[*before, each])
    stays = found.propensities[-1] * (1.0 - each * len(open_to))
    return found._replace(propensities=[*before, stays])


def _explores(question: Question) -> bool:
    """Only with visitors who are known: what is the same for many cannot be drawn for each."""
    return question.placement.exploration > 0 and question.own and question.profile is not None
