"""Google's Consent Mode, version 2: its words for what a visitor permits, and ours.

https://developers.google.com/tag-platform/security/concepts/consent-mode
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ..errors import InputError
from .consent import OPTIONAL, Purpose

NEEDED: dict[Purpose, tuple[str, ...]] = {
    Purpose.FUNCTIONAL: ("functionality_storage",),
    Purpose.ANALYTICS: ("analytics_storage",),
    Purpose.PERSONALISATION: ("personalization_storage",),
    Purpose.ADVERTISING: ("ad_storage", "ad_user_data", "ad_personalization"),
}
WORDS = {"granted": True, "denied": False}


def choices(states: Mapping[str, str]) -> dict[str, bool]:
    """The decision in our purposes: one denied word denies, a purpose with a word missing is undecided.

    :raises InputError: a word other than ``granted`` and ``denied``
    """
    for name, word in states.items():
        if word not in WORDS:
            raise InputError("each state is granted or denied", field=f"consent_mode.{name}")
    found: dict[str, bool] = {}
    for purpose, names in NEEDED.items():
        said = [WORDS[states[name]] for name in names if name in states]
        if False in said or len(said) == len(names):
            found[purpose.value] = all(said)
    return found


def states(permitted: Collection[str]) -> dict[str, str]:
    """What to tell Google's tags of what is permitted."""
    told = {name: "granted" if purpose in permitted else "denied" for purpose in OPTIONAL for name in NEEDED[purpose]}
    return told | {"security_storage": "granted"}
