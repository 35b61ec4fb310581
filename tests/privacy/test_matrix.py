"""Every cell: signals, choice, purpose, regime of the region, and the level that follows."""

from __future__ import annotations

from itertools import product

import pytest

from mtp_plugin.ports import ConsentDecision
from mtp_plugin.privacy.consent import (
    OPTIONAL,
    Purpose,
    level,
    level_of,
    on_record,
    permitted,
    regime_in,
    status,
    to_all,
)
from mtp_plugin.records import ConsentLevel

FULL, CONTEXTUAL, NON_PERSONAL = ConsentLevel.FULL, ConsentLevel.CONTEXTUAL, ConsentLevel.NON_PERSONAL
SIGNALS = list(product((False, True), repeat=3))
REGIMES = {"DE": "opt-in", "FR": "opt-in", "US": "opt-out", "US-CO": "opt-in"}
REGIONS = (("DE", "BE"), ("US", "CA"), ("US", "CO"), ("", ""), ("JP", "13"))
HOLDS = ("opt-in", "opt-out", "opt-in", None, None)
"""The regime of each region, ``None`` the default."""
CHOICES = list(product((None, True, False), repeat=len(OPTIONAL)))
"""Every way to have decided about four purposes: 81."""


@pytest.mark.parametrize("default", ["opt-in", "opt-out"])
@pytest.mark.parametrize(("region", "holds"), list(zip(REGIONS, HOLDS, strict=True)))
def test_every_cell(region: tuple[str, str], holds: str | None, default: str) -> None:
    regime = regime_in(*region, REGIMES, default)
    assert regime == (holds or default)
    for (gpc, dnt, bot), answers in product(SIGNALS, CHOICES):
        choices = {name.value: yes for name, yes in zip(OPTIONAL, answers, strict=True) if yes is not None}
        situation = {"regime": regime, "choices": choices, "gpc": gpc, "dnt": dnt, "bot": bot}
        allowed = permitted(**situation)
        for purpose in Purpose:
            assert (purpose in allowed) is expected(purpose, **situation), (purpose, situation)
        assert level_of(**situation) is expected_level(**situation), situation


def expected(purpose, *, regime, choices, gpc, dnt, bot):
    """The table in words, one line after the other."""
    if purpose == "necessary":
        return True
    if bot:
        return False
    if purpose in choices:
        return choices[purpose]
    if gpc or dnt:
        return False
    return regime == "opt-out"


def expected_level(*, regime, choices, gpc, dnt, bot):
    personal, functional = choices.get("personalisation"), choices.get("functional")
    if bot:
        return NON_PERSONAL
    if personal is True:
        return FULL
    if personal is None and not gpc and not dnt and regime == "opt-out":
        return FULL
    if functional is True:
        return CONTEXTUAL
    if personal is False or functional is False or gpc or dnt:
        return NON_PERSONAL
    return CONTEXTUAL


@pytest.mark.parametrize("choice", [True, False, None])
@pytest.mark.parametrize("regime", ["opt-in", "opt-out"])
@pytest.mark.parametrize("asked", [("functional", "personalisation"), tuple(OPTIONAL)])
def test_one_word_for_everything_is_the_same_as_each_alone(choice, regime, asked):
    for gpc, dnt, bot in SIGNALS:
        choices = {} if choice is None else to_all(choice, asked)
        both = level_of(regime=regime, choices=choices, gpc=gpc, dnt=dnt, bot=bot)
        assert both is level(regime=regime, choice=choice, gpc=gpc, dnt=dnt, bot=bot)


def test_a_yes_is_to_what_was_asked_and_a_no_to_everything():
    assert to_all(True, ("personalisation",)) == {"personalisation": True}
    assert to_all(False, ("personalisation",)) == dict.fromkeys(map(str, OPTIONAL), False)


def decided(purpose, granted):
    return ConsentDecision(
        subject_id="a:1", purpose=purpose, granted=granted, policy_version="1", decided_at=1.0, source="banner"
    )


def test_a_no_after_a_yes_is_a_revocation():
    held = on_record([decided("analytics", False), decided("analytics", True), decided("functional", False)])
    assert status(False, held.get("analytics")) == "revoked"
    assert status(False, held.get("functional")) == "denied"
    assert status(False, held.get("advertising")) == "denied"
    assert status(True, held.get("functional")) == "granted"
