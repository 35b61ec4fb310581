"""Consent strings of others are read as their framework writes them."""

from __future__ import annotations

import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtp_plugin.errors import InputError
from mtp_plugin.privacy import consent_mode, tcf
from mtp_plugin.privacy.consent import OPTIONAL, Purpose

SAMPLE = "COvFyGBOvFyGBAbAAAENAPCAAOAAAAAAAAAAAEEUACCKAAA"
"""The example of the framework's own libraries."""


def test_the_sample() -> None:
    read = tcf.decode(SAMPLE)
    assert (read.cmp_id, read.cmp_version, read.language, read.vendor_list, read.policy) == (27, 0, "EN", 15, 2)
    assert read.purposes == {1, 2, 3}
    assert read.vendors == {2, 6, 8}
    assert read.publisher is None
    assert read.created == 1582243059.3
    assert read.choices() == {"functional": True, "analytics": False, "personalisation": False, "advertising": False}


def written(purposes, vendors, ranges, publisher=None) -> str:
    """A string as a consent manager writes it."""
    numbers = [(2, 6), (16_000_000_000, 36), (16_000_000_001, 36), (7, 12), (3, 12), (1, 6), (4, 6), (13, 6), (99, 12),
               (4, 6), (1, 1), (0, 1), (0, 12)]  # fmt: skip
    flags = [(int(number in purposes), 1) for number in range(1, 25)]
    core = [*numbers, *flags, (0, 24), (0, 1), (3, 6), (4, 6)]
    most = max(vendors, default=0)
    core += [(most, 16), (int(ranges), 1)]
    if ranges:
        core += [(len(vendors), 12), *(part for vendor in sorted(vendors) for part in ((0, 1), (vendor, 16)))]
    else:
        core += [(int(number in vendors), 1) for number in range(1, most + 1)]
    text = packed([*core, (0, 16), (0, 1), (0, 12)])
    if publisher is None:
        return text
    own = [(3, 3), *((int(number in publisher), 1) for number in range(1, 25)), (0, 24), (0, 6)]
    return f"{text}.{packed(own)}"


def packed(parts) -> str:
    bits = "".join(format(number, f"0{size}b") for number, size in parts)
    bits += "0" * (-len(bits) % 8)
    return base64.urlsafe_b64encode(int(bits, 2).to_bytes(len(bits) // 8, "big")).decode().rstrip("=")


numbers = st.frozensets(st.integers(1, 24))


@given(numbers, st.frozensets(st.integers(1, 900), max_size=20), st.booleans(), st.none() | numbers)
def test_what_was_written_is_read(purposes, vendors, ranges, publisher) -> None:
    read = tcf.decode(written(purposes, vendors, ranges, publisher))
    assert (read.purposes, read.vendors, read.publisher) == (purposes, vendors, publisher)
    assert (read.language, read.country, read.created, read.updated) == ("EN", "DE", 1.6e9, 1600000000.1)
    counts = purposes if publisher is None else publisher
    assert read.choices()["personalisation"] == ({1, 5, 6} <= counts)


@given(st.text(max_size=80))
def test_nonsense_is_refused(text: str) -> None:
    with suppress(InputError):
        assert tcf.decode(text)


@pytest.mark.parametrize(
    "text", ["", "COvF", "BOvFyGBOvFyGBAbAAAENAPCAAOAAAAAAAAAAAEEUACCKAAA", "ü", SAMPLE[:30], "C" * 9000]
)
def test_what_is_no_string(text: str) -> None:
    with pytest.raises(InputError):
        tcf.decode(text)


def test_consent_mode_both_ways() -> None:
    everything = dict.fromkeys(
        ("ad_storage", "ad_user_data", "ad_personalization", "analytics_storage", "functionality_storage",
         "personalization_storage", "security_storage"), "granted",
    )  # fmt: skip
    assert consent_mode.choices(everything) == {str(purpose): True for purpose in OPTIONAL}
    assert consent_mode.states(set(map(str, Purpose))) == everything
    none = consent_mode.states({"necessary"})
    assert consent_mode.choices(none) == dict.fromkeys(consent_mode.choices(everything), False)
    assert none["security_storage"] == "granted"


def test_a_word_that_is_missing_leaves_undecided_and_one_denied_denies() -> None:
    assert consent_mode.choices({"ad_storage": "granted"}) == {}
    assert consent_mode.choices({"ad_storage": "denied"}) == {"advertising": False}
    assert consent_mode.choices({"analytics_storage": "granted"}) == {"analytics": True}
    with pytest.raises(InputError):
        consent_mode.choices({"ad_storage": "yes"})
