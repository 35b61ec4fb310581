"""Deliveries: signed, recent, kept once, read again, given up aloud."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtp_plugin import receiving
from mtp_plugin.errors import InputError, SettingError, UnauthorizedError, UnavailableError
from mtp_plugin.track.webhooks.mapped import FieldMap, read_mapped
from mtp_plugin.track.webhooks.signature import SHOPIFY, Scheme, sign, verify
from mtp_plugin.track.webhooks.sources import load_sources

from .conftest import ERP, OTHER, Sender

PAID = {
    "id": "e-1",
    "type": "order.paid",
    "at": "2026-03-01T10:00:00Z",
    "number": "A-17",
    "sum": 30,
    "customer": {"number": 7, "mail": "ada@example.com", "club": "gold"},
    "lines": [{"article": "p001", "pieces": 2, "unit_price": 10}, {"article": "p002", "unit_price": 10}],
}


def test_a_mapped_source_tells_of_orders(sender: Sender) -> None:
    assert sender.erp(PAID).get_json() == {"status": "done"}
    assert sender.erp(PAID).get_json() == {"status": "repeated"}
    (profile,) = sender.shop.state.journal.profiles(["u:7"])
    assert profile is not None
    assert (profile.orders, profile.revenue) == (1, 30.0)
    first = next(iter(sender.shop.state.journal.events_of("u:7")))
    assert first.properties == {"order_id": "A-17", "total": 30, "channel": "erp", "via": "erp"}
    assert first.source == "webhook"
    assert sender.erp({**PAID, "type": "invoice", "id": 2}).get_json() == {"status": "ignored"}
    links = {link.kind for link in sender.shop.state.people.identity.links_of("u:7")}
    assert links == {"order", "email"}
    assert sender.erp({**PAID, "type": "lead", "id": 3}).get_json() == {"status": "done"}
    assert sender.shop.state.journal.profiles(["u:7"])[0].traits["club"] == "gold"  # type: ignore[union-attr]


def test_only_who_knows_the_secret_is_heard(sender: Sender) -> None:
    raw = json.dumps(PAID).encode()
    good = sign(ERP["secrets"][0], raw, time.time())
    for headers in ({}, {"X-Mtp-Signature": "t=1,v1=00"}, {"X-Mtp-Signature": sign("wrong", raw, time.time())}):
        assert sender.post("erp", raw, headers).status_code == 401
    assert sender.post("erp", raw + b" ", {"X-Mtp-Signature": good}).status_code == 401
    assert sender.post("shopify", raw, {"X-Mtp-Signature": good}).status_code == 401
    assert sender.post("nobody", raw, {"X-Mtp-Signature": good}).status_code == 404
    assert sender.said() == []
    assert sender.erp(PAID, at=time.time() - 3600).get_json()["error"]["code"] == "stale"
    assert sender.shopify("app/uninstalled", {"id": 1}, secret=OTHER).status_code == 200, "both secrets are good"


def test_wrong_signatures_are_counted_by_address(make_sender: Callable[..., Sender]) -> None:
    sender = make_sender(rate_limit="3 per minute")
    answers = [sender.post("erp", b"{}", {}).status_code for _ in range(5)]
    assert answers == [401, 401, 401, 429, 429]
    assert sender.erp(PAID).status_code == 200


def test_what_cannot_be_read_is_put_aside_and_retried(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {**PAID, "lines": [{"article": "", "pieces": 1}]}
    assert sender.erp(wrong).get_json() == {"status": "dead"}
    run = sender.shop.app.test_cli_runner().invoke
    listed = json.loads(run(args=["mtp", "webhooks", "list", "--state", "dead", "--json"]).stdout)["webhooks"]
    assert "product_id" in listed[0]["message"]
    assert "ada@" not in json.dumps(listed)
    better = load_sources(
        {"erp": {**ERP, "map": {**ERP["map"], "event": {"value": "Page Viewed"}, "events": {}, "products": ""}}}
    )
    monkeypatch.setitem(sender.shop.state.sources, "erp", better["erp"])
    assert " done: " in run(args=["mtp", "webhooks", "retry", "--dead"]).output
    assert run(args=["mtp", "webhooks", "retry", "77"]).exit_code == 1
    assert sender.post(
        "erp", b"no json", {"X-Mtp-Signature": sign(ERP["secrets"][0], b"no json", time.time())}
    ).get_json() == {"status": "dead"}


def test_what_cannot_be_done_now_is_tried_again(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    state, real = sender.shop.state, sender.shop.state.pipeline.ingest

    def away(*_: object) -> list[bool]:
        raise UnavailableError("the database is away")

    monkeypatch.setattr(state.pipeline, "ingest", away)
    assert sender.erp(PAID).get_json() == {"status": "waiting"}
    (waiting,) = state.webhooks.kept("waiting")
    assert waiting.tries == 1
    later = waiting
    for place in range(1, len(receiving.PAUSES) + 1):
        later = receiving.process(state, later, time.time())
        assert later.tries == place + 1
    assert later.state == "dead"
    monkeypatch.setattr(state.pipeline, "ingest", real)
    assert receiving.retry(state, later.webhook_id).state == "done"
    assert receiving.run_due(state) == "0 tried, 0 done"


def test_a_delivery_whose_request_ended_early_is_taken_up(sender: Sender) -> None:
    state, raw = sender.shop.state, json.dumps(PAID).encode()
    state.webhooks.add("erp", "", "d-1", b"d" * 32, raw, now=time.time() - 100, next_try_at=time.time() - 40)
    assert receiving.run_due(state) == "1 tried, 1 done"
    assert state.journal.profiles(["u:7"])[0] is not None


def test_bodies_are_sealed_and_go_when_old(sender: Sender) -> None:
    sender.erp(PAID)
    state = sender.shop.state
    (kept,) = state.webhooks.kept()
    assert json.loads(state.webhooks.body(kept.webhook_id) or b"") == PAID
    for file in (sender.shop.app.instance_path,):
        from pathlib import Path

        written = b"".join(path.read_bytes() for path in Path(file).rglob("*") if path.is_file())
        assert b"ada@example.com" not in written
    assert state.webhooks.purge(time.time() + 1) == 1
    assert state.webhooks.kept() == []


def test_a_switched_off_plugin_keeps_nothing(make_sender: Callable[..., Sender]) -> None:
    sender = make_sender(enabled=False)
    assert sender.erp(PAID).get_json() == {"status": "ignored"}
    assert sender.said() == []


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_a_signature_is_of_one_body_under_one_secret(body: bytes, other: bytes) -> None:
    signed = sign("a secret", body, 1_700_000_000)
    assert verify(Scheme(), ["x", "a secret"], body, signed) == 1_700_000_000
    for secrets, what in ((["x"], body), (["a secret"], body + other + b"!")):
        with pytest.raises(UnauthorizedError):
            verify(Scheme(), secrets, what, signed)


@given(st.text(max_size=60))
def test_no_header_breaks_it(given_header: str) -> None:
    for scheme in (Scheme(), SHOPIFY, Scheme(prefix="sha256=", timed=False)):
        with pytest.raises(UnauthorizedError):
            verify(scheme, ["a secret"], b"body", given_header)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(PAID)), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(list(PAID)), json_values, max_size=7))
def test_any_body_is_read_or_refused(body: dict[str, Any]) -> None:
    mapping = load_sources({"erp": ERP})["erp"].map
    assert isinstance(mapping, FieldMap)
    try:
        reading = read_mapped(mapping, "", body, 1_800_000_000.0, "k")
    except InputError:
        return
    assert reading.ignored or reading.happenings


@pytest.mark.parametrize(
    "wrong",
    [
        {"Bad Name": ERP},
        {"erp": {**ERP, "secrets": ["short"]}},
        {"erp": {**ERP, "map": None}},
        {"erp": {**ERP, "kind": "other"}},
        {"erp": {**ERP, "colour": "red"}},
    ],
)
def test_a_source_that_cannot_work_stops_the_start(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match="MTP_WEBHOOKS") as caught:
        load_sources(wrong)
    assert "secret of the erp" not in str(caught.value)
