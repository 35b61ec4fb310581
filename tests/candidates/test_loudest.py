"""Of too many candidates the loudest stay."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtp_plugin.candidates import basket_expert, loudest, session_expert
from mtp_plugin.candidates.loudest import EVERYTHING, keep_loudest
from mtp_plugin.candidates.own import Bought
from mtp_plugin.candidates.scratch import Scratch
from mtp_plugin.candidates.sources import COLUMNS, Sources
from mtp_plugin.compiled import HAS_NUMBA
from mtp_plugin.records import BoolArray

from .shop import DAY as DAY_S
from .shop import recommender, table

N = 24
WHICH = np.array((0, 2, 5))


class Popular:
    """As much of :class:`Sources` as is asked: products 0 to 23, the first the most popular."""

    popularity = (np.arange(N, 0, -1) / N).astype(np.float32)


def _filled(votes: list[list[int]]) -> Scratch:
    scratch = Scratch(N, 1, len(COLUMNS))
    scratch.begin()
    scratch.add(np.arange(len(votes), dtype=np.int32)[::-1].copy())
    scratch.columns[: len(votes), WHICH] = votes
    return scratch


def _kept(votes: list[list[int]], given_first: int, enough: int, allowed: BoolArray) -> Scratch:
    scratch = _filled(votes)
    keep_loudest(Popular, scratch, given_first, enough, WHICH, allowed)  # type: ignore[arg-type]
    return scratch


@given(
    st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=1, max_size=N),
    st.integers(0, 4),
    st.integers(1, 12),
    st.lists(st.booleans(), min_size=N, max_size=N) | st.none(),
)
def test_compiled_and_plain_keep_the_same(
    votes: list[list[int]], given_first: int, enough: int, open_to: list[bool] | None
) -> None:
    if not HAS_NUMBA:
        pytest.skip("numba can't be imported")
    allowed = EVERYTHING if open_to is None else np.array(open_to)
    given_first = min(given_first, len(votes))
    compiled = _kept(votes, given_first, enough, allowed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loudest, "HAS_NUMBA", False)
        plain = _kept(votes, given_first, enough, allowed)
    for scratch in (compiled, plain):
        rows = scratch.rows[: scratch.count]
        assert scratch.slot[rows].tolist() == list(range(scratch.count))
        assert np.flatnonzero(scratch.mark == scratch.epoch).tolist() == sorted(rows.tolist())
    assert compiled.rows[: compiled.count].tolist() == plain.rows[: plain.count].tolist()
    assert np.array_equal(compiled.columns[: compiled.count], plain.columns[: plain.count])
    assert compiled.count == min(len(votes), given_first + enough)


def test_the_loudest_stay_in_their_order() -> None:
    votes = [[place % 7, 0, 0] for place in range(N)]
    scratch = _kept(votes, 2, 3, EVERYTHING)
    rows = scratch.rows[: scratch.count].tolist()
    assert rows == [23, 22, 10, 4, 3], "two are given, then those with most votes and popularity together"


def test_what_may_not_be_shown_goes_first() -> None:
    votes = [[place, 0, 0] for place in range(N)]
    allowed = np.arange(N) < 4
    scratch = _kept(votes, 0, 4, allowed)
    assert sorted(scratch.rows[: scratch.count].tolist()) == [0, 1, 2, 3]


def test_of_a_session_the_loudest_that_may_be_shown_are_weighed(monkeypatch: pytest.MonkeyPatch) -> None:
    sources: Sources = recommender().sources
    way = (3, 5)
    scratch = sources.scratch()
    session_expert.gather(sources, scratch, way)
    every = scratch.rows[: scratch.count].copy()
    allowed = np.zeros(len(table()), dtype=np.bool_)
    allowed[every[-4:]] = True
    monkeypatch.setattr(session_expert, "ENOUGH", 4)
    scratch = sources.scratch()
    session_expert.gather(sources, scratch, way, allowed)
    few = scratch.rows[: scratch.count].tolist()
    assert few[:2] == [5, 3], "the session's own stay"
    assert sorted(few[2:]) == sorted(every[-4:].tolist())


def test_of_a_customer_and_a_basket_too(monkeypatch: pytest.MonkeyPatch) -> None:
    sources: Sources = recommender().sources
    own = Bought(np.array([3, 90]), np.ones(2), np.ones(2), np.zeros(2), np.full(2, DAY_S), 2)
    asked = {
        "return": lambda scratch, *allowed: basket_expert.gather_return(sources, scratch, own, 40 * DAY_S, *allowed),
        "complete": lambda scratch, *allowed: basket_expert.gather_complete(sources, scratch, own.rows, *allowed),
    }
    for gather in asked.values():
        monkeypatch.setattr(basket_expert, "ENOUGH", 200)
        scratch = sources.scratch()
        gather(scratch)
        quiet = scratch.rows[: scratch.count][-4:].copy()
        allowed = np.zeros(len(table()), dtype=np.bool_)
        allowed[quiet] = True
        monkeypatch.setattr(basket_expert, "ENOUGH", 4)
        scratch = sources.scratch()
        gather(scratch, allowed)
        few = scratch.rows[: scratch.count].tolist()
        assert few[:2] == [3, 90], "the customer's own stay"
        assert sorted(few[2:]) == sorted(quiet.tolist())
