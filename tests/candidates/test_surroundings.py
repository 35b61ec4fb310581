"""What was around visitors, as a log keeps it: one code a session, through joining, erasure and a bundle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mtp_plugin.candidates.forget import forget
from mtp_plugin.candidates.learn.leanings import EXPECTED, leaning_arrays
from mtp_plugin.candidates.learn.segment_rankings import FEWEST
from mtp_plugin.candidates.log import TrainingLog, owner
from mtp_plugin.candidates.recount import log_of as log_in
from mtp_plugin.candidates.surroundings import MOST, SurroundingCodes, by_session
from mtp_plugin.candidates.train import train
from mtp_plugin.records import NOWHERE, Interactions, Surroundings

from .shop import bundle, table

PHONE, DESK, TABLET = (Surroundings(device=one, country="DE") for one in ("mobile", "desktop", "tablet"))
Seen = tuple[str, float, str, Surroundings]


def told(*seen: Seen) -> Interactions:
    visitors, times, items, around = zip(*seen, strict=True)
    return Interactions(visitors, ["Product Viewed"] * len(seen), times, [1] * len(seen), items, around)


def read(*seen: Seen, items: tuple[str, ...] = ()) -> TrainingLog:
    return TrainingLog.from_interactions([told(one) for one in seen], items=items)


def by_row(log: TrainingLog) -> list[tuple[float, Surroundings]]:
    """Time and surroundings of each row."""
    return list(zip(log.time.tolist(), log.surroundings(np.arange(len(log))), strict=True))


def test_a_session_has_the_first_that_is_known() -> None:
    log = read(("u:1", 2.0, "b", PHONE), ("u:1", 1.0, "a", NOWHERE), ("u:1", 3.0, "c", DESK), ("u:1", 9e6, "c", DESK))
    assert by_row(log) == [(1.0, PHONE), (2.0, PHONE), (3.0, PHONE), (9e6, DESK)]
    assert log.around[0].dtype == np.int16


def test_where_nothing_is_known_nothing_is_kept() -> None:
    nothing = Interactions(["u:1"], ["Product Viewed"], [1.0], [1], ["a"])
    for log in (read(("u:1", 1.0, "a", NOWHERE)), TrainingLog.from_interactions([nothing])):
        assert not len(log.around[0])
        assert "log_around" not in log.arrays()
        assert by_row(log) == [(1.0, NOWHERE)]
    assert not len(log.joined(read(("u:2", 2.0, "a", NOWHERE), items=log.items)).around[0])


def test_a_longer_log_keeps_both() -> None:
    """Sessions are cut anew, one that goes on among them; either may know nothing."""
    first = read(("u:1", 1.0, "a", NOWHERE), ("u:2", 9e5, "a", PHONE))
    more = read(("u:1", 60.0, "b", DESK), ("u:2", 9e5 + 1, "b", TABLET), ("u:3", 9e6, "c", PHONE), items=first.items)
    whole = [(1.0, DESK), (60.0, DESK), (9e5, PHONE), (9e5 + 1, PHONE), (9e6, PHONE)]
    assert by_row(first.joined(more)) == whole
    assert by_row(first.take(slice(0, 0)).joined(more)) == [(60.0, DESK), (9e5 + 1, TABLET), (9e6, PHONE)]
    plain = TrainingLog.from_interactions([told(("u:3", 5.0, "a", NOWHERE))], items=first.items)
    assert by_row(first.joined(plain)) == [(1.0, NOWHERE), (5.0, NOWHERE), (9e5, PHONE)]


def test_a_bundle_keeps_it() -> None:
    log = read(("u:1", 1.0, "p001", PHONE), ("u:2", 2.0, "p002", DESK))
    assert by_row(log_in(bundle("behaviour", train(log, table=table())))) == by_row(log)


def test_whoever_is_erased_leaves_nothing_of_it() -> None:
    log = read(("u:1", 1.0, "p001", PHONE), ("u:2", 2.0, "p002", TABLET), ("u:3", 3.0, "p002", DESK))
    trained = bundle("behaviour", train(log, table=table()))
    arrays = forget(trained, ["u:2"])
    rest = TrainingLog.from_arrays(arrays, trained.strings["items"], timed=True)
    assert by_row(rest) == [(1.0, PHONE), (3.0, DESK)]
    assert TABLET not in rest.around[1]
    assert owner("u:2") not in rest.owners.tolist()


def test_no_more_kinds_are_told_apart_than_two_bytes_hold() -> None:
    codes = SurroundingCodes()
    many = [Surroundings(country=f"{number}") for number in range(MOST + 5)]
    found = codes.of(many)
    assert found.max() < MOST < 2**15
    assert len(set(found.tolist())) == MOST, "one of them unknown"
    kept, known = by_session(found, np.arange(len(many)), codes)
    assert [known[code] for code in kept[:3].tolist()] == many[:3]


def crowd(visitors: int, around: Sequence[Surroundings]) -> TrainingLog:
    """Visitor after visitor has the next of *around*, and looks once at a product of the category of that place."""
    return read(*((f"u:{n}", 1e6 * n, f"p{n % len(around)}", around[n % len(around)]) for n in range(visitors)))


def test_lifts_are_what_was_done_over_what_was_expected() -> None:
    log = crowd(10 * FEWEST, (PHONE, DESK))
    found = leaning_arrays(log, np.arange(2, dtype=np.int32))["leaning_lifts"]
    each = 5 * FEWEST
    more, none = np.log((2 * each + 2 * EXPECTED) / (each + 2 * EXPECTED)), np.log(EXPECTED / (each / 2 + EXPECTED))
    np.testing.assert_allclose(found, [[more, none], [none, more], [0.0, 0.0]], rtol=1e-6)


def test_what_few_visitors_have_is_told_of_nobody() -> None:
    for visitors, known in ((2 * FEWEST, 3), (2 * FEWEST - 2, 1)):
        found = leaning_arrays(crowd(visitors, (PHONE, DESK)), np.arange(2, dtype=np.int32))
        assert len(found["leaning_lifts"]) == known, "the country, and devices if there are enough"


def test_a_log_without_categories_leans_nowhere() -> None:
    log = crowd(100, (PHONE, DESK))
    assert leaning_arrays(log, np.full(2, -1, dtype=np.int32)) == {}
    assert leaning_arrays(replace(log, around=(np.zeros(0, dtype=np.int16), ())), np.arange(2, dtype=np.int32)) == {}
