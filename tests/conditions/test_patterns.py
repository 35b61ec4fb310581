"""Patterns agree with Python's engine where both can speak, and never go back over a text."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mtp_plugin.pattern_syntax import MAX_LENGTH
from mtp_plugin.patterns import MAX_STATES, MAX_TEXT, Pattern, PatternError

ATOMS = st.sampled_from(
    [
        "a",
        "b",
        "é",
        ".",
        "[ab]",
        "[^a]",
        "[^ab1]",
        "[a-c]",
        "[\\d_]",
        "\\w",
        "\\W",
        "\\d",
        "\\s",
        "\\b",
        "\\B",
        "^",
        "$",
        "\\.",
    ]
)
SOURCES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("{}{}".format, inner, inner),
        st.builds("(?:{}|{})".format, inner, inner),
        st.builds("(?:{}){}".format, inner, st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "{0,2}?", "{1,}", "*?"])),
    ),
    max_leaves=6,
)
TEXTS = st.text(alphabet="abc1 _é.\n中", max_size=7)


@given(SOURCES, st.lists(TEXTS, min_size=1, max_size=5), st.booleans())
def test_agrees_with_python(source, texts, any_case):
    prefix = "(?i)" if any_case else ""
    try:
        pattern = Pattern(prefix + source)
    except PatternError as error:
        refused = str(error)
        assume("too complex" not in refused)
        raise
    peer = re.compile(prefix + source.replace("$", r"\Z"))
    for text in texts:
        assert pattern.search(text) is bool(peer.search(text)), text


@given(st.text(max_size=30))
def test_any_text_is_a_pattern_or_an_error(source):
    try:
        found = Pattern(source).search("some text")
    except PatternError:
        found = False
    assert found in (True, False)


@given(st.text(max_size=10), st.text(max_size=20))
def test_quoted_text_is_found_where_it_is(needle, text):
    source = "".join(f"\\u{ord(c):04x}" if ord(c) < 0x10000 else c for c in needle)
    assert Pattern(source).search(text) is (needle in text)


@pytest.mark.parametrize(
    "source", ["^(a+)+$", "^(a|a)*$", "^(a*)*$", "(.*.*.*){5}$b", "(a|aa)+$b", "^(([a-z])+.)+[A-Z]([a-z])+$"]
)
def test_patterns_that_run_away_elsewhere_are_small_automata(source):
    pattern = Pattern(source)
    assert not pattern.search("a" * MAX_TEXT + "!")
    assert len(pattern._states) < 40


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("(a", "not closed"),
        ("a)", "a ) too many at position 2"),
        ("*a", "nothing to repeat"),
        ("a**", "two quantifiers"),
        ("a{2,1}", "counts backwards"),
        ("a{x}", "no count"),
        ("a{", "no count"),
        ("[a", "ends too early"),
        ("[]", "empty []"),
        ("[b-a]", "runs backwards"),
        ("[a-\\d]", "runs backwards"),
        ("a\\", "ends too early"),
        ("\\p{L}", "\\p, which is not supported"),
        ("(a)\\1", "\\1, which is not supported"),
        ("\\u12", "4 hexadecimal digits"),
        ("(?=a)", "special group"),
        ("(?P<n>a)", "special group"),
        ("^*", "repeats a position"),
        ("a" * (MAX_LENGTH + 1), "200 are allowed"),
        ("(a{99}){99}", "too complex"),
        ("(a|b)*a(a|b){20}", f"more than {MAX_STATES} states"),
    ],
)
def test_what_cannot_be_is_said(source, words):
    with pytest.raises(PatternError) as caught:
        Pattern(source)
    assert words in str(caught.value)


def test_only_the_first_part_of_a_text_is_read():
    assert Pattern("b").search("a" * (MAX_TEXT - 1) + "b")
    assert not Pattern("b").search("a" * MAX_TEXT + "b")


def test_a_kind_of_character_not_met_when_compiled_is_still_told_apart():
    pattern = Pattern("(?i)^[ß-ÿ]+[^\\W\\d]$")
    peer = re.compile("(?i)^[ß-ÿ]+[^\\W\\d]\\Z")
    for code in range(0x2C00):
        assert pattern.search("é" + chr(code)) is bool(peer.search("é" + chr(code))), hex(code)
