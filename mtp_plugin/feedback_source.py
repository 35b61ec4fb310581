"""Where what slates teach comes from and goes to; what learns from it is loaded by those who train alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .config import Settings
from .ports import ModelRegistry, Outcomes, SlateLog


@dataclass(frozen=True, slots=True)
class FeedbackSource:
    """Where weights come from and go to.

    :param without: whether nothing is to be learnt from a visitor, by profile id
    """

    slates: SlateLog
    outcomes: Outcomes
    registry: ModelRegistry
    settings: Settings
    without: Callable[[str], bool]
