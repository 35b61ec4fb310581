"""``identity``: which profiles are one person's, suggestions to review, and taking merges back."""

from __future__ import annotations

import getpass
import time
from datetime import UTC, datetime

import click
from flask.cli import with_appcontext

from ..records import Link
from .base import answer, command, mounted

STATES = ("active", "suggested", "refused", "rejected", "undone", "suspended")


def register(mtp: click.Group) -> None:
    """Add these commands to the group."""
    identity = click.Group("identity", help="Who is who: links between profiles, suggestions, merges taken back.")
    mtp.add_command(identity)
    _reading(identity)
    _deciding(identity)


def _reading(identity: click.Group) -> None:
    @command(identity, "list")
    @click.option("--state", type=click.Choice([*STATES, "all"]), default="suggested", help="What became of them.")
    @click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many.")
    @with_appcontext
    def list_links(state: str, limit: int, as_json: bool) -> None:
        """Links in a state, newest first: by default the suggestions that wait for a word."""
        links = mounted().people.identity.links("" if state == "all" else state, limit)
        answer({"links": links}, as_json, "\n".join(map(_line, links)) or f"No link is {state}.")

    @command(identity, "show")
    @click.argument("node")
    @with_appcontext
    def show(node: str, as_json: bool) -> None:
        """All that is linked to NODE, such as u:anna-7 or a:5f0c..., with the history of each link."""
        ledger = mounted().people.identity
        links, cluster = ledger.links_of(node), ledger.cluster(node)
        rows = [{"link": link, "history": ledger.history(link.link_id)} for link in links]
        lines = [f"one person: {', '.join(cluster)}", *map(_line, links)]
        answer({"cluster": cluster, "links": rows}, as_json, "\n".join(lines))

    @command(identity, "suggest")
    @with_appcontext
    def suggest(as_json: bool) -> None:
        """Look for profiles that are alike now, as the job of the same name does every day."""
        from ..scheduled import suggest_links

        said = suggest_links(mounted())
        answer({"said": said}, as_json, said)


def _deciding(identity: click.Group) -> None:
    def decision(name: str, state: str, help: str) -> None:
        @command(identity, name)
        @click.argument("link_id", type=int)
        @with_appcontext
        def decide(link_id: int, as_json: bool) -> None:
            link = mounted().people.decide(link_id, state, time.time(), _who())
            answer({"link": link}, as_json, _line(link))

        decide.help = help

    decision("accept", "active", "Make the suggested link LINK_ID: both profiles are read as one.")
    decision("reject", "rejected", "Turn the suggested link LINK_ID down for good.")
    decision("undo", "undone", "Take the merge by link LINK_ID back: both profiles are what they were.")

    @command(identity, "link")
    @click.argument("left")
    @click.argument("right")
    @with_appcontext
    def link(left: str, right: str, as_json: bool) -> None:
        """Say that LEFT and RIGHT, such as u:anna-7 and a:5f0c..., are one person."""
        from ..records import Claim

        (made,) = mounted().people.claim([Claim(left=left, right=right, kind="manual")], time.time(), _who())
        answer({"link": made}, as_json, _line(made))

    @command(identity, "share")
    @click.argument("node")
    @click.option("--off", is_flag=True, help="One person uses it after all.")
    @with_appcontext
    def share(node: str, off: bool, as_json: bool) -> None:
        """Say that several people use NODE, a browser or an address: it tells of nobody any more."""
        mounted().people.identity.share(node, not off, time.time(), _who())
        answer({"node": node, "shared": not off}, as_json, f"{node} is {'one person' if off else 'shared'}")


def _who() -> str:
    """Who is at the terminal, for the ledger."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return "cli"


def _line(link: Link) -> str:
    when = datetime.fromtimestamp(link.decided_at, UTC).strftime("%Y-%m-%d %H:%M")
    why = f" ({link.reason})" if link.reason else ""
    how = f"by {link.kind} {link.confidence:.2f}, {when} {link.actor}"
    return f"{link.link_id:6} {link.state:9}{why} {link.left} = {link.right} {how}"
