"""``worker``, ``consume`` and ``dead-letters``: for events that wait in a stream or a queue."""

from __future__ import annotations

import gc
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

import click
import msgspec
from flask.cli import with_appcontext

from ..bus.broker import Consumer, KombuBroker
from ..bus.stream import RedisStream
from ..bus.worker import Worker
from ..errors import SetupError, UnavailableError
from ..state import State
from ..web.collect import record_waiting, take_messages
from .base import answer, command, mounted, say


def register(mtp: click.Group) -> None:
    """Add these commands to the group."""

    @command(mtp, "worker")
    @click.option("--until-empty", is_flag=True, help="End when nothing waits any more.")
    @click.option(
        "--take-over",
        type=click.FloatRange(min=0.1),
        default=30.0,
        help="Seconds after which entries are taken over from a worker that does nothing.",
    )
    @with_appcontext
    def worker(until_empty: bool, take_over: float, as_json: bool) -> None:
        """Record the events that wait in the stream, until SIGTERM: run one or more on any machine.

        On SIGTERM it finishes what it has taken. What a worker that died had taken, another takes over.
        """
        state = mounted()
        one = Worker(_stream(state), partial(record_waiting, state), take_over_s=take_over)
        _ends_by_signal(one.stop)
        _warm(state)
        with _without_looking_at_what_stays():
            say(f"worker {one.name} began")
            done = one.run(until_empty=until_empty)
        text = f"{done.events} events recorded, {done.new} of them new; {done.dead} put aside"
        answer(done, as_json, text)

    @command(mtp, "consume")
    @click.option("--until-empty", is_flag=True, help="End when the queue is empty.")
    @with_appcontext
    def consume(until_empty: bool, as_json: bool) -> None:
        """Record the events that other systems put into the broker's queue, until SIGTERM."""
        state = mounted()
        if not isinstance(state.broker, KombuBroker):
            raise SetupError("there is no broker: set MTP_BROKER_URL, such as amqp://host")
        one = Consumer(state.broker, state.settings.broker_queue, partial(take_messages, state))
        _ends_by_signal(one.stop)
        say(f"taking from {state.settings.broker_queue}")
        one.run(until_empty=until_empty)
        done = {"messages": one.taken, "dead": one.dead}
        answer(done, as_json, f"{one.taken} messages taken, {one.dead} of them put aside")

    @command(mtp, "dead-letters")
    @click.option("--retry", is_flag=True, help="Have workers try all of them again.")
    @with_appcontext
    def dead_letters(retry: bool, as_json: bool) -> None:
        """What could not be recorded, and why."""
        stream = _stream(mounted())
        rows = []
        for letter in stream.dead_letters():
            again = retry and stream.revive(letter)
            number = letter.entry.entry_id.decode()
            rows.append({"id": number, "events": letter.entry.events, "why": letter.why, "retried": again})
        text = "\n".join(f"{row['id']}  {row['events']:>5} events  {row['why']}" for row in rows)
        answer({"dead_letters": msgspec.to_builtins(rows)}, as_json, text or "There are none.")


@contextmanager
def _without_looking_at_what_stays() -> Iterator[None]:
    """Collections of garbage pass over all that there is by now, the catalogue above all.

    A worker makes and drops tens of thousands of objects a transaction: looking at the rest each time took a sixth of
    its time.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _warm(state: State) -> None:
    """Load what folding needs; where the database is away the first entries will."""
    with suppress(UnavailableError):
        state.pipeline.live.refresh()


def _ends_by_signal(stop: Callable[[], None]) -> None:
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda number, frame: stop())


def _stream(state: State) -> RedisStream:
    if not isinstance(state.bus, RedisStream):
        raise SetupError("there is no stream: set MTP_STREAM_URL to a Redis, or let events be recorded at once")
    return state.bus
