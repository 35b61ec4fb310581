"""Patterns agree with Python's engine where both can speak, and refuse what could run away."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtp_plugin.patterns import MAX_LENGTH, MAX_TEXT, Pattern, PatternError

ATOMS = st.sampled_from(["a", "b", "é", ".", "[ab]", "[^a]", "[a-c]", "[\\d_]", "\\w", "\\W", "\\d", "^", "$", "\\."])
SOURCES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("{}{}".format, inner, inner),
        st.builds("(?:{}|{})".format, inner, inner),
        st.builds("(?:{}){}".format, inner, st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "*?"])),
    ),
    max_leaves=6,
)
TEXTS = st.text(alphabet="abc1 _é.\n中", max_size=7)


@given(SOURCES, st.lists(TEXTS, min_size=1, max_size=5), st.booleans())
def test_agrees_with_python(source: str, texts: list[str], any_case: bool) -> None:
    prefix = "(?i)" if any_case else ""
    pattern = Pattern(prefix + source)
    peer = re.compile(prefix + source.replace("$", r"\Z"), re.ASCII if not any_case else 0)
    for text in texts:
        if any_case and ("\\w" in source.lower() or "\\d" in source) and not text.isascii():
            continue  # without case Python's classes speak of all scripts, RE2's of ASCII
        assert pattern.search(text) is bool(peer.search(text)), text


@given(st.text(max_size=30))
def test_any_text_is_a_pattern_or_an_error(source: str) -> None:
    try:
        found = Pattern(source).search("some text")
    except PatternError:
        found = False
    assert found in (True, False)


@pytest.mark.parametrize("source", ["^(a+)+$", "^(a|a)*$", "^(a*)*$", "(a|aa)+$b", "^(([a-z])+.)+[A-Z]([a-z])+$"])
def test_patterns_that_run_away_elsewhere_answer(source: str) -> None:
    assert not Pattern(source).search("a" * MAX_TEXT + "!" if "$b" in source else "a" * (MAX_TEXT - 1) + "!")


@pytest.mark.parametrize(
    "source", ["(a", "a)", "*a", "[a", "[b-a]", "a\\", "(a)\\1", "(?=a)", "(a{999}){999}", "a" * (MAX_LENGTH + 1)]
)
def test_what_cannot_be_is_refused(source: str) -> None:
    with pytest.raises(PatternError, match=r"cannot be used|are allowed"):
        Pattern(source)


def test_only_the_first_part_of_a_text_is_read() -> None:
    assert Pattern("b").search("a" * (MAX_TEXT - 1) + "b")
    assert not Pattern("b").search("a" * MAX_TEXT + "b")


def test_half_a_character_is_no_error() -> None:
    assert not Pattern("a").search("\ud800")
    assert Pattern("[\ud800]").search("?")
