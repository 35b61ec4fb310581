"""``subject``: what visitors may ask of their data, done by whoever runs the shop."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec
from flask.cli import with_appcontext

from ..errors import InputError
from ..ports import SubjectRequest
from ..privacy.readable import as_html, as_text
from ..privacy.subjects import ANSWER_DAYS
from .base import answer, command, mounted, say

ACTOR = "cli"
FORMATS = click.Choice(["json", "html", "text"])
WHO = click.argument("who", nargs=-1, required=True)


def register(mtp: click.Group) -> None:
    """Add these commands to the group."""
    subject = click.Group("subject", help="Requests of visitors; WHO is u:ACCOUNT or a:VISITOR, or several.")
    mtp.add_command(subject)
    _export(subject)
    _erase(subject)
    _others(subject)


def _export(subject: click.Group) -> None:
    @command(subject, "export")
    @click.argument("who", nargs=-1)
    @click.option("--request", "request_id", help="Hand out what this request asked for; see `subject waiting`.")
    @click.option(
        "--format",
        "format_",
        type=click.Choice(["json", "html", "text"]),
        default="json",
        show_default=True,
        help="How it is written.",
    )
    @click.option("--output", type=click.Path(dir_okay=False), help="A file to write to, instead of the terminal.")
    @with_appcontext
    def export(who: tuple[str, ...], request_id: str | None, format_: str, output: str | None, as_json: bool) -> None:
        """Everything that is kept of WHO, or of whom a request named, as JSON or readable."""
        if bool(who) == bool(request_id):
            raise InputError("name WHO, or the --request to answer", field="who")
        subjects = mounted().subjects
        found = subjects.hand_out(request_id, ACTOR) if request_id else subjects.export(who, ACTOR)
        text = {"json": lambda: json.dumps(found, indent=2, sort_keys=True, default=str)}
        writers = {**text, "html": lambda: as_html(found), "text": lambda: as_text(found)}
        written = writers[format_]()
        if output is None:
            answer(found, as_json, written)
            return
        Path(output).write_text(written, encoding="utf-8")
        answer({"output": output}, as_json, f"written to {output}")

    @command(subject, "waiting")
    @with_appcontext
    def waiting(as_json: bool) -> None:
        """Requests for an export that wait to be handed out, such as those of Shopify's customers."""
        found = mounted().subjects.waiting()
        lines = [f"{one.request_id}  asked {_day(one.requested_at)} by {one.actor}, due {_due(one)}" for one in found]
        answer({"requests": [told(one) for one in found]}, as_json, "\n".join(lines) or "Nothing waits.")


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()


def _due(request: SubjectRequest) -> str:
    return _day(request.requested_at + ANSWER_DAYS * 86_400)


def _erase(subject: click.Group) -> None:
    @command(subject, "erase")
    @WHO
    @click.option("--later", is_flag=True, help="Leave the models to the job `erasures`: one training for many.")
    @with_appcontext
    def erase(who: tuple[str, ...], later: bool, as_json: bool) -> None:
        """Erase WHO: events, profile, slates, choices, models; what comes again is refused."""
        _answer(mounted().subjects.erase(who, ACTOR, models=not later), as_json)

    @command(subject, "resume")
    @with_appcontext
    def resume(as_json: bool) -> None:
        """Bring requests that are open or were interrupted to their end, as the job `erasures` does."""
        done = mounted().subjects.resume()
        answer({"requests": [told(one) for one in done]}, as_json, "\n".join(map(_line, done)) or "Nothing is open.")


def _others(subject: click.Group) -> None:
    @command(subject, "restrict")
    @WHO
    @with_appcontext
    def restrict(who: tuple[str, ...], as_json: bool) -> None:
        """Keep what there is of WHO and use none of it, until `subject lift`."""
        _answer(mounted().subjects.restrict(who, ACTOR), as_json)

    @command(subject, "object")
    @WHO
    @with_appcontext
    def object_(who: tuple[str, ...], as_json: bool) -> None:
        """WHO objects to being profiled: nothing of them is used or learnt from."""
        _answer(mounted().subjects.object(who, ACTOR), as_json)

    @command(subject, "lift")
    @WHO
    @with_appcontext
    def lift(who: tuple[str, ...], as_json: bool) -> None:
        """Take a restriction or objection back."""
        _answer(mounted().subjects.lift(who, ACTOR), as_json)

    @command(subject, "rectify")
    @WHO
    @click.option("--set", "changes", multiple=True, help="NAME=VALUE; VALUE may be JSON, null empties the trait.")
    @with_appcontext
    def rectify(who: tuple[str, ...], changes: tuple[str, ...], as_json: bool) -> None:
        """Correct traits of WHO."""
        _answer(mounted().subjects.rectify(who, ACTOR, dict(map(_change, changes))), as_json)

    @command(subject, "requests")
    @WHO
    @with_appcontext
    def requests(who: tuple[str, ...], as_json: bool) -> None:
        """What WHO asked for, and how far it is."""
        found = [one for name in who for one in mounted().subjects.requests_of(name)]
        answer({"requests": [told(one) for one in found]}, as_json, "\n".join(map(_line, found)) or "Nothing.")


def _change(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise InputError("write NAME=VALUE", field="--set")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def told(request: SubjectRequest) -> dict[str, Any]:
    """A request as it is shown: without the ids it still needs."""
    shown: dict[str, Any] = msgspec.to_builtins(request)
    del shown["profile_ids"]
    return shown


def _answer(request: SubjectRequest, as_json: bool) -> None:
    if not request.finished_at and not as_json:
        say("The rest is done by the job `erasures`, or now by `flask mtp subject resume`.")
    answer(told(request), as_json, _line(request))


def _line(request: SubjectRequest) -> str:
    state = "done" if request.finished_at else "open"
    steps = ", ".join(f"{name} {outcome}" for name, outcome in request.steps.items())
    return f"{request.request_id}  {request.kind} {state}: {steps}"
