"""``worker`` and ``dead-letters``: for the stream in which events of servers wait."""

from __future__ import annotations

import signal
from functools import partial

import click
import msgspec
from flask.cli import with_appcontext

from ..bus.stream import RedisStream
from ..bus.worker import Worker
from ..errors import SetupError
from ..state import State
from ..web.collect import record_waiting
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
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda number, frame: one.stop())
        say(f"worker {one.name} began")
        done = one.run(until_empty=until_empty)
        text = f"{done.events} events recorded, {done.new} of them new; {done.dead} put aside"
        answer(done, as_json, text)

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


def _stream(state: State) -> RedisStream:
    if not isinstance(state.bus, RedisStream):
        raise SetupError("there is no stream: set MTP_STREAM_URL to a Redis, or let events be recorded at once")
    return state.bus
