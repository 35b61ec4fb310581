"""The table of who may do what is true, and what must hold in it holds."""

from __future__ import annotations

import pytest
from werkzeug.routing import Rule

from ..docs.authorisation_page import PAGE, page
from .matrix import ACTORS, ROLES, Row, asks_of, matrix

LEFT_NOTHING = ("401", "403", "dropped", "non-personal")
OPEN = {
    "`GET /.well-known/gpc.json`", "`GET admin/static/<name>`", "`GET health/live`", "`GET health/ready`",
    "`GET mtp.css`", "`GET openapi.json`",
}  # fmt: skip
"""Besides ``widget*.js``: what everybody may read."""


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    return list(matrix(tmp_path_factory.mktemp("matrix")))


def of(row: Row, actor: str) -> str:
    return row.cells[list(ACTORS).index(actor)]


def test_the_table_is_what_routes_answer(rows: list[Row]) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text, rows) == text, "look whether that is meant, then run python -m tests.docs.authorisation_page"


def test_a_new_route_stops_the_table() -> None:
    with pytest.raises(LookupError, match="say in tests/security/matrix"):
        asks_of(Rule("/mtp/v1/new", endpoint="mtp.new"))


def test_only_servers_speak_for_others(rows: list[Row]) -> None:
    others = [actor for actor in ACTORS if actor != "secret key"]
    naming = [row for row in rows if "naming another" in row.route]
    assert len(naming) >= 10
    for row in naming:
        assert {of(row, actor) for actor in others} <= {"403", "kept", "dropped"}, row


def test_the_console_is_for_whom_the_guard_lets_in(rows: list[Row]) -> None:
    pages = [row for row in rows if " admin/" in row.route and "static" not in row.route]
    assert len(pages) >= 50
    for row in pages:
        for actor in ("nobody", "visitor", "other site", "write key", "write key elsewhere", "secret key"):
            assert of(row, actor) == "403", row
        if "`POST" in row.route:
            assert of(row, "forged form") == "403", row
        # Each role may do what those before it may.
        may = [of(row, role) == "yes" for role in ROLES]
        assert may == sorted(may), row


def test_nobody_and_other_sites_leave_nothing_behind(rows: list[Row]) -> None:
    for row in rows:
        method = row.route.strip("`").split()[0]
        if method == "GET" or "signed" in row.route:
            continue
        for actor in ("other site", "write key elsewhere", "forged form"):
            assert of(row, actor) in LEFT_NOTHING, row
        # A choice is the chooser's own: it answers with the cookie that holds it.
        assert of(row, "nobody") in LEFT_NOTHING or row.route == "`POST v1/privacy/consent`", row


def test_everybody_reads_only_what_is_public(rows: list[Row]) -> None:
    for row in rows:
        if all(cell == "yes" for cell in row.cells):
            assert row.route in OPEN or row.route.startswith("`GET widget") or "signed" in row.route, row
