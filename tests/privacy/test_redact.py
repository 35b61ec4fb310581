"""What is masked, and what is left as it is."""

from __future__ import annotations

import pytest

from mtp_plugin.privacy.redact import redact


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mail ann.b+c@shop.example!", "mail ***"),
        ("from 203.0.113.77 and 2001:db8::17", "from *** and ***"),
        ("call +49 (30) 1234-567", "call ***"),
        ("rule 12 of 2026-11-26 at 10:30, 3.14.15", "rule 12 of 2026-11-26 at 10:30, 3.14.15"),
        ("k1:9f86d081884c7d65", "k1:9f86d081884c7d65"),
    ],
)
def test_texts(text: str, expected: str) -> None:
    assert redact(text) == expected


def test_everything_inside_is_looked_at() -> None:
    assert redact({"a@b.cd": [("x", "e@f.gh"), 3, None, True]}) == {"***": [["x", "***"], 3, None, True]}
