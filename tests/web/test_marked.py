"""Marked values go through every route, and stand afterwards in nothing that is written about the plugin's work."""

from __future__ import annotations

import json
import logging
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mtp_plugin.web.routes import ROUTES

from .shop import SECRET, Shop

EMAIL, PHONE, PASSWORD, ADDRESS = "mark.twain@marked.example", "+49 30 5550199", "marked-password", "203.0.113.77"
MARKS = (EMAIL, "mark.twain", PHONE, "5550199", PASSWORD, ADDRESS)
SERVER = {"Authorization": f"Bearer {SECRET}"}
PERSONAL: dict[str, Any] = {
    "email": EMAIL, "phone": PHONE, "password": PASSWORD, "ip": ADDRESS, "note": f"write to {EMAIL} or {PHONE}",
}  # fmt: skip
KEPT_FOR_THE_VISITOR = {"mtp_event", "mtp_profile", "mtp_slate", "mtp_slate_profile"}
"""What the shop sent about its customer lies with that customer, and goes with an erasure; nowhere else."""


def bodies() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each route that takes a body, with marks wherever a text may stand."""
    event = {"event": "Product Viewed", "properties": {"product_id": "p001", **PERSONAL}, "traits": PERSONAL,
             "context": {"ip": ADDRESS, "page": {"url": f"http://localhost/?email={EMAIL}"}}}  # fmt: skip
    for route in ROUTES:
        path = "/mtp" + re.sub(r"<\w+>", EMAIL, route.rule)
        if route.method == "GET":
            yield "GET", f"{path}?email={EMAIL}&query={EMAIL}&placement=home-hero&receipt={EMAIL}", {}
            continue
        whole = {"batch": [{"type": "track", **event}], **event, "kind": "rectify", "choice": EMAIL, "tcf": EMAIL,
                 "source": EMAIL, "user_id": EMAIL, "placement": EMAIL, "filter": {EMAIL: EMAIL}}  # fmt: skip
        yield route.method, path, {"json": whole}
        yield route.method, path, {"data": json.dumps(whole)[:-9], "content_type": "application/json"}
        yield route.method, path, {"data": {"choice": EMAIL, "kind": EMAIL, "next": f"/{EMAIL}"}}


@pytest.fixture
def answers(shop: Shop, caplog: pytest.LogCaptureFixture) -> list[Any]:
    """What every route answers to them, from a page, from a server and from nobody."""
    caplog.set_level(logging.DEBUG)
    browser = shop.browser().agree()
    nobody = shop.app.test_client()
    found = []
    for method, path, more in bodies():
        environment = {"environ_base": {"REMOTE_ADDR": ADDRESS}}
        found.append((path, browser._open(method, path, {**more, **environment})))
        found.append((path, nobody.open(path, method=method, headers=SERVER, **more, **environment)))
        found.append((path, nobody.open(path, method=method, **more, **environment)))
    shop.state.subjects.resume()
    shop.state.slates.flush()
    return found


def marked(text: str) -> list[str]:
    return [mark for mark in MARKS if mark in text]


def test_nothing_marked_is_written(answers: list[Any], shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    assert len(answers) > 60
    logged = [record.getMessage() + str(record.exc_text or "") for record in caplog.records]
    assert [line for line in logged if marked(line)] == []
    metrics = shop.app.test_client().get("/mtp/metrics", headers=SERVER).text
    assert not marked(metrics)
    for _, answer in answers:
        assert answer.status_code != 500
        assert not any(marked(value) for name, value in answer.headers if name != "Location"), answer.headers


def test_an_error_says_what_is_wrong_without_saying_it_again(answers: list[Any]) -> None:
    wrong = [(path, answer.text) for path, answer in answers if answer.status_code >= 400]
    assert len(wrong) > 20
    assert [text for _, text in wrong if PASSWORD in text or PHONE in text or ADDRESS in text] == []


def test_marks_lie_with_their_visitor_alone(answers: list[Any], shop: Shop) -> None:
    folder = Path(shop.app.instance_path)
    shop.state.close()
    with closing(sqlite3.connect(folder / "mtp.sqlite")) as database:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        holding = {
            table
            for table in tables
            for row in database.execute(f"SELECT * FROM {table}")
            if marked(" ".join(v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in row))
        }
    assert holding <= KEPT_FOR_THE_VISITOR, "the audit log, requests, consent and counts name nobody"
    others = [path for path in folder.rglob("*") if path.is_file() and "sqlite" not in path.name]
    assert [path for path in others if marked(path.read_bytes().decode("utf-8", "replace"))] == []
