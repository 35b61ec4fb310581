"""The blend for one visitor: what the session at hand, the past, affinities and the segment make of the candidates."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import numpy as np

from ..compiled import HAS_NUMBA
from ..records import BoolArray, Candidates, FloatArray, IntArray, Profile, Query
from . import basket_expert, best_kernels, plain, session_expert
from .affinity import Taste
from .basket_details import return_details
from .blend import Expert, softmax
from .leanings import Asker, Details
from .loudest import EVERYTHING
from .mixture import CONTENT as LIKENESS
from .mixture import PARTS, Mixture, evidence
from .origins import BIT, HEARD_FROM, SOURCES
from .own import Bought, bought
from .reranker import Reranker
from .scratch import Scratch
from .segment_top import LIFTED
from .session_details import session_details
from .sources import ALIKE, CONTENT, Sources

how = best_kernels if HAS_NUMBA else plain

SESSION_TRUST = 0.8
"""How far the session at hand outweighs earlier purchases."""
TASTE = 0.15
UNTRAINED_TASTE = 1.0
"""What affinities add beside an expert; much where nobody could yet learn how far that one is to be trusted."""

FAVOURITES = 40
"""Products liked best by a segment that are weighed for each of its visitors."""
HEARD = 0.1
"""Share of a product's score from which on the segment is named as an origin."""
DRAWN = 0.05
"""How much to the visitor's taste a product must be for that to be an origin."""
SESSION, RETURN, TASTE_PART, ALIKE_PART, SEGMENT_PART = range(len(PARTS))
NAMING = (
    LIKENESS, BIT["leans-on-content"], BIT["leans-on-behaviour"], SEGMENT_PART, BIT["segment-top"], HEARD, LIFTED
)  # fmt: skip
NOBODY: FloatArray = np.zeros(0, dtype=np.float32)


class Weighed(NamedTuple):
    """The candidates in *scratch* with what each part of the blend makes of them.

    ``parts`` are probabilities, float32 of shape ``(len(PARTS), scratch.count)``, ``trust`` how far each counts, and
    ``heard`` which have a say at all, both of shape ``(len(PARTS),)``. ``way`` led the visitor here, ``drawn`` is how
    much each candidate is to the visitor's taste, empty where that is not known, ``place`` that of the segment.
    """

    scratch: Scratch
    way: tuple[int, ...]
    parts: FloatArray
    trust: FloatArray
    heard: BoolArray
    drawn: FloatArray
    place: int

    def said_of(self, row: int) -> dict[str, float] | None:
        """What each part makes of a row, ``None`` when it is no candidate."""
        if self.scratch.mark[row] != self.scratch.epoch:
            return None
        said = self.parts[:, self.scratch.slot[row]].tolist()
        return {name: value for name, value, heard in zip(PARTS, said, self.heard, strict=True) if heard}


def _taste(sources: Sources, scratch: Scratch, profile: Profile) -> Taste:
    """What a visitor is drawn to, found once for all blocks of a page."""
    last = scratch.taste
    if last is None or last[0] is not profile:
        last = scratch.taste = (profile, sources.affinity.of(profile))
    return last[1]


