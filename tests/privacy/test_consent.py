"""Every cell of the table of consent levels."""

from __future__ import annotations

from itertools import product

import pytest

from mtp_plugin.privacy.consent import level
from mtp_plugin.records import ConsentLevel

FULL, CONTEXTUAL, NON_PERSONAL = ConsentLevel.FULL, ConsentLevel.CONTEXTUAL, ConsentLevel.NON_PERSONAL

# (regime, choice, signal) of somebody who is no bot.
CELLS = {
    ("opt-in", True, False): FULL,
    ("opt-in", True, True): FULL,
    ("opt-in", False, False): NON_PERSONAL,
    ("opt-in", False, True): NON_PERSONAL,
    ("opt-in", None, False): CONTEXTUAL,
    ("opt-in", None, True): NON_PERSONAL,
    ("opt-out", True, False): FULL,
    ("opt-out", True, True): FULL,
    ("opt-out", False, False): NON_PERSONAL,
    ("opt-out", False, True): NON_PERSONAL,
    ("opt-out", None, False): FULL,
    ("opt-out", None, True): NON_PERSONAL,
}


@pytest.mark.parametrize(
    ("regime", "choice", "gpc", "dnt", "bot"),
    list(product(("opt-in", "opt-out"), (True, False, None), (False, True), (False, True), (False, True))),
)
def test_every_cell(regime, choice, gpc, dnt, bot):
    expected = NON_PERSONAL if bot else CELLS[regime, choice, gpc or dnt]
    assert level(regime=regime, choice=choice, gpc=gpc, dnt=dnt, bot=bot) is expected


@pytest.mark.parametrize("regime", ["", "OPT-IN", "none"])
def test_an_unknown_regime_is_refused(regime):
    with pytest.raises(ValueError, match="opt-in or opt-out"):
        level(regime=regime, choice=True, gpc=False, dnt=False, bot=False)
