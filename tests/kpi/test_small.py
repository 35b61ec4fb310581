"""No day of a small group follows from a sum and the days and groups that are told."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mtp_plugin.kpi.small import held_back

cells = st.dictionaries(st.tuples(st.sampled_from("abc"), st.integers(1, 5)), st.integers(1, 30), max_size=15)


@given(slates=cells, least=st.integers(1, 20))
def test_none_is_alone(slates: dict[tuple[str, int], int], least: int) -> None:
    few = {cell for cell, count in slates.items() if count < least}
    hidden = held_back(few, slates)
    assert few <= hidden <= slates.keys()
    assert hidden or not few
    for place in range(2):
        for name in {cell[place] for cell in slates}:
            line = {cell for cell in slates if cell[place] == name}
            assert len(line & hidden) != 1 or len(line) == 1


def test_where_nobody_is_few_all_is_told() -> None:
    assert held_back(set(), {("a", 1): 1.0, ("b", 1): 1.0}) == set()
