"""What may be done with a visitor: from regime, signals and choice, purpose by purpose, and the level that follows.

A purpose is permitted by the first line that holds:

==================  ===========  ======================================================
who, what           purpose      permitted
==================  ===========  ======================================================
anybody             necessary    yes
a bot               any other    no
chose it            any other    as chosen, whatever the browser signals
sends GPC or DNT    any other    no
undecided           any other    where the regime is opt-out
==================  ===========  ======================================================

The level of a request is ``full`` where personalisation is permitted; else ``contextual``, unless the visitor refused
(by a choice, by a signal, or as a bot) and did not agree to functional use: then ``non-personal``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from ..ports import ConsentDecision
from ..records import ConsentLevel

REGIMES = ("opt-in", "opt-out")


class Purpose(StrEnum):
    """What for. ``FUNCTIONAL``: this page and this request, nothing kept. ``PERSONALISATION``: events and a profile.

    ``ANALYTICS`` and ``ADVERTISING`` say to whom events may be forwarded, too.
    """

    NECESSARY = "necessary"
    FUNCTIONAL = "functional"
    ANALYTICS = "analytics"
    PERSONALISATION = "personalisation"
    ADVERTISING = "advertising"


OPTIONAL = tuple(purpose for purpose in Purpose if purpose is not Purpose.NECESSARY)
Choices = Mapping[str, bool]
"""What a visitor decided, by purpose; a purpose that is not there is undecided."""
UNDECIDED: Choices = {}


def permitted(*, regime: str, choices: Choices, gpc: bool, dnt: bool, bot: bool) -> frozenset[str]:
    """The purposes for which this visitor's data may be used now.

    :param regime: ``opt-in`` or ``opt-out``
    :param gpc: the browser sends Global Privacy Control
    :param dnt: the browser sends Do Not Track
    :raises ValueError: an unknown regime
    """
    if regime not in REGIMES:
        raise ValueError(f"regime must be opt-in or opt-out, not {regime!r}")
    if bot:
        return frozenset({Purpose.NECESSARY})
    undecided = regime == "opt-out" and not (gpc or dnt)
    return frozenset(
        {Purpose.NECESSARY, *(purpose for purpose in OPTIONAL if choices.get(purpose, undecided))},
    )


def level_of(*, regime: str, choices: Choices, gpc: bool, dnt: bool, bot: bool) -> ConsentLevel:
    """The level of one request; parameters as for :func:`permitted`."""
    allowed = permitted(regime=regime, choices=choices, gpc=gpc, dnt=dnt, bot=bot)
    if Purpose.PERSONALISATION in allowed:
        return ConsentLevel.FULL
    refused = (
        bot or gpc or dnt or choices.get(Purpose.PERSONALISATION) is False or choices.get(Purpose.FUNCTIONAL) is False
    )
    agreed = not bot and choices.get(Purpose.FUNCTIONAL) is True
    return ConsentLevel.NON_PERSONAL if refused and not agreed else ConsentLevel.CONTEXTUAL


def level(*, regime: str, choice: bool | None, gpc: bool, dnt: bool, bot: bool) -> ConsentLevel:
    """The level of somebody who said yes or no to everything, or nothing yet (``None``)."""
    choices: Choices = UNDECIDED if choice is None else to_all(choice, OPTIONAL)
    return level_of(regime=regime, choices=choices, gpc=gpc, dnt=dnt, bot=bot)


def to_all(choice: bool, asked: Iterable[str]) -> dict[str, bool]:
    """A yes or no to the whole question: a yes is to what was asked, a no is to everything."""
    return {str(purpose): choice for purpose in (asked if choice else OPTIONAL)}


def on_record(decisions: Iterable[ConsentDecision]) -> dict[str, ConsentDecision]:
    """The latest decision of each purpose; *decisions* are oldest first."""
    return {decision.purpose: decision for decision in decisions}


def status(choice: bool, before: ConsentDecision | None) -> str:
    """``granted``, ``denied``, or ``revoked`` where the decision before was a yes."""
    if choice:
        return "granted"
    return "revoked" if before is not None and before.granted else "denied"


def regime_in(country: str, region: str, regimes: Mapping[str, str], default: str) -> str:
    """The regime of a place: of the region (``US-CA``), else of the country (``US``), else the default.

    A place that is unknown has the default, which for a shop that sells to Europe is opt-in.
    """
    places = (f"{country}-{region}" if region else "", country)
    return next((regimes[place] for place in places if place in regimes), default)
