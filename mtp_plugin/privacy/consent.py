"""Which consent level a request has: from regime, choice and signals, and nothing else.

=========  ===========  ==============  =======================
choice     signal       regime          level
=========  ===========  ==============  =======================
(any)      bot          (any)           non-personal
granted    (any)        (any)           full
denied     (any)        (any)           non-personal
none yet   GPC or DNT   (any)           non-personal
none yet   none         opt-in          contextual
none yet   none         opt-out         full
=========  ===========  ==============  =======================
"""

from __future__ import annotations

from ..records import ConsentLevel


def level(*, regime: str, choice: bool | None, gpc: bool, dnt: bool, bot: bool) -> ConsentLevel:
    """The level of one request.

    :param regime: ``opt-in`` or ``opt-out``
    :param choice: what the visitor decided, ``None`` when nothing yet; beats the signals
    :param gpc: the browser sends Global Privacy Control
    :param dnt: the browser sends Do Not Track
    :raises ValueError: an unknown regime
    """
    if regime not in ("opt-in", "opt-out"):
        raise ValueError(f"regime must be opt-in or opt-out, not {regime!r}")
    if bot:
        return ConsentLevel.NON_PERSONAL
    if choice is not None:
        return ConsentLevel.FULL if choice else ConsentLevel.NON_PERSONAL
    if gpc or dnt:
        return ConsentLevel.NON_PERSONAL
    return ConsentLevel.CONTEXTUAL if regime == "opt-in" else ConsentLevel.FULL
