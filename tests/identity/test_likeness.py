"""What likeness says of pairs, and which pairs it is asked about."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mtp_plugin.identity.likeness import Trace, bits, pairs_by_product, probability

VISITORS = {"rare-1": 2, "rare-2": 3, "best-seller": 9000}
TOTAL = 10_000


def sure(a: Trace, b: Trace) -> float:
    return probability(bits(a, b, VISITORS, TOTAL), TOTAL)


def test_rare_products_say_more_than_best_sellers() -> None:
    rare, common = Trace(products=frozenset({"rare-1", "rare-2"})), Trace(products=frozenset({"best-seller"}))
    assert sure(rare, rare) > 0.5 > 0.01 > sure(common, common)
    assert sure(rare, common) == sure(Trace(), Trace()) == round(1 / TOTAL, 6)


def test_each_thing_that_agrees_adds() -> None:
    base = {"products": frozenset({"rare-1"})}
    places = {"city": frozenset({"Kiel"}), "country": frozenset({"DE"}), "locale": frozenset({"de"})}
    elsewhere = {**places, "city": frozenset({"Ulm"})}
    alone, alike = Trace(**base), Trace(**base, places=places, taste={"cups": 1.0}, hours={"8": 6})
    other = Trace(**base, places=elsewhere, taste={"lamps": 1.0}, hours={"23": 6})
    assert sure(alike, alike) > sure(alone, alone) > sure(alike, other)


def test_two_devices_at_once_speak_against_one_person() -> None:
    one, other = Trace(minutes=frozenset({1, 2, 3})), Trace(minutes=frozenset({7}))
    assert bits(one, one, {}, 10)["together"] < 0 < bits(one, other, {}, 10)["together"]


traces = st.builds(
    Trace,
    products=st.frozensets(st.sampled_from(sorted(VISITORS))),
    taste=st.dictionaries(st.sampled_from("abc"), st.floats(0.1, 9)),
    hours=st.dictionaries(st.sampled_from("123"), st.integers(1, 9)),
    places=st.dictionaries(st.sampled_from(("city", "locale")), st.frozensets(st.sampled_from("xy"), min_size=1)),
    minutes=st.frozensets(st.integers(0, 5)),
)


@given(traces, traces)
def test_likeness_is_mutual_and_a_probability(a: Trace, b: Trace) -> None:
    assert bits(a, b, VISITORS, TOTAL) == bits(b, a, VISITORS, TOTAL)
    assert 0 <= sure(a, b) <= 1


def test_pairs_are_those_of_rare_products() -> None:
    met = {"all": ["a", "b", "c", "d"], "two": ["d", "a"], "three": ["b", "c", "a"]}
    assert pairs_by_product(met, 3, 100) == [("a", "d"), ("a", "b"), ("a", "c"), ("b", "c")]
    assert pairs_by_product(met, 3, 2) == [("a", "d"), ("a", "b")]
    assert pairs_by_product(met, 1, 100) == []
