"""What the page on events shows is run here, and what it lists is complete."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask

from mtp_plugin import MTP
from mtp_plugin.config import Settings
from mtp_plugin.records import ACTIONS, ConsentLevel
from mtp_plugin.track import limits
from mtp_plugin.track.aliases import GA4
from mtp_plugin.track.clock import parse_time
from mtp_plugin.track.columns import ACTION_NAMES, GUESSES
from mtp_plugin.track.files import FORMATS
from mtp_plugin.track.intake import IGNORED, Intake, Sender

PAGE = (Path(__file__).parents[2] / "docs" / "events.md").read_text(encoding="utf-8")
NOW = parse_time("2026-03-01T13:00:00Z", "now")
BROWSER = Sender(kind="browser", profile_id="a:v", anonymous_id="v", consent=ConsentLevel.FULL)


def snippets(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def table(*head):
    """The rows of the table whose header has these cells, each as a list of texts."""
    lines = PAGE.split("\n")
    start = next(n for n, text in enumerate(lines) if text.startswith("| " + " | ".join(head)))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            return rows
        rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return rows


def names(cell):
    return re.findall(r"`([^`]+)`", cell)


def test_the_body_shown_is_an_event():
    body, *_ = snippets("json")
    (event,) = Intake(Settings()).segment("track", body.encode(), BROWSER, NOW).events
    assert (event.name, event.timestamp) == ("Product Added", NOW - 30)
    assert (event.products[0].quantity, event.products[0].price) == (2.0, 9.5)
    assert "email" not in event.properties


def test_the_call_shown_is_an_order(tmp_path):
    app = Flask(__name__)
    app.config.update(SECRET_KEY="k" * 32, MTP_DATABASE_URL=f"sqlite:///{tmp_path}/events.db")
    mtp = MTP(app)
    with app.app_context():
        for _ in range(2):
            exec(compile(snippets("python")[0], "docs", "exec"), {"mtp": mtp, "Decimal": Decimal})
        journal = app.extensions["mtp"].journal
        (event,) = journal.events_of("u:anna-7")
        (profile,) = journal.profiles(["u:anna-7"])
    app.extensions["mtp"].close()
    assert (event.message_id, len(event.products)) == ("order-1001", 2)
    assert (profile.orders, profile.revenue) == (1, 28.5)


def test_the_answer_shown_is_the_one_given():
    shown = json.loads(snippets("json")[1])
    batch = [{"type": "page"}, {"type": "group", "messageId": "b"}, {"type": "track", "event": "Product Viewed"}]
    parsed = Intake(Settings()).segment("batch", json.dumps({"batch": batch}).encode(), BROWSER, NOW)
    assert len(parsed.events) == shown["accepted"]
    assert [[d.index, d.message_id, d.reason] for d in parsed.dropped] == [list(d.values()) for d in shown["dropped"]]
    assert [[e.index, e.code, e.message, e.field] for e in parsed.errors] == [list(e.values()) for e in shown["errors"]]


def test_the_import_shown_says_what_is_shown(tmp_path, capsys):
    path = tmp_path / "events.csv"
    path.write_text(snippets("csv")[0], encoding="utf-8")
    _, code = snippets("python")
    exec(compile(code, "docs", "exec"), {"path": path, "mapping": json.loads(snippets("json")[2])})
    assert capsys.readouterr().out == snippets("text")[0]


def test_the_commands_shown_exist():
    from mtp_plugin.cli import mtp

    shown = re.findall(r"flask mtp ([a-z-]+)", PAGE)
    assert {"import-events", "rebuild"} <= set(shown)
    assert set(shown) <= set(mtp.commands)


def test_all_fields_and_guesses_are_listed():
    listed = {names(field)[0]: tuple(names(columns)) for field, columns in table("field", "columns taken")}
    assert listed == dict(GUESSES)


def test_all_short_names_and_formats_are_listed():
    assert all(f"`{word}`" in PAGE for word in [*ACTION_NAMES, *FORMATS, *IGNORED])


def test_all_names_that_change_a_profile_are_listed():
    listed = {name for row in table("name", "means") for name in names(row[0])}
    assert listed == {*ACTIONS, "Products Searched", "Interests Edited"}
    weights = {names(row[2])[0]: float(row[2].split(",")[1]) for row in table("name", "means") if names(row[2])}
    assert weights == Settings().action_weights


def test_the_names_of_ga4_are_what_is_said():
    for theirs, ours in table("GA4", "is"):
        assert [GA4[name] for name in names(theirs)] == names(ours)


@pytest.mark.parametrize("reason", ["no-consent", "no-visitor", "bot", "not-allowed", "staff", "order", "ignored"])
def test_reasons_are_those_given(reason):
    listed = {names(row[0])[0] for row in table("`dropped`", "why")}
    source = (Path(limits.__file__).parent / "reading.py").read_text(encoding="utf-8")
    assert reason in listed
    assert listed == set(re.findall(r'(?:Drop\(|return )"([a-z-]+)"', source)) | {"suppressed"}


def test_limits_are_those_that_hold():
    rows = {row[0]: row[1] for row in table("limit")}
    assert rows["nesting, keys of an object, members of a list"] == (
        f"{limits.MAX_DEPTH}, {limits.MAX_KEYS}, {limits.MAX_LIST}"
    )
    assert rows["a text, an id"] == f"{limits.MAX_TEXT:,}, {limits.MAX_ID} characters"
    known = {f"MTP_{field.upper()}" for field in Settings.__dataclass_fields__}
    assert set(re.findall(r"MTP_[A-Z_]+", PAGE)) <= known
