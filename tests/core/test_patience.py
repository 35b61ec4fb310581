"""How long the code of a request may wait, said once and obeyed by whatever asks another process."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from mtp_plugin.patience import (
    LONGEST_S,
    hurry,
    is_awaited,
    is_bounded,
    is_patient,
    is_resent,
    left,
    patiently,
    rest,
    within,
)


@pytest.fixture
def page() -> Iterator[None]:
    hurry()
    yield
    rest()


def told() -> tuple[bool, bool, bool, bool]:
    return is_awaited(), is_patient(), is_bounded(), is_resent()


def test_outside_of_requests_everything_takes_its_time() -> None:
    assert told() == (False, True, False, False)
    with patiently(resent=True), within(0.001):
        assert told() == (False, True, False, False)
        assert left(30.0) == 30.0


@pytest.mark.usefixtures("page")
def test_a_page_waits_for_one_answer_after_the_other_until_a_block_begins() -> None:
    assert told() == (True, False, False, False)
    assert left(30.0) == 30.0
    with within(5.0):
        assert told() == (True, False, True, False)
        assert 0 < left(30.0) <= 5.0
        assert left(1.0) == 1.0, "each answer has a limit of its own"
        with within(math.inf):
            assert left(30.0) <= 5.0, "the earlier end counts"
        with within(-1.0):
            assert left(30.0) <= 0
    assert left(30.0) == 30.0


@pytest.mark.usefixtures("page")
@pytest.mark.parametrize("resent", [False, True])
def test_late_answers_are_taken_but_not_for_ever(resent: bool) -> None:
    with within(0.001), patiently(resent=resent):
        assert told() == (True, True, False, resent)
        assert left(30.0) == LONGEST_S
        with within(0.001):
            assert left(30.0) == LONGEST_S
