"""The audit log as the one who runs the shop meets it."""

from __future__ import annotations

import json
from pathlib import Path

from sqlalchemy import create_engine, text

from .shops import mounted
from .test_commands import run


def test_a_whole_log_and_one_that_was_tampered_with(tmp_path: Path) -> None:
    app, state = mounted(tmp_path)
    state.audit.append("admin:anna", "rule.published", "rule:12", {"version": 3}, at=1_700_000_000.0)
    state.audit.append("visitor", "consent.granted", state.hasher.subject("a:1"), at=1_700_000_001.0)
    whole = run(app, "audit", "verify")
    assert (whole.exit_code, whole.stdout.splitlines()[0]) == (0, "The log is whole: 2 entries.")
    noted = whole.stdout.splitlines()[-1]
    assert run(app, "audit", "verify", "--expect", noted).exit_code == 0

    with create_engine(f"sqlite:///{tmp_path}/mtp.sqlite").begin() as connection:
        connection.execute(text("UPDATE mtp_audit SET actor = 'admin:bob' WHERE number = 1"))
    broken = run(app, "audit", "verify", "--json")
    assert (broken.exit_code, json.loads(broken.stdout)["faults"]) == (1, [{"number": 1, "kind": "changed"}])


def test_a_log_that_was_cut_off_with_its_end(tmp_path: Path) -> None:
    app, state = mounted(tmp_path)
    one = state.audit.append("cli", "x.y", at=1.0)
    two = state.audit.append("cli", "x.z", at=2.0)
    with create_engine(f"sqlite:///{tmp_path}/mtp.sqlite").begin() as connection:
        connection.execute(text("DELETE FROM mtp_audit WHERE number = 2"))
        connection.execute(text("UPDATE mtp_audit_head SET number = 1, seal = :seal"), {"seal": one.seal})
    assert run(app, "audit", "verify").exit_code == 0
    found = run(app, "audit", "verify", "--expect", f"2:{two.seal}")
    assert (found.exit_code, found.stdout.splitlines()[0]) == (1, "entry 2 is not the one that was noted elsewhere")
    assert run(app, "audit", "verify", "--expect", "two").exit_code == 1


def test_entries_are_listed_by_what_and_of_whom(tmp_path: Path) -> None:
    app, state = mounted(tmp_path)
    assert run(app, "audit", "list").stdout == "Nothing was done yet.\n"
    state.audit.append("admin:anna", "rule.published", "rule:12", {"version": 3}, at=1_700_000_000.0)
    state.audit.append("visitor", "consent.granted", state.hasher.subject("a:1"), at=1_700_000_001.0)
    (entry,) = json.loads(run(app, "audit", "list", "--visitor", "a:1", "--json").stdout)["entries"]
    assert (entry["actor"], entry["action"]) == ("visitor", "consent.granted")
    assert "a:1" not in entry["subject"]
    (line,) = run(app, "audit", "list", "--action", "rule").stdout.splitlines()
    assert line.endswith('rule.published           rule:12 {"version": 3}')


def test_the_report_says_what_is_kept_and_what_changed(tmp_path: Path) -> None:
    app, state = mounted(tmp_path, MTP_WEATHER_URL="https://weather.example/{latitude}?key=secret")
    first = run(app, "privacy", "report")
    assert first.exit_code == 0, first.output
    for words in ("| events |", "This is the first report.", "Art. 30", "Art. 35", "weather.example (MTP_WEATHER_URL)"):
        assert words in first.stdout
    assert "key=" not in first.stdout
    state.subjects.erase(["u:1"], "test")
    again = json.loads(run(app, "privacy", "report", "--no-save", "--json").stdout)
    assert again["changes"] == ["Nothing changed in what is kept, why, where and how long."]
    assert again["done"] == {"subject.erase-asked": 1, "subject.erase-done": 1}

    other, _ = mounted(tmp_path, MTP_SLATE_DAYS=7)
    changed = json.loads(run(other, "privacy", "report", "--json").stdout)["changes"]
    assert changed == [
        "slates, how long: was '30 days', is '7 days'.",
        "No longer a recipient: weather.example (MTP_WEATHER_URL).",
        "MTP_SLATE_DAYS was 30 and is 7.",
    ]
