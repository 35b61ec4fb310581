"""Settings: rows, checks, and errors that name key, value and remedy."""

from __future__ import annotations

import dataclasses

import pytest

from mtp_plugin.config import Settings, rows
from mtp_plugin.errors import SettingError


def test_defaults_need_nothing() -> None:
    assert Settings.read({}) == Settings()


def test_other_keys_are_not_ours() -> None:
    assert Settings.read({"SECRET_KEY": "x", "MTPX": 1}) == Settings()


@pytest.mark.parametrize(
    ("key", "value", "remedy"),
    [
        ("MTP_ENABLED", "perhaps", "True or False"),
        ("MTP_URL_PREFIX", "mtp", "begins with a slash"),
        ("MTP_DATABASE_URL", "mysql://x", "postgresql"),
        ("MTP_REDIS_URL", "localhost:6379", "redis://"),
        ("MTP_CURRENCY", "Euro", "ISO 4217"),
        ("MTP_TIME_ZONE", "Mars/Base", "IANA"),
        ("MTP_REGIME", "none", "opt-in"),
        ("MTP_COOKIE_DAYS", 0, "from 1 to 400"),
        ("MTP_LATENCY_BUDGET_MS", "fast", "number"),
        ("MTP_ACTION_WEIGHTS", {"look": 1}, "view"),
        ("MTP_WRITE_KEYS", {"pk": ["blog.example"]}, "origin"),
        ("MTP_SECRET_KEYS", 3, "list of strings"),
        ("MTP_SECRET_KEYS", [""], "empty one would let everybody in"),
        ("MTP_SECRET_KEYS", ["  "], "at least 6"),
        ("MTP_COOKIE_NAME", "my visitor", "cookie name"),
        ("MTP_COOKIE_NAME", "", "cookie name"),
        ("MTP_CONSENT_COOKIE_NAME", "a;b", "cookie name"),
        ("MTP_CONSENT_COOKIE_NAME", "mtp_visitor", "another name"),
        ("MTP_EVENT_MAX_KB", 600, "MTP_BODY_MAX_KB, which is 512"),
        ("MTP_RULE_MOTOR", "auto", "no such setting"),
        ("MTP_PLACEMENTS", 7, "mapping"),
        ("MTP_REDIS_ULR", "redis://x", "did you mean MTP_REDIS_URL"),
        ("MTP_ZZZZ", 1, "no such setting"),
    ],
)
def test_wrong_values_stop_the_start(key: str, value: object, remedy: str) -> None:
    with pytest.raises(SettingError) as caught:
        Settings.read({key: value})
    assert caught.value.key == key
    assert caught.value.value == value
    assert remedy in caught.value.remedy
    assert key in str(caught.value)
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value", "secret", "shown"),
    [
        ("MTP_PII_KEY", "fifteen bytes..", "fifteen", "at least 16 bytes"),
        ("MTP_SECRET_KEYS", ["sk_a_good_one", "short"], "short", "at least 6"),
        ("MTP_SECRET_KEYS", "sk_a_good_one,short", "good", "at least 6"),
        ("MTP_DATABASE_URL", "mysql://shop:pa:ss@w/rd@db.example/shop", "pa:ss", "mysql://shop:***@db.example/shop"),
        ("MTP_REDIS_URL", "http://:hunter2@cache:6379", "hunter2", "http://:***@cache:6379"),
        ("MTP_REDIS_URI", "redis://:hunter2@cache:6379", "hunter2", "redis://:***@cache:6379"),
    ],
)
def test_errors_keep_secrets_out_of_logs(key: str, value: object, secret: str, shown: str) -> None:
    with pytest.raises(SettingError) as caught:
        Settings.read({key: value})
    assert caught.value.value == value
    assert secret not in str(caught.value)
    assert shown in str(caught.value)
    assert key in str(caught.value)


def test_a_public_key_is_no_secret_key() -> None:
    with pytest.raises(SettingError, match="for all to read") as caught:
        Settings.read({"MTP_SECRET_KEYS": ["sk_site"], "MTP_WRITE_KEYS": {"sk_site": ["https://blog.example"]}})
    assert caught.value.key == "MTP_SECRET_KEYS"


def test_a_small_body_holds_small_events() -> None:
    assert Settings.read({"MTP_BODY_MAX_KB": 8}).event_max_kb == 8
    assert Settings.read({"MTP_BODY_MAX_KB": 8, "MTP_EVENT_MAX_KB": 4}).event_max_kb == 4
    assert Settings.read({"MTP_BODY_MAX_KB": 1024}).event_max_kb == 32


def test_values_are_read_as_people_write_them() -> None:
    settings = Settings.read(
        {
            "MTP_ENABLED": "no",
            "MTP_SECRET_KEYS": "sk_one, sk_two",
            "MTP_CURRENCY": "eur",
            "MTP_URL_PREFIX": "/shop/",
            "MTP_COOKIE_DAYS": "30",
        }
    )
    assert (settings.enabled, settings.secret_keys, settings.currency) == (False, ("sk_one", "sk_two"), "EUR")
    assert (settings.url_prefix, settings.cookie_days) == ("/shop", 30)


def test_settings_are_frozen_and_not_shared() -> None:
    settings = Settings()
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.enabled = False  # type: ignore[misc]
    assert settings.action_weights is not Settings().action_weights


def test_every_default_passes_its_own_check() -> None:
    Settings.read({row["name"]: row["default"] for row in rows()})


def test_every_row_helps() -> None:
    for row in rows():
        assert row["help"].endswith("."), row["name"]
