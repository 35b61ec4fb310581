"""Keyed hashes: one person, one hash; another key, another hash; nothing to read in it."""

from __future__ import annotations

import contextlib
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtp_plugin.errors import InputError
from mtp_plugin.privacy.pii import Hasher

KEY = b"0123456789abcdef"


@pytest.fixture
def hasher():
    return Hasher(KEY)


@pytest.mark.parametrize(
    "written",
    ["Anna@Example.com", "  anna@example.com ", "ANNA@EXAMPLE.COM", "anna@example.com.", "ａｎｎａ@example.com"],
)
def test_one_address_however_written(hasher, written):
    assert hasher.email(written) == hasher.email("anna@example.com")


def test_a_domain_in_its_own_script_is_the_one_in_ascii(hasher):
    assert hasher.email("a@bücher.example") == hasher.email("a@xn--bcher-kva.example")


@pytest.mark.parametrize("other", ["an.na@example.com", "anna+shop@example.com", "anna@example.org"])
def test_other_addresses_stay_apart(hasher, other):
    assert hasher.email(other) != hasher.email("anna@example.com")


@pytest.mark.parametrize(
    "wrong",
    [
        *(
            "",
            "anna",
            "@example.com",
            "anna@",
            "anna@localhost",
            "a@b@example.com",
            "an na@example.com",
            "a@..com",
            "a@.",
        ),
        *("a@" + "x" * 64 + ".de", "a" * 250 + "@example.com", chr(0xD800) + "@example.com", "an\x07na@example.com"),
    ],
)
def test_what_is_no_address(hasher, wrong):
    with pytest.raises(InputError) as caught:
        hasher.email(wrong)
    assert caught.value.field == "email"
    assert not wrong or wrong not in str(caught.value)


@pytest.mark.parametrize(
    ("written", "region"),
    [
        ("030 12345678", "DE"),
        ("+49 30 12345678", "US"),
        ("0049 (30) 123-456 78", "DE"),
        ("０３０ １２３４５６７８", "de"),
    ],
)
def test_one_number_however_written(hasher, written, region):
    assert hasher.phone(written, region) == hasher.phone("+493012345678")


@pytest.mark.parametrize("wrong", ["", "abc", "12", "+1", "+999123456789", "1" * 40])
def test_what_is_no_number(hasher, wrong):
    with pytest.raises(InputError) as caught:
        hasher.phone(wrong)
    assert caught.value.field == "phone"


def test_a_number_needs_its_country(hasher):
    assert hasher.phone("030 12345678", "DE") != hasher.phone("212 555 0100", "US")


def test_the_hash_is_hmac_sha256_and_names_its_key():
    expected = hmac.new(KEY, b"email:anna@example.com", hashlib.sha256).hexdigest()
    assert Hasher(KEY, "k2024").email("anna@example.com") == f"k2024:{expected}"


def test_rotation_is_told_by_the_key_id():
    old, new = Hasher(KEY, "k1"), Hasher(b"fedcba9876543210", "k2")
    assert old.email("anna@example.com").partition(":")[0] == "k1"
    assert new.email("anna@example.com").partition(":")[0] == "k2"
    assert old.email("anna@example.com").partition(":")[2] != new.email("anna@example.com").partition(":")[2]


def test_an_address_and_a_number_never_meet():
    class Same(Hasher):
        def both(self, text):
            return self._hash("email", text), self._hash("phone", text)

    one, other = Same(KEY).both("1")
    assert one != other


@pytest.mark.parametrize("key", [b"", b"short", b"0123456789abcde"])
def test_a_weak_key_is_refused(key):
    with pytest.raises(ValueError, match="at least 16"):
        Hasher(key)


@pytest.mark.parametrize("key_id", ["", "k:1", "k 1"])
def test_a_key_id_must_not_look_like_a_hash(key_id):
    with pytest.raises(ValueError, match="letters and digits"):
        Hasher(KEY, key_id)


@given(st.text(max_size=60))
def test_any_text_is_a_hash_or_an_input_error(text):
    hasher = Hasher(KEY)
    for read in (hasher.email, hasher.phone):
        with contextlib.suppress(InputError):
            assert read(text).startswith("k1:")
