"""The weather: a server that answers, is slow, wrong and gone. No visitor ever waits for it."""

from __future__ import annotations

import pytest

from mtp_plugin.outbound import Outbound
from mtp_plugin.profile.enrich.null import NoWeather
from mtp_plugin.records import Reading
from mtp_plugin.store.http_weather import HttpWeather
from mtp_plugin.store.later import Later

from ..answering import AnsweringServer
from ..servers import free_port, wait_until

WHERE = "/v1?lat={latitude}&lon={longitude}&key=secret"


@pytest.fixture
def server():
    server = AnsweringServer({"current": {"temperature_2m": 7.04, "weather_code": 61}})
    yield server
    server.close()


@pytest.fixture
def weather(server):
    """Gives sources that ask the server; their breaker pauses as short as the test says."""
    made = []

    def make(**options):
        made.append(
            HttpWeather(
                options.pop("url", server.url + WHERE),
                outbound=Outbound(["127.0.0.1"]),
                **{"timeout": 5.0, "pause": 0.01, **options},
            )
        )
        return made[-1]

    yield make
    for source in made:
        source.close()


def test_where_none_is_configured_it_is_unknown():
    assert (NoWeather().now(1.0, 2.0), NoWeather().probe()) == (None, "")


def test_the_first_who_asks_learns_nothing_and_the_next_one_does(server, weather):
    source = weather()
    assert source.now(52.5, 13.4) is None
    assert source.flush(60)
    assert source.now(52.5, 13.4) == Reading("rain", 7.0)
    assert server.asked == ["/v1?lat=52.5&lon=13.4&key=secret"]
    assert source.probe() == ""


def test_a_question_is_asked_once_however_many_wait(server, weather):
    server.answer = lambda handler: (server.go.wait(60), handler.send_error(500))
    source = weather()
    assert [source.now(1.0, 2.0) for _ in range(50)] == [None] * 50
    wait_until(lambda: bool(server.asked), "the question")
    assert [source.now(1.0, 2.0) for _ in range(50)] == [None] * 50
    server.go.set()
    source.flush(60)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("fields", "body", "reading"),
    [
        ({}, {"weather": [{"main": "Snow"}], "main": {"temp": -3}}, Reading("snow", -3.0)),
        ({}, {"current": {"weather_code": 0}}, Reading("clear", None)),
        ({"weather": "a.1.b", "temperature": "t"}, {"a": [{}, {"b": "Hot"}], "t": 39}, Reading("hot", 39.0)),
        ({"temperature": "t"}, {"t": 39, "weather": [{"main": "Snow"}]}, Reading("", 39.0)),
    ],
)
def test_forms_of_answers(server, weather, fields, body, reading):
    server.answer = 200, body
    source = weather(fields=fields)
    source.now(1.0, 2.0)
    source.flush(60)
    assert source.now(1.0, 2.0) == reading


@pytest.mark.parametrize(
    "answer",
    [
        (500, {}),
        (302, {}),
        (200, b"<html>"),
        (200, b"[]"),
        (200, {"current": {"temperature_2m": "cold", "weather_code": True}}),
        (200, {"current": {"temperature_2m": 4000}}),
        (200, b'{"current": {"temperature_2m": NaN}}'),
        (200, b'{"x": "' + b"y" * 200_000 + b'"}'),
        (200, {}),
    ],
    ids=str,
)
def test_what_is_wrong_is_unknown_and_said_without_the_key(server, weather, answer, caplog):
    server.answer = answer
    source = weather()
    source.now(1.0, 2.0)
    source.flush(60)
    assert source.now(1.0, 2.0) is None
    assert "127.0.0.1" in source.probe()
    assert "secret" not in caplog.text + source.probe()


def test_a_slow_server_costs_no_visitor_anything(server, weather):
    def drip(handler):
        handler.send_response(200)
        handler.end_headers()
        try:
            while not server.go.wait(0.02):
                handler.wfile.write(b" ")
        except OSError:
            pass

    for answer in (lambda handler: server.go.wait(60), drip):
        server.answer = answer
        source = weather(timeout=0.1)
        assert source.now(1.0, 2.0) is None
        wait_until(lambda source=source: source.probe() != "", "giving up")
        assert "127.0.0.1" in source.probe()


def test_a_server_that_is_gone_is_left_alone_and_found_again(server, weather):
    source = weather(url=f"http://127.0.0.1:{free_port()}/", pause=100.0)
    source.now(1.0, 2.0)
    source.flush(60)
    assert "ConnectionError" in source.probe()
    assert [source.now(float(place), 2.0) for place in range(20)] == [None] * 20
    assert source._later._asked == set()


def test_the_breaker_lets_one_try_and_closes_again(server):
    seconds, answers = [0.0], iter([ConnectionError("down"), "up"])

    def fetch(key):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    later = Later("oracle", fetch, seconds=60.0, pause=10.0, clock=lambda: seconds[0])
    later.get("a")
    assert later.flush(60)
    assert (later.get("a"), later.trouble) == (None, "down")
    seconds[0] = 11.0
    later.get("a")
    assert later.flush(60)
    assert (later.get("a"), later.trouble) == ("up", "")
    later.close()


def test_an_old_answer_is_better_than_none_for_a_while():
    seconds, answers = [0.0], iter(["one", "two"])
    later = Later("oracle", lambda key: next(answers), seconds=60.0, clock=lambda: seconds[0])
    later.get("a")
    assert later.flush(60)
    assert later.get("a") == "one"
    seconds[0] = 70.0
    assert later.get("a") == "one"
    assert later.flush(60)
    assert later.get("a") == "two"
    later.close()


def test_an_old_answer_is_forgotten_when_it_is_too_old():
    seconds, answers = [0.0], ["one"]
    later = Later("oracle", lambda key: answers.pop(), seconds=60.0, clock=lambda: seconds[0])
    later.get("a")
    assert later.flush(60)
    seconds[0] = 130.0
    assert later.get("a") is None
    assert later.flush(60)
    assert later.get("a") is None
    later.close()


@pytest.mark.parametrize(
    ("make", "word"),
    [(lambda: HttpWeather("x", timeout=0), "timeout"), (lambda: Later("x", str, seconds=0), "seconds")],
)
def test_constructors_check(make, word):
    with pytest.raises(ValueError, match=word):
        make()
