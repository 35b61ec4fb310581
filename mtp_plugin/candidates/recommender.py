"""The recommender that serves, and that ``evaluate`` measures: nine strategies over one set of sources."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from ..compiled import HAS_NUMBA
from ..errors import InputError
from ..ports import Bundle, Likelihood
from ..records import (
    BoolArray,
    Candidates,
    FloatArray,
    IntArray,
    ProductTable,
    Profile,
    Purchase,
    Query,
    SegmentRef,
    Strategy,
)
from . import basket_expert, best_kernels, plain, session_expert
from .basket_details import complete_details
from .blend import Expert, softmax
from .feedback import Feedback
from .leanings import Asker, Details
from .likely import LikelyToBuy
from .loudest import EVERYTHING
from .mixture import Mixture
from .origins import BIT, HEARD_FROM, SOURCES
from .own import bought, due, latest_first
from .personal import Personal
from .reranker import load_rerankers
from .scratch import Scratch
from .sources import Sources

how = best_kernels if HAS_NUMBA else plain
NO_FEEDBACK = Feedback()


class NothingIsLikely:
    """Before there is a model: nothing is told."""

    category: IntArray = np.zeros(0, dtype=np.int32)

    def __bool__(self) -> bool:
        return False

    def products(self, profile: Profile, rows: IntArray, now: float) -> FloatArray:
        """NaN for all."""
        return np.full(len(rows), np.nan)

    def categories(self, profile: Profile, now: float) -> FloatArray:
        """None."""
        return np.zeros(0)


NOTHING_IS_LIKELY = NothingIsLikely()

RELATED_DEFAULTS = {**session_expert.DEFAULTS, "alike": 0.3, "alike-relative": 1.0, "is-current": -20.0, "seen": -20.0}


class Recommender:
    """Candidates for every strategy, as rows of *table*.

    :param behaviour: what ``train`` learnt; without it sessions are answered by content and affinities
    :param content: what ``train_content`` learnt; without it words are compared on the fly
    :param likelihood: tells purchases; without it nothing is known to be likely
    :param feedback: what was learnt from slates; without it candidates stand as the sources have them
    :raises mtp_plugin.errors.ModelError: a bundle that this code cannot read
    """

    def __init__(
        self,
        table: ProductTable,
        behaviour: Bundle | None = None,
        content: Bundle | None = None,
        *,
        likelihood: Likelihood = NOTHING_IS_LIKELY,
        feedback: Feedback = NO_FEEDBACK,
    ) -> None:
        self.table, self._likelihood, self.feedback = table, likelihood, feedback
        self.sources = Sources(table, behaviour, content)
        learnt = self.sources.meta.get("experts", {})
        self.session_expert = Expert(
            session_expert.FEATURES, session_expert.DEFAULTS, session_expert.BUCKETS, learnt.get("session")
        )
        self.related_expert = Expert(session_expert.FEATURES, RELATED_DEFAULTS, 1, None)
        self.return_expert = Expert(
            basket_expert.RETURN_FEATURES, basket_expert.RETURN_DEFAULTS, basket_expert.RETURN_BUCKETS,
            learnt.get("return"),
        )  # fmt: skip
        self.complete_expert = Expert(
            basket_expert.COMMON, basket_expert.COMPLETE_DEFAULTS, basket_expert.COMPLETE_BUCKETS,
            learnt.get("complete"),
        )  # fmt: skip
        mixture = Mixture(self.sources.meta.get("mixture"))
        experts = {"session": self.session_expert, "return": self.return_expert, "complete": self.complete_expert}
        # What was learnt over other features than this code makes is no use to the trees, either.
        self.rerankers = {task: one for task, one in load_rerankers(behaviour).items() if experts[task].learnt}
        self.likely = LikelyToBuy(likelihood, table, self.sources.popularity)
        self.personal = Personal(self.sources, self.session_expert, self.return_expert, mixture, self.rerankers)

    def candidates(self, strategy: str, query: Query, k: int) -> Candidates:
        """The *k* best rows, fewer if there are not so many.

        :param strategy: one of :class:`~mtp_plugin.records.Strategy`
        :param k: 1 or more
        :raises InputError: no such strategy
        """
        find = STRATEGIES.get(strategy)
        if find is None:
            raise InputError(f"there is no strategy {strategy!r}", field="strategy")
        if not len(self.table) or k < 1:
            return _none()
        found, weights = find(self, query, self._allowed(query), k), self.feedback.weights.get(strategy)
        if weights is None or query.profile is None:
            return found  # slates of visitors who agreed taught it, and it is for them
        told = self._likelihood.products(query.profile, found.rows, query.now) if weights.ask else None
        return self.feedback.reordered(strategy, found, told)

    def warm(self) -> None:
        """Compile the kernels, or fetch them from the disk cache, before the first visitor needs them."""
        if not len(self.table):
            return
        known = self.sources.neighbours or self.sources.users or self.sources.baskets
        row = int(np.argmax(self.sources.rankings["popular"].scores)) if known else 0
        for profile, segment in ((None, None), (_known(self.table.products[row].product_id), self._some_segment())):
            query = Query(now=0.0, session=(row,), in_view=(row,), cart=(row,), profile=profile, segment=segment)
            for strategy in Strategy:
                self.candidates(strategy, query, 4)

    def _some_segment(self) -> SegmentRef | None:
        known = self.sources.segments.known
        return SegmentRef(known[0], "", 1.0) if known else None

    def _allowed(self, query: Query) -> BoolArray | None:
        if query.category < 0:
            return query.eligible
        within = self.sources.within(query.category)
        return within if query.eligible is None else within & query.eligible

    # -------------------------------------------------------------------------------------------- blended

    def _personal(self, query: Query, allowed: BoolArray | None, k: int) -> Candidates:
        weighed = self.personal.weigh(query, allowed)
        if weighed is None:
            return self._of_segment(query, allowed, k)
        found = self.personal.best(weighed, allowed, k)
        return self._top_up(found, query, allowed, k)

    def _related(self, query: Query, allowed: BoolArray | None, k: int) -> Candidates:
        way = query.in_view or query.session[-1:] or query.history[-1:]
        if not way:
            return _none()
        scratch = self.sources.scratch()
        rows, steps = session_expert.gather(self.sources, scratch, way, EVERYTHING if allowed is None else allowed)
        _, _, scores = session_expert.said(self.sources, scratch, rows, steps, way, self.related_expert.weights(0))
        scores[scratch.slot[rows]] = 0.0
        return _best(scratch, scores, allowed, k, way)

    def _together(self, query: Query, allowed: BoolArray | None, k: int) -> Candidates:
        anchors = query.cart + query.in_view or query.session[-1:]
        if not anchors:
            return _none()
        scratch = self.sources.scratch()
        rows, _ = latest_first(anchors)
        basket_expert.gather_complete(self.sources, scratch, rows, EVERYTHING if allowed is None else allowed)
        features = basket_expert.complete_features(self.sources, scratch)
        scores = self.complete_expert.scores(features, basket_expert.complete_bucket(len(rows)))
        reranker = self.rerankers.get("complete")
        if reranker is not None:
            fit = np.ones(scratch.count, dtype=np.bool_)
            fit[scratch.slot[rows]] = False
            if allowed is not None:
                fit &= allowed[scratch.rows[: scratch.count]]
            details: Details = partial(complete_details, self.sources, scratch, rows)
            if reranker.leans:
                details = self.sources.leanings.beside(details, scratch, Asker.of(query))
            scores = reranker.scores(features, scores, len(rows), fit, details)
        scores = softmax(scores)
        scores[scratch.slot[rows]] = 0.0
        return _best(scratch, scores, allowed, k)

    def _top_up(self, found: Candidates, query: Query, allowed: BoolArray | None, k: int) -> Candidates:
        """Fill up with popular rows (a fresh shop: newest, categories in turn), scored below all others."""
        missing = k - len(found)
        if missing <= 0:
            return found
        more = self._ranked("popular", query.segment, allowed, k + len(found))
        new = np.flatnonzero(~np.isin(more.rows, found.rows))[:missing]
        rows = more.rows[new]
        floor = float(found.scores.min()) if len(found) else 1.0
        scores = floor * 0.99 / (1.0 + np.arange(len(rows)))
        return Candidates(
            rows=np.concatenate((found.rows, rows)),
            scores=np.concatenate((found.scores, scores.astype(np.float32))),
            origins=np.concatenate((found.origins, more.origins[new])),
            anchors=np.concatenate((found.anchors, np.full(len(rows), -1, dtype=np.int32))),
            sources=SOURCES,
        )

    # -------------------------------------------------------------------------------------------- ranked

    def _of_segment(self, query: Query, allowed: BoolArray | None, k: int) -> Candidates:
        """What is popular within the segment, where nothing else is known; nothing without a segment."""
        if self.sources.segments.place(query.segment) < 0:
            return _none()
        return self._ranked("popular", query.segment, allowed, k)

    def _ranked(self, name: str, segment: SegmentRef | None, allowed: BoolArray | None, k: int) -> Candidates:
        if segment is not None and self.sources.segments.place(segment) >= 0:
            rows, scores, lifted = self.sources.segments.top(segment, name, k, allowed)
            found = _candidates(rows, scores, BIT[name])
            found.origins[lifted] |= BIT["segment-top"]
            return found
        ranking = self.sources.rankings[name]
        rows = ranking.top(k, allowed)
        source = name if self.sources.rankings.known else "newest"
        return _candidates(rows, ranking.scores[rows], BIT[source])

    def _trending(self, query: Query, allowed: BoolArray | None, k: int) -> Candidates:
        return self._ranked("trending", query.segment, allowed, k)

    def _best_sellers(self, query: Query, allowed: BoolArray | None, k: int) -> Candidates:
        return self._ranked("best-sellers", query.segment, allowed, k)

    def _recently_viewed(self, query: Query, allowed: BoolArray | None, k: int) -> Candidates:
        rows, _ = latest_first(query.history + query.session, limit=1000)
        if allowed is not None:
            rows = rows[allowed[rows]]
        return _candidates(rows[:k], 1.0 / (1.0 + np.arange(len(rows[:k]))), BIT["recent"])

    def _buy_again(self, query: Query, allowed: BoolArray | None, k: int) -> Candidates:
        own = bought(query.profile, self.table.index)
        if own is None:
            return _none()
        worth = due(own, self.sources.rhythm, query.now)
        order = np.argsort(-worth, kind="stable")
        if allowed is not None:
            order = order[allowed[own.rows[order]]]
        return _candidates(own.rows[order[:k]], worth[order[:k]], BIT["buy-again"])

    def _on_sale(self, query: Query, allowed: BoolArray | None, k: int) -> Candidates:
        reduced = self.table.on_sale(query.now)
        reduced = reduced if allowed is None else reduced & allowed
        rows = np.flatnonzero(reduced).astype(np.int32)
        scores = 1.0 + self.sources.popularity[rows]
        if query.profile is not None and len(rows):
            taste = self.sources.affinity.of(query.profile)
            scores = scores * (1.0 + 4.0 * self.sources.affinity.scores(taste, rows))
        with np.errstate(divide="ignore", invalid="ignore"):
            off = 1.0 - self.table.sale_price[rows] / self.table.price[rows]
        scores = scores * (1.0 + np.nan_to_num(off, nan=0.0, posinf=0.0, neginf=0.0))
        best = np.argsort(-scores, kind="stable")[:k]
        return _candidates(rows[best], scores[best], BIT["on-sale"])

    def _likely_to_buy(self, query: Query, allowed: BoolArray | None, k: int) -> Candidates:
        return _candidates(*self.likely(query, allowed, k), BIT["likely-to-buy"])


def _known(product_id: str) -> Profile:
    """Somebody of whom there is something to know of each kind."""
    bought_once = Purchase(product_id=product_id, quantity=1.0, orders=1, first=0.0, last=0.0)
    return Profile(profile_id="", affinities={"category": {"": 1.0}}, purchases=(bought_once,), orders=1)


STRATEGIES: dict[str, Callable[[Recommender, Query, BoolArray | None, int], Candidates]] = {
    Strategy.RECOMMENDED_FOR_YOU: Recommender._personal,
    Strategy.RELATED_PRODUCTS: Recommender._related,
    Strategy.FREQUENTLY_BOUGHT_TOGETHER: Recommender._together,
    Strategy.TRENDING_ITEMS: Recommender._trending,
    Strategy.BEST_SELLERS: Recommender._best_sellers,
    Strategy.RECENTLY_VIEWED: Recommender._recently_viewed,
    Strategy.BUY_IT_AGAIN: Recommender._buy_again,
    Strategy.ON_SALE: Recommender._on_sale,
    Strategy.LIKELY_TO_BUY: Recommender._likely_to_buy,
}
"""What answers each. Methods bound to a recommender would hold it in a circle, and what it maps until the next full
collection of garbage."""


def _none() -> Candidates:
    return _candidates(np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float32), 0)


def _candidates(rows: IntArray, scores: FloatArray, origin: int) -> Candidates:
    return Candidates(
        rows=rows.astype(np.int32),
        scores=scores.astype(np.float32),
        origins=np.full(len(rows), origin, dtype=np.int64),
        anchors=np.full(len(rows), -1, dtype=np.int32),
        sources=SOURCES,
    )


def _best(
    scratch: Scratch, scores: FloatArray, allowed: BoolArray | None, k: int, way: tuple[int, ...] = ()
) -> Candidates:
    """The *k* best of the collected rows that are allowed and score above 0.

    What session neighbours alone propose is because of where the *way* led.
    """
    _, rows, values, origins, anchors = how.chosen(
        scores, scratch.rows[: scratch.count], scratch.columns[: scratch.count], scratch.anchor,
        EVERYTHING if allowed is None else allowed, 0.0, k, *HEARD_FROM, way[-1] if way else -1,
        BIT["session-neighbours"],
    )  # fmt: skip
    return Candidates(rows=rows, scores=values, origins=origins, anchors=anchors, sources=SOURCES)
