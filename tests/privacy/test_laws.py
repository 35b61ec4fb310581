"""Laws of consent and of hashes: every cell of the table, one person one hash, nothing that is no address."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtp_plugin.errors import InputError
from mtp_plugin.privacy.consent import level
from mtp_plugin.privacy.pii import Hasher, normal_email, normal_phone
from mtp_plugin.records import ConsentLevel

FULL, CONTEXTUAL, NON_PERSONAL = ConsentLevel.FULL, ConsentLevel.CONTEXTUAL, ConsentLevel.NON_PERSONAL
UNDECIDED = {"opt-in": CONTEXTUAL, "opt-out": FULL}
CELLS = list(product(("opt-in", "opt-out"), (None, True, False), (True, False), (True, False), (True, False)))


@pytest.mark.parametrize(("regime", "choice", "gpc", "dnt", "bot"), CELLS)
def test_every_cell(regime, choice, gpc, dnt, bot):
    found = level(regime=regime, choice=choice, gpc=gpc, dnt=dnt, bot=bot)
    if bot or choice is False:
        assert found is NON_PERSONAL
    elif choice is True:
        assert found is FULL
    elif gpc or dnt:
        assert found is NON_PERSONAL
    else:
        assert found is UNDECIDED[regime]


def test_a_regime_that_is_none_is_refused():
    with pytest.raises(ValueError, match="opt-in or opt-out"):
        level(regime="none", choice=True, gpc=False, dnt=False, bot=False)


KEY = b"a key of sixteen"
HASHER = Hasher(KEY)
names = st.text("abcdefghijklmnopqrstuvwxyz0123456789+._-", min_size=1, max_size=30).filter(
    lambda name: not name.startswith(".") and not name.endswith(".") and ".." not in name
)
domains = st.sampled_from(("example.org", "bücher.example", "xn--bcher-kva.example", "mail.example.co.uk"))


@settings(deadline=None)
@given(names, domains, st.sampled_from(("", " ", "\t", "\n")), st.booleans())
def test_one_address_one_hash_however_it_is_typed(name, domain, blank, shout):
    plain = f"{name}@{domain}"
    typed = blank + (plain.upper() if shout else plain) + blank
    assert HASHER.email(typed) == HASHER.email(plain)
    assert normal_email(normal_email(plain)) == normal_email(plain)


@settings(deadline=None)
@given(names, names)
def test_two_names_two_hashes(one, other):
    same = HASHER.email(f"{one}@example.org") == HASHER.email(f"{other}@example.org")
    assert same == (one == other)


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        ("Ada@Example.ORG", "ada@example.org"),
        ("ada+shop@example.org", "ada+shop@example.org"),
        ("a.da@example.org", "a.da@example.org"),
        ("\uff41da@example.org", "ada@example.org"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
    ],
)
def test_addresses(typed, normal):
    assert normal_email(typed) == normal


@pytest.mark.parametrize(
    "nonsense", ["", "ada", "@", "ada@", "@example.org", "a@b@example.org", "ada@example", "a da@example.org",
                 "ada@.org", "ada@example..org", "a" * 250 + "@example.org"]
)  # fmt: skip
def test_what_is_no_address(nonsense):
    with pytest.raises(InputError) as caught:
        normal_email(nonsense)
    assert caught.value.field == "email"


@pytest.mark.parametrize(
    ("typed", "region", "normal"),
    [
        ("030 1234567", "DE", "+49301234567"),
        ("+49 (30) 123-4567", "US", "+49301234567"),
        ("0049 30 1234567", "DE", "+49301234567"),
        ("(212) 555-0123", "US", "+12125550123"),
        ("(212) 555-0123", "us", "+12125550123"),
    ],
)
def test_numbers(typed, region, normal):
    assert normal_phone(typed, region) == normal
    assert HASHER.phone(typed, region) == HASHER.phone(normal, "GB")


@pytest.mark.parametrize(("nonsense", "region"), [("", "DE"), ("abc", "DE"), ("030 1234567", "XX"), ("9" * 40, "DE")])
def test_what_is_no_number(nonsense, region):
    with pytest.raises(InputError) as caught:
        normal_phone(nonsense, region)
    assert caught.value.field == "phone"


def test_a_hash_tells_its_key_and_nothing_else():
    found = HASHER.email("ada@example.org")
    key_id, _, digest = found.partition(":")
    assert (key_id, len(digest)) == ("k1", 64)
    assert "ada" not in found
    assert Hasher(b"another key of sixteen").email("ada@example.org") != found
    rotated = Hasher(KEY, "k2").email("ada@example.org")
    assert rotated == f"k2:{digest}"


def test_an_address_and_a_number_never_share_a_hash():
    assert HASHER._hash("email", "+49301234567") != HASHER._hash("phone", "+49301234567")


@pytest.mark.parametrize(("key", "key_id"), [(b"short", "k1"), (KEY, ""), (KEY, "k:1")])
def test_a_key_that_cannot_serve_is_refused(key, key_id):
    with pytest.raises(ValueError, match="key"):
        Hasher(key, key_id)
