"""The blend for one visitor: what the session at hand, the past, affinities and the segment make of the candidates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..records import BoolArray, Candidates, FloatArray, IntArray, Query
from . import basket_expert, session_expert
from .basket_details import return_details
from .blend import Expert, softmax
from .loudest import EVERYTHING
from .mixture import CONTENT as LIKENESS
from .mixture import PARTS, Mixture, evidence
from .origins import BIT
from .own import Bought, bought
from .reranker import Details, Reranker
from .scratch import Scratch
from .session_details import session_details
from .sources import ALIKE, CONTENT, Sources

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


@dataclass(frozen=True, slots=True, eq=False)
class Weighed:
    """The candidates in *scratch* with what each part of the blend makes of them.

    ``parts`` are probabilities of shape ``(scratch.count,)`` by name, ``trust`` how far each counts. ``way`` led the
    visitor here, ``drawn`` is how much each candidate is to the visitor's taste.
    """

    scratch: Scratch
    way: tuple[int, ...]
    parts: dict[str, FloatArray]
    trust: dict[str, float]
    drawn: FloatArray | None

    def mixed(self) -> FloatArray:
        """The parts mixed, shape ``(scratch.count,)``."""
        mixed: FloatArray | None = None
        for name, trust in self.trust.items():
            said = np.float32(trust) * self.parts[name]
            mixed = said if mixed is None else mixed + said
        return np.zeros(self.scratch.count, dtype=np.float32) if mixed is None else mixed

    def said_of(self, row: int) -> dict[str, float] | None:
        """What each part makes of a row, ``None`` when it is no candidate."""
        if self.scratch.mark[row] != self.scratch.epoch:
            return None
        place = int(self.scratch.slot[row])
        return {name: float(values[place]) for name, values in self.parts.items()}


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
            basket_expert.gather_return(sources, scratch, own, query.now)
        taste = sources.affinity.of(profile) if profile is not None and profile.affinities else None
        if taste is not None:
            scratch.add(sources.affinity.propose(taste))
        if scratch.count == 0:
            return None
        place = sources.segments.place(query.segment)
        if place >= 0:
            scratch.add(sources.segments.order(place)[:FAVOURITES])
        drawn = sources.affinity.scores(taste, scratch.rows[: scratch.count]) if taste is not None else None
        parts = self._behaviour(query, scratch, way, at_hand, own, allowed) | self._likeness(scratch, drawn, place)
        return Weighed(scratch, way, parts, self._trust(query, parts, place), drawn)

    def _behaviour(
        self, query: Query, scratch: Scratch, way: tuple[int, ...], at_hand: tuple[IntArray, IntArray] | None,
        own: Bought | None, allowed: BoolArray | None,
    ) -> dict[str, FloatArray]:  # fmt: skip
        """What the experts say, ordered anew where that is better."""
        sources, parts = self._sources, {}
        fit = allowed[scratch.rows[: scratch.count]] if allowed is not None and self._rerankers else None
        if at_hand is not None:
            features = session_expert.features(sources, scratch, *at_hand, way)
            scores = self._session.scores(features, session_expert.bucket(len(at_hand[0])))
            details: Details = partial(session_details, sources, scratch, at_hand[0], way)
            parts["session"] = softmax(self._anew("session", features, scores, len(at_hand[0]), fit, details))
        if own is not None:
            features = basket_expert.return_features(sources, scratch, own, query.now)
            scores = self._customer.scores(features, basket_expert.return_bucket(own))
            details = partial(return_details, sources, scratch, own, query.now)
            parts["return"] = softmax(self._anew("return", features, scores, len(own.rows), fit, details))
        return parts

    def _anew(
        self, task: str, features: FloatArray, scores: FloatArray, known: int, fit: BoolArray | None, details: Details
    ) -> FloatArray:
        reranker = self._rerankers.get(task)
        return reranker.scores(features, scores, known, fit, details) if reranker is not None else scores

    def _likeness(self, scratch: Scratch, drawn: FloatArray | None, place: int) -> dict[str, FloatArray]:
        """What affinities say; and with a segment, at *place*, what products alike and the segment say."""
        sources, rows = self._sources, scratch.rows[: scratch.count]
        votes = {} if drawn is None else {"taste": drawn * (1.0 + sources.popularity[rows])}
        if place >= 0:
            votes["alike"] = scratch.columns[: scratch.count, (ALIKE, CONTENT)].sum(axis=1)
            votes["segment"] = sources.segments.shares(place)[rows]
        totals = {name: float(values.sum()) for name, values in votes.items()}
        return {name: values / np.float32(totals[name]) for name, values in votes.items() if totals[name] > 0}

    def _trust(self, query: Query, parts: dict[str, FloatArray], place: int) -> dict[str, float]:
        """How far each part counts: by the visitor's segment and the evidence, the same for all without a segment."""
        if place >= 0 and query.segment is not None:
            weights = self.mixture.weights(query.segment, evidence(query)).tolist()
            return {name: weight for name, weight in zip(PARTS, weights, strict=True) if name in parts}
        trained = self._session.learnt or self._customer.learnt
        both = "session" in parts and "return" in parts
        trust = {
            "session": SESSION_TRUST if both else 1.0,
            "return": 1.0 - SESSION_TRUST if both else 1.0,
            "taste": TASTE if trained else UNTRAINED_TASTE,
        }
        return {name: trust[name] for name in parts}

    def name(self, query: Query, weighed: Weighed, found: Candidates) -> None:
        """Add to the origins of what was *found*: the visitor's taste, and in a segment what the score leans on."""
        places = weighed.scratch.slot[found.rows]
        if self._sources.segments.place(query.segment) >= 0 and weighed.trust:
            self._lean(query, weighed, found, places)
        if weighed.drawn is not None:
            found.origins[weighed.drawn[places] > DRAWN] |= BIT["affinity"]

    def _lean(self, query: Query, weighed: Weighed, found: Candidates, places: IntArray) -> None:
        names = list(weighed.trust)
        said = np.array([np.float32(weighed.trust[name]) * weighed.parts[name][places] for name in names])
        total = said.sum(axis=0)
        by_content = said[[bool(LIKENESS[PARTS.index(name)]) for name in names]].sum(axis=0) > total / 2
        found.origins[by_content] |= BIT["leans-on-content"]
        found.origins[~by_content] |= BIT["leans-on-behaviour"]
        if "segment" in names:
            loud = said[names.index("segment")] > np.float32(HEARD) * total
            found.origins[loud & self._sources.segments.lifted(query.segment, found.rows)] |= BIT["segment-top"]
