"""Events from a queue and to an exchange, with a real RabbitMQ."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mtp_plugin.bus.broker import REASON, Consumer, KombuBroker, Message
from mtp_plugin.bus.open import open_broker
from mtp_plugin.config import Settings
from mtp_plugin.errors import InputError, SettingError, UnavailableError
from mtp_plugin.forwarding import forward
from mtp_plugin.store.open import open_stores
from mtp_plugin.web.collect import take_messages
from tests.servers import RabbitServer, kill, wait_until
from tests.web.shop import Shop

from .conftest import view

pytestmark = pytest.mark.broker
kombu = pytest.importorskip("kombu", reason="pip install kombu")

Make = Callable[..., Shop]


@pytest.fixture
def queue(rabbit_server: RabbitServer) -> str:
    return f"events.{uuid.uuid4().hex}"


@pytest.fixture
def connection(rabbit_server: RabbitServer) -> Iterator[Any]:
    with kombu.Connection(rabbit_server.url) as opened:
        yield opened


def put(connection: Any, queue: str, *bodies: Any, message_id: str = "") -> None:
    """Send messages as another system of the shop would."""
    for body in bodies:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.Producer().publish(
            sent, routing_key=queue, content_type="application/json", content_encoding="binary", message_id=message_id
        )


def left(connection: Any, queue: str) -> list[Any]:
    """What lies in a queue; it is taken out."""
    channel, found = connection.default_channel, []
    while (message := kombu.Queue(queue)(channel).get(no_ack=True)) is not None:
        found.append(message)
    return found


def consume(shop: Shop, queue: str) -> Consumer:
    """Take all there is."""
    assert isinstance(shop.state.broker, KombuBroker)
    one = Consumer(shop.state.broker, queue, lambda messages: take_messages(shop.state, messages))
    with shop.app.app_context():
        one.run(until_empty=True)
    return one


def test_events_come_from_a_queue_once(
    make_shop: Make, rabbit_server: RabbitServer, connection: Any, queue: str
) -> None:
    shop = make_shop(broker_url=rabbit_server.url, broker_queue=queue)
    consume(shop, queue)  # makes the queue
    put(connection, queue, view(1), {"batch": [view(2), view(3, "ben")]}, view(1))
    nameless = {"type": "track", "event": "Product Viewed", "userId": "ada", "properties": {"product_id": "p001"}}
    put(connection, queue, nameless, nameless, message_id="sent twice")
    assert (consume(shop, queue).taken, shop.state.journal.count()) == (5, 4)
    profile = shop.state.journal.profiles(["u:ada"])[0]
    assert profile is not None
    assert profile.events == 3
    assert left(connection, queue) == left(connection, f"{queue}.dead") == []


def test_bad_messages_are_put_aside_with_the_reason(
    make_shop: Make, rabbit_server: RabbitServer, connection: Any, queue: str
) -> None:
    shop = make_shop(broker_url=rabbit_server.url, body_max_kb=16)
    consume(shop, queue)
    bad = [b"\xff no JSON", [], {"type": "dance"}, {"batch": [view(1), {"type": "track"}]}, {"x": "y" * 20_000}]
    put(connection, queue, *bad, view(2))
    done = consume(shop, queue)
    assert (done.taken, done.dead) == (6, 5)
    assert shop.state.journal.count() == 2, "the good part of a batch is kept"
    letters = left(connection, f"{queue}.dead")
    reasons = [letter.headers[REASON] for letter in letters]
    assert [
        word in reason for word, reason in zip(("JSON", "object", "type", "batch.1", "bytes"), reasons, strict=True)
    ] == [True] * 5, reasons
    assert bytes(letters[0].body) == bad[0], "as it came"


def test_what_cannot_be_recorded_now_stays_in_the_queue(
    rabbit_server: RabbitServer, connection: Any, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mtp_plugin.bus.broker.PAUSE_S", 0.01)
    broker, tries, taken = KombuBroker(rabbit_server.url), list[int](), list[bytes]()

    def take(messages: list[Message]) -> list[str]:
        tries.append(len(messages))
        if len(tries) < 4:
            raise UnavailableError("away")
        if any(b"bad" in message.body for message in messages):
            raise InputError("this one cannot be stored")
        taken.extend(message.body for message in messages)
        return [""] * len(messages)

    Consumer(broker, queue, take).run(until_empty=True)
    put(connection, queue, *(b"%d" % number for number in range(10)), b"bad", b"after")
    assert Consumer(broker, queue, take).run(until_empty=True) is None
    assert taken == [*(b"%d" % number for number in range(10)), b"after"]
    [letter] = left(connection, f"{queue}.dead")
    assert letter.headers[REASON] == "this one cannot be stored"

    put(connection, queue, b"later")

    def stop(messages: list[Message]) -> list[str]:
        one.stop()
        raise UnavailableError("away")

    one = Consumer(broker, queue, stop)
    one.run()
    assert [bytes(message.body) for message in left(connection, queue)] == [b"later"]


SHOP = """
from flask import Flask
from mtp_plugin import MTP
app = Flask("shop", instance_path={folder!r})
app.secret_key = "tests only, but long enough"
app.config.update({config!r})
MTP(app)
"""


def test_a_consumer_killed_at_work_loses_and_doubles_nothing(
    tmp_path: Path, rabbit_server: RabbitServer, connection: Any, queue: str
) -> None:
    config = {"MTP_BROKER_URL": rabbit_server.url, "MTP_BROKER_QUEUE": queue}
    (tmp_path / "shop.py").write_text(SHOP.format(folder=str(tmp_path), config=config))
    words = [sys.executable, "-m", "flask", "--app", "shop", "mtp", "consume"]
    subprocess.run([*words, "--until-empty"], cwd=tmp_path, check=True, capture_output=True)
    put(connection, queue, *({"batch": [view(10 * n + k) for k in range(10)]} for n in range(300)))
    stores = open_stores(Settings(), str(tmp_path))
    try:
        first = subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        wait_until(lambda: stores.journal.count() > 0, "recording the first")
        kill(first)
        first.communicate()
        second = subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        wait_until(lambda: stores.journal.count() == 3000, "recording all")
        second.send_signal(signal.SIGTERM)
        assert "messages taken" in second.communicate()[0]
        assert len({event.message_id for some in stores.journal.scan() for event in some}) == 3000
        profile = stores.journal.profiles(["u:ada"])[0]
        assert profile is not None
        assert profile.events == 3000
    finally:
        stores.close()
    assert left(connection, queue) == left(connection, f"{queue}.dead") == []


def test_events_go_to_an_exchange(make_shop: Make, rabbit_server: RabbitServer, connection: Any, queue: str) -> None:
    target = {"kind": "broker", "exchange": f"shop.{queue}", "purpose": "necessary", "events": ["Product Viewed"]}
    shop = make_shop(broker_url=rabbit_server.url, forward={"bus": target})
    assert forward(shop.state) == "bus: begins with the next event"
    channel = connection.default_channel
    exchange = kombu.Exchange(f"shop.{queue}", type="topic", durable=True)
    kombu.Queue(queue, exchange=exchange, routing_key="product.*")(channel).declare()
    shop.browser().agree().view("p003")
    assert forward(shop.state) == "bus: 1 sent, 0 withheld"
    [message] = left(connection, queue)
    told = json.loads(bytes(message.body) if isinstance(message.body, memoryview) else message.body)
    assert (told["event"], told["properties"]["products"][0]["product_id"]) == ("Product Viewed", "p003")
    assert message.properties["message_id"] == told["messageId"]
    assert message.properties["delivery_mode"] == 2


def test_a_broker_that_is_away_is_waited_for(make_shop: Make) -> None:
    target = {"kind": "broker", "exchange": "shop", "purpose": "necessary"}
    shop = make_shop(broker_url="amqp://127.0.0.1:1//", forward={"bus": target})
    forward(shop.state)
    shop.browser().agree().view("p003")
    assert "the broker cannot be used now" in forward(shop.state)
    assert "waits" in forward(shop.state)
    assert isinstance(shop.state.broker, KombuBroker)
    assert shop.state.broker.probe()


def test_without_a_broker_it_is_said(make_shop: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = make_shop()
    told = shop.app.test_cli_runner().invoke(args=["mtp", "consume"])
    assert (told.exit_code, "MTP_BROKER_URL" in told.stderr) == (1, True)
    assert open_broker(Settings()) is None
    monkeypatch.setattr("mtp_plugin.bus.broker.installed", lambda: False)
    with pytest.raises(SettingError, match=r"mtp-plugin\[broker\]"):
        open_broker(Settings(broker_url="amqp://x"))
    with pytest.raises(SettingError, match="needs MTP_BROKER_URL"):
        make_shop(forward={"bus": {"kind": "broker", "exchange": "shop"}})
