"""The page of features says what the registry says, and what segments leave out."""

from __future__ import annotations

from mtp_plugin.profile.features import FEATURES
from mtp_plugin.segment.learn.columns import MOST

from .features_page import PAGE, page


def test_the_table_is_that_of_the_registry() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text, "run python -m tests.docs.features_page"


def test_every_limited_family_is_one() -> None:
    assert set(MOST) <= {feature.name for feature in FEATURES if feature.family}