class Personal:
    """Finds the candidates for a visitor and weighs them.

    :param sources: what is asked
    :param session: the expert for the session at hand
    :param customer: the expert for what was bought before
    :param mixture: how far each part counts for a visitor of a segment
    :param rerankers: by task, where they are better than the experts alone
    """

    def __init__(
        self,
        sources: Sources,
        session: Expert,
        customer: Expert,
        mixture: Mixture,
        rerankers: Mapping[str, Reranker] | None = None,
    ) -> None:
        self._sources, self._session, self._customer, self.mixture = sources, session, customer, mixture
        self._rerankers = rerankers or {}
        taste = TASTE if session.learnt or customer.learnt else UNTRAINED_TASTE
        both, one = (SESSION_TRUST, 1.0 - SESSION_TRUST, taste, 0.0, 0.0), (1.0, 1.0, taste, 0.0, 0.0)
        self._both, self._one = np.array(both, dtype=np.float32), np.array(one, dtype=np.float32)

    def weigh(self, query: Query, allowed: BoolArray | None = None) -> Weighed | None:
        """The candidates and what the parts make of them; ``None`` when nothing is known to go by.

        :param allowed: mask over the catalogue's rows: what may not be shown is not ordered anew
        """
        sources, scratch, profile = self._sources, self._sources.scratch(), query.profile
        own = bought(profile, sources.table.index)
        way = session_expert.anchors(query) if query.session or query.in_view or own is None else ()
        open_to = EVERYTHING if allowed is None else allowed
        at_hand = session_expert.gather(sources, scratch, way, open_to) if way else None
        if own is not None:
            basket_expert.gather_return(sources, scratch, own, query.now, open_to)
        taste = _taste(sources, scratch, profile) if profile is not None and profile.affinities else None
        if taste is not None:
            scratch.add(sources.affinity.propose(taste))
        if scratch.count == 0:
            return None
        place = sources.segments.place(query.segment)
        if place >= 0:
            scratch.add(sources.segments.order(place)[:FAVOURITES])
        rows = scratch.rows[: scratch.count]
        parts = np.zeros((len(PARTS), scratch.count), dtype=np.float32)
        heard = np.array((at_hand is not None, own is not None, False, False, False))
        self._behaviour(query, scratch, way, at_hand, own, allowed, parts)
        shares = sources.segments.shares(place) if place >= 0 else NOBODY
        drawn, *heard[TASTE_PART:] = how.likeness(
            parts, TASTE_PART, *sources.affinity.asked(taste), sources.popularity, shares, rows, scratch.columns,
            ALIKE, CONTENT,
        )  # fmt: skip
        return Weighed(scratch, way, parts, self._trust(query, heard, place), heard, drawn, place)

    def _behaviour(
        self, query: Query, scratch: Scratch, way: tuple[int, ...], at_hand: tuple[IntArray, IntArray] | None,
        own: Bought | None, allowed: BoolArray | None, parts: FloatArray,
    ) -> None:  # fmt: skip
        """What the experts say, ordered anew where that is better, into *parts*."""
        sources, asker = self._sources, Asker.of(query)
        fit = allowed[scratch.rows[: scratch.count]] if allowed is not None and self._rerankers else None
        if at_hand is not None:
            weights = self._session.weights(session_expert.bucket(len(at_hand[0])))
            features, scores, chance = session_expert.said(sources, scratch, *at_hand, way, weights)
            reranker = self._rerankers.get("session")
            if reranker is not None:
                details: Details = partial(session_details, sources, scratch, at_hand[0], way)
                details = sources.leanings.beside(details, scratch, asker) if reranker.leans else details
                chance = softmax(reranker.scores(features, scores, len(at_hand[0]), fit, details))
            parts[SESSION] = chance
        if own is not None:
            features = basket_expert.return_features(sources, scratch, own, query.now)
            scores = self._customer.scores(features, basket_expert.return_bucket(own))
            reranker = self._rerankers.get("return")
            if reranker is not None:
                details = partial(return_details, sources, scratch, own, query.now)
                details = sources.leanings.beside(details, scratch, asker) if reranker.leans else details
                scores = reranker.scores(features, scores, len(own.rows), fit, details)
            parts[RETURN] = softmax(scores)

    def _trust(self, query: Query, heard: BoolArray, place: int) -> FloatArray:
        """How far each part counts: by the visitor's segment and the evidence, the same for all without a segment."""
        if place >= 0 and query.segment is not None:
            weights = self.mixture.weights(query.segment, evidence(query))
        else:
            weights = self._both if heard[SESSION] and heard[RETURN] else self._one
        trust: FloatArray = weights * heard
        return trust

    def best(self, weighed: Weighed, allowed: BoolArray | None, k: int) -> Candidates:
        """The *k* best of the candidates by all parts together, each with what it comes from: the sources, the
        visitor's taste, and in a segment what the score leans on.

        What session neighbours alone propose is because of where the visitor's way led.
        """
        scratch, segments, own, of_all = weighed.scratch, self._sources.segments, NOBODY, NOBODY
        if weighed.place >= 0 and weighed.heard.any():
            own, of_all = segments.shares(weighed.place), segments.share_of_all("popular")
        rows, scores, origins, anchors = how.answer(
            weighed.parts, weighed.trust, scratch.rows[: scratch.count], scratch.columns[: scratch.count],
            scratch.anchor, EVERYTHING if allowed is None else allowed, k, HEARD_FROM,
            weighed.way[-1] if weighed.way else -1, BIT["session-neighbours"], NAMING, own, of_all, weighed.drawn,
            DRAWN, BIT["affinity"],
        )  # fmt: skip
        return Candidates(rows=rows, scores=scores, origins=origins, anchors=anchors, sources=SOURCES)
