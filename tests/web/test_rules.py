"""``v1/rules``: for servers alone, versions that are not overwritten, errors that say where and are never a 500."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ..core.shops import BROWSER, mounted, watches

KEY = {"Authorization": "Bearer sk_test_1234"}
RULE = {"rule_id": "calm", "then": [{"effect": "title", "title": "Calm"}]}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    folder: Path = tmp_path_factory.mktemp("shop")
    return mounted(folder, watches(), MTP_SECRET_KEYS=["sk_test_1234"])[0].test_client()


def test_without_a_secret_key_nothing_is_said(client: FlaskClient) -> None:
    for method, path in (("GET", "/rules"), ("PUT", "/rules"), ("DELETE", "/rule/x"), ("POST", "/rule/x/enable")):
        assert client.open(f"/mtp/v1{path}", method=method, headers=BROWSER, json={}).status_code == 401


def test_write_read_switch_delete_roll_back(client: FlaskClient) -> None:
    put = client.put("/mtp/v1/rule/calm", json={"rule": RULE}, headers=KEY)
    assert put.status_code == 200, put.text
    first = put.get_json()["version"]
    assert client.get("/mtp/v1/rules", headers=KEY).get_json() == {"version": first, "rules": [RULE]}
    assert client.post("/mtp/v1/rule/calm/disable", headers=KEY).get_json()["version"] == first + 1
    assert client.get("/mtp/v1/rules", headers=KEY).get_json()["rules"][0]["enabled"] is False
    late = client.put("/mtp/v1/rules", json={"rules": [], "version": first}, headers=KEY)
    assert (late.status_code, late.get_json()["error"]["code"]) == (409, "conflict")
    assert client.delete("/mtp/v1/rule/calm", headers=KEY).status_code == 200
    assert client.delete("/mtp/v1/rule/calm", headers=KEY).status_code == 404
    back = client.post("/mtp/v1/rules/rollback", json={"version": first}, headers=KEY).get_json()
    assert client.get("/mtp/v1/rules", headers=KEY).get_json() == {"version": back["version"], "rules": [RULE]}
    history = client.get("/mtp/v1/rules/history", headers=KEY).get_json()["versions"]
    assert [info["created_by"] for info in history[:4]] == ["server"] * 4


def test_what_is_found_keeps_it_from_being_saved(client: FlaskClient) -> None:
    empty = {"rule_id": "empty", "then": [{"effect": "filter", "where": {"brand": "Nobody"}}]}
    checked = client.post("/mtp/v1/rules/check", json={"rules": [empty]}, headers=KEY).get_json()
    assert [finding["code"] for finding in checked["findings"]] == ["empties-placement"]
    refused = client.put("/mtp/v1/rule/empty", json={"rule": empty}, headers=KEY)
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (400, "findings")
    forced = client.put("/mtp/v1/rule/empty", json={"rule": empty, "force": True}, headers=KEY).get_json()
    assert [finding["rule_id"] for finding in forced["findings"]] == ["empty"]
    client.delete("/mtp/v1/rule/empty", headers=KEY)


def test_errors_say_where(client: FlaskClient) -> None:
    wrong = {"rules": [RULE, {**RULE, "rule_id": "b", "when": {"context.hour": {"$lit": 3}}}]}
    error = client.put("/mtp/v1/rules", json=wrong, headers=KEY).get_json()["error"]
    assert (error["code"], error["field"]) == ("invalid-condition", "rules.1.when.context.hour.$lit")
    error = client.put("/mtp/v1/rule/other", json={"rule": RULE}, headers=KEY).get_json()["error"]
    assert error["field"] == "rule.rule_id"


NAMES = st.text(string.ascii_letters + "$.", max_size=6)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 2**70), st.floats(allow_nan=False), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(NAMES, inner, max_size=3),
    ),
    max_leaves=8,
)
FIELDS = ["rule_id", "when", "then", "priority", "schedule", "experiment", "placements", "enabled", "name", "note"]
EFFECTS = ["filter", "boost", "bury", "prefer", "require", "pin", "lock", "limit", "strategy", "title", "message", "?"]
OF_EFFECTS = ["where", "by", "tags", "position", "product_id", "product_ids", "until", "per", "most", "text", "url"]
PLAUSIBLE = st.fixed_dictionaries(
    {"rule_id": st.one_of(st.just("r"), JSON)},
    optional={
        **{name: JSON for name in FIELDS[1:] if name != "then"},
        "then": st.lists(
            st.fixed_dictionaries({"effect": st.sampled_from(EFFECTS)}, optional=dict.fromkeys(OF_EFFECTS, JSON)),
            max_size=3,
        ),
    },
)


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(st.one_of(JSON, st.builds(lambda rules: {"rules": rules}, st.lists(PLAUSIBLE, max_size=2))))
def test_whatever_comes_is_told_apart(client: FlaskClient, body: Any) -> None:
    for path in ("rules/check", "rules/rollback"):
        answer = client.post(f"/mtp/v1/{path}", data=json.dumps(body), content_type="application/json", headers=KEY)
        assert answer.status_code in (200, 400, 404), answer.text
        if answer.status_code == 400:
            assert answer.get_json()["error"]["message"]
