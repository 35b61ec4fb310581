"""Who gets into the console of the demo: somebody at this machine, and nobody else."""

from __future__ import annotations

import pytest
from flask import Flask


@pytest.mark.parametrize(
    ("host", "address", "headers", "gets"),
    [
        ("localhost:5000", "127.0.0.1", {}, 200),
        ("127.0.0.1:5000", "::1", {}, 200),
        ("shop.example", "127.0.0.1", {}, 403),
        ("localhost:5000", "10.0.0.7", {}, 403),
        ("localhost:5000", "127.0.0.1", {"X-Forwarded-For": "10.0.0.7"}, 403),
        ("localhost:5000", "127.0.0.1", {"Forwarded": "for=10.0.0.7"}, 403),
    ],
)
def test_whoever_sits_at_this_machine(shop: Flask, host: str, address: str, headers: dict[str, str], gets: int) -> None:
    client = shop.test_client()
    asked = {"base_url": f"http://{host}", "environ_base": {"REMOTE_ADDR": address}, "headers": headers}
    assert client.get("/mtp/admin/", **asked).status_code == gets
    assert client.get("/console", **asked).status_code == (200 if gets == 200 else 404)
    assert (b"/console" in client.get("/", **asked).data) is (gets == 200)


def test_in_the_role_that_was_chosen(shop: Flask) -> None:
    client = shop.test_client()
    entered = client.post("/console", data={"role": "viewer"})
    assert entered.headers["Location"] == "/mtp/admin/"
    assert "Demo viewer" in client.get("/mtp/admin/").text
    assert client.post("/console", data={"role": "owner"}).status_code == 404
