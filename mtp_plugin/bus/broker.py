"""Events from a queue of RabbitMQ, or of another broker that kombu knows, and to an exchange.

A message is acknowledged after its events are durable. One that cannot be read, or events of which are wrong, goes to
``<queue>.dead`` with the reason in the header ``x-mtp-error``; so does, by the broker itself, one that was delivered
ten times and never finished.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from threading import Event as Flag
from typing import Any, NamedTuple

from ..errors import InputError, SettingError, UnavailableError
from ..ports import Letter
from ..store.breaker import first_line

log = logging.getLogger(__name__)

SETTING = "MTP_BROKER_URL"
CONNECT_S = 5.0
HEARTBEAT_S = 30
GROUP = 200
"""Messages recorded together at most; also how many the broker hands out beforehand."""
GATHER_S = 0.05
"""How long a first message waits for others."""
WAIT_S = 0.5
PAUSE_S = 0.5
"""Between two tries while the database or the broker is away."""
DELIVERIES = 10
REASON = "x-mtp-error"


class Message(NamedTuple):
    """What was taken from a queue: its body, and the id that its sender gave it, empty if none."""

    body: bytes
    message_id: str


Take = Callable[[Sequence[Message]], list[str]]
"""Makes messages durable; gives for each what is wrong with it, empty for nothing. May raise
:class:`UnavailableError`: none of them is done."""


class KombuBroker:
    """Implements :class:`mtp_plugin.ports.Broker`.

    :param url: as kombu takes it, such as ``amqp://user:password@host/vhost``
    :raises SettingError: kombu is not installed
    """

    def __init__(self, url: str) -> None:
        if not installed():
            raise SettingError(SETTING, "...", "pip install 'mtp-plugin[broker]'")
        self._url = url

    @contextmanager
    def connected(self) -> Iterator[Any]:
        """A connection; its faults become :class:`UnavailableError`."""
        kombu = _kombu()
        options = {"confirm_publish": True}
        with kombu.Connection(
            self._url, connect_timeout=CONNECT_S, heartbeat=HEARTBEAT_S, transport_options=options
        ) as connection:
            faults = (*connection.connection_errors, *connection.channel_errors, OSError, kombu.exceptions.KombuError)
            try:
                connection.ensure_connection(max_retries=1, interval_start=0)
                yield connection
            except faults as error:
                raise UnavailableError(f"the broker cannot be used now: {first_line(error)}") from error

    def publish(self, exchange: str, letters: Sequence[Letter]) -> None:
        with self.connected() as connection:
            to = _kombu().Exchange(exchange, type="topic", durable=True)
            producer = connection.Producer(exchange=to, auto_declare=True)
            for letter in letters:
                producer.publish(
                    letter.body,
                    routing_key=letter.topic,
                    message_id=letter.message_id,
                    content_type="application/json",
                    content_encoding="utf-8",
                    delivery_mode=2,
                    timeout=CONNECT_S,
                )

    def probe(self) -> str:
        try:
            with self.connected():
                return ""
        except UnavailableError as error:
            return str(error)


class Consumer:
    """Takes the messages of a queue until told to stop.

    :param queue: made if there is none, with its dead letters
    """

    def __init__(self, broker: KombuBroker, queue: str, take: Take) -> None:
        self._broker, self._name, self._take = broker, queue, take
        self._stop = Flag()
        self._waiting: list[Any] = []
        self.taken = self.dead = 0

    def stop(self) -> None:
        """Have :meth:`run` finish what it has and return; safe in a signal's handler."""
        self._stop.set()

    def run(self, *, until_empty: bool = False) -> None:
        """Work until told to stop, or until the queue is empty."""
        while not self._stop.is_set():
            self._waiting = []  # what was not acknowledged comes again
            try:
                with self._broker.connected() as connection:
                    self._consume(connection, until_empty)
                if until_empty:
                    return
            except UnavailableError as error:
                log.warning("the queue cannot be read, trying again: %s", error)
                self._stop.wait(PAUSE_S)

    def _consume(self, connection: Any, until_empty: bool) -> None:
        queue = self._declared(connection)
        options = {"on_message": self._waiting.append, "prefetch_count": GROUP, "auto_declare": False}
        with connection.Consumer([queue], **options):
            while not self._stop.is_set():
                try:
                    connection.drain_events(timeout=GATHER_S if self._waiting else WAIT_S)
                    if len(self._waiting) < GROUP:
                        continue
                except TimeoutError:
                    connection.heartbeat_check()
                    if until_empty and not self._waiting:
                        return
                self._finish(connection)
            self._finish(connection)

    def _declared(self, connection: Any) -> Any:
        kombu = _kombu()
        dead, kind = f"{self._name}.dead", {"x-queue-type": "quorum"}
        onwards = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead, "x-delivery-limit": DELIVERIES}
        channel = connection.default_channel
        kombu.Queue(dead, durable=True, queue_arguments=kind)(channel).declare()
        queue = kombu.Queue(self._name, durable=True, queue_arguments={**kind, **onwards})
        queue(channel).declare()
        return queue

    def _finish(self, connection: Any) -> None:
        messages = list(self._waiting)
        if not messages:
            return
        given = [Message(_bytes(message.body), str(message.properties.get("message_id") or "")) for message in messages]
        while True:
            try:
                verdicts = self._verdicts(given)
                break
            except UnavailableError as error:
                log.warning("%d messages cannot be recorded now, trying again: %s", len(messages), error)
                if self._stop.wait(PAUSE_S):
                    return  # they go back into the queue
                connection.heartbeat_check()
        for message, one, wrong in zip(messages, given, verdicts, strict=True):
            if wrong:
                self._bury(connection, one, wrong)
            message.ack()
        self.taken += len(messages)
        del self._waiting[: len(messages)]

    def _verdicts(self, messages: Sequence[Message]) -> list[str]:
        """What is wrong with each, halving what fails until the bad ones are alone."""
        try:
            return self._take(messages)
        except UnavailableError:
            raise
        except Exception as error:
            if len(messages) > 1:
                middle = len(messages) // 2
                return [*self._verdicts(messages[:middle]), *self._verdicts(messages[middle:])]
            if not isinstance(error, InputError):
                log.exception("a message cannot be recorded")
            return [str(error) or type(error).__name__]

    def _bury(self, connection: Any, message: Message, why: str) -> None:
        connection.Producer().publish(
            message.body,
            routing_key=f"{self._name}.dead",
            message_id=message.message_id,
            headers={REASON: why[:300]},
            content_type="application/json",
            content_encoding="binary",
            delivery_mode=2,
            timeout=CONNECT_S,
        )
        self.dead += 1
        log.error("a message of the queue was put aside: %s", why[:300])


def installed() -> bool:
    """Whether there is kombu; once it is loaded, what stands in its place does not say where it came from."""
    return "kombu" in sys.modules or find_spec("kombu") is not None


def _kombu() -> Any:
    """The library, which is an extra: nothing else loads it."""
    return import_module("kombu")


def _bytes(body: Any) -> bytes:
    return body.encode("utf-8", "surrogateescape") if isinstance(body, str) else bytes(body)
