"""The log as lines of JSON: one object each, the request's id in it and in the answer, whatever was sent."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mtp_plugin.web.logs import HEADER, JsonLines, request_id

from .shop import build_shop

SHOP = """
import sys
from tests.web.shop import build_shop
from pathlib import Path
shop = build_shop(Path(sys.argv[1]), log_format="json")
shop.state.pipeline.recommend = None
client = shop.app.test_client()
client.get("/?user=secret", headers={"X-Request-ID": "abc-2"})
"""


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """What a test adds to the plugin's logger goes again."""
    logger = logging.getLogger("mtp_plugin")
    handlers, propagate = list(logger.handlers), logger.propagate
    yield logger
    logger.handlers[:], logger.propagate = handlers, propagate


def test_every_line_is_an_object_with_the_requests_id(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", SHOP, str(tmp_path)], capture_output=True, text=True, env=environment, check=True
    )
    lines = [json.loads(line) for line in done.stderr.splitlines() if '"logger": "mtp_plugin' in line]
    assert {line["request_id"] for line in lines} == {"abc-2"}
    assert all(line["time"].endswith("+00:00") for line in lines)
    assert any("TypeError" in line["exception"] for line in lines)
    assert "secret" not in json.dumps(lines)


@pytest.mark.parametrize("told", ["", "a b", "x\ty", "ä", "a" * 129, '{"a":1}', "<b>"])
def test_an_id_that_cannot_stand_in_a_log_is_replaced(tmp_path: Path, logger: logging.Logger, told: str) -> None:
    shop = build_shop(tmp_path, log_format="json")
    answer = shop.app.test_client().get("/mtp/health/live", headers={HEADER: told})
    assert len(answer.headers[HEADER]) == 32
    assert answer.headers[HEADER].isalnum()
    shop.state.close()


def test_a_good_one_comes_back_and_two_requests_have_two(tmp_path: Path, logger: logging.Logger) -> None:
    shop = build_shop(tmp_path, log_format="json")
    client = shop.app.test_client()
    assert client.get("/mtp/health/live", headers={HEADER: "01HX/9-a"}).headers[HEADER] == "01HX/9-a"
    first, second = (client.get("/mtp/health/live").headers[HEADER] for _ in range(2))
    assert first != second
    assert sum(isinstance(handler.formatter, JsonLines) for handler in logger.handlers) == 1
    shop.state.close()


def test_without_the_setting_nothing_changes(tmp_path: Path, logger: logging.Logger) -> None:
    shop = build_shop(tmp_path)
    assert HEADER not in shop.app.test_client().get("/mtp/health/live", headers={HEADER: "abc"}).headers
    assert not any(isinstance(handler.formatter, JsonLines) for handler in logger.handlers)
    assert request_id() == ""
    shop.state.close()


def test_a_line_break_stays_in_its_line() -> None:
    record = logging.LogRecord("mtp_plugin.x", logging.ERROR, __file__, 1, "a\n%s", ('{"level": "info"}\u2028',), None)
    text = JsonLines().format(record)
    assert len(text.splitlines()) == 1
    assert json.loads(text)["message"] == 'a\n{"level": "info"}\u2028'
