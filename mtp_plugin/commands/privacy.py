"""``retention`` and ``privacy``: how long data is kept, and the report on all of it."""

from __future__ import annotations

import time
from collections import Counter

import click
import msgspec
from flask.cli import with_appcontext

from ..privacy.report import PrivacyReport, changes, data_rows, recipients, told_settings
from ..privacy.report_text import as_markdown
from ..scheduled import retention_rows
from ..state import State
from .base import answer, command, mounted


def register(mtp: click.Group) -> None:
    """Add these commands to the group."""

    @command(mtp, "retention")
    @click.option("--dry-run", is_flag=True, help="Only count what is older than its setting.")
    @with_appcontext
    def retention(dry_run: bool, as_json: bool) -> None:
        """Delete what is older than its setting, as the job of this name does every day."""
        found = retention_rows(mounted(), dry=dry_run)
        verb = "would be deleted" if dry_run else "deleted"
        lines = [
            f"{row.kind:26} {row.count:>10,} {verb}  ({row.setting}: {row.days:g} days)" for row in found if row.days
        ]
        lines += [f"{row.kind:26} {'kept':>10}  ({row.setting} is 0)" for row in found if not row.days]
        answer({"dry_run": dry_run, "rows": found}, as_json, "\n".join(lines))

    privacy = click.Group("privacy", help="What is kept of visitors, and what to tell of it.")
    mtp.add_command(privacy)

    @command(privacy, "report")
    @click.option("--no-save", is_flag=True, help="Do not keep it to compare the next one with.")
    @with_appcontext
    def report(no_save: bool, as_json: bool) -> None:
        """What is kept, why, where, how long, where it goes, what changed since the last report; as Markdown.

        With texts for a record of processing activities and an impact assessment.
        """
        state = mounted()
        last = state.requests.last_report()
        made = _report(state, msgspec.json.decode(last, type=PrivacyReport) if last else None, time.time())
        if not no_save:
            state.requests.save_report(made.made_at, msgspec.json.encode(made).decode())
        answer(made, as_json, as_markdown(made))


def _report(state: State, before: PrivacyReport | None, now: float) -> PrivacyReport:
    since = before.made_at if before else 0.0
    counts = {
        "events": state.journal.count(),
        "profiles": sum(len(names) for names in state.journal.profile_ids()),
        "suppressions": len(state.requests.suppressions()),
        "audit log": state.audit.head().number,
        "behaviour models": len(state.registry.list("behaviour")),
        "segments": len(state.registry.list("segments")),
    }
    made = PrivacyReport(
        made_at=now,
        rows=data_rows(state.settings, counts, [holder.name for holder in state.subjects.holders]),
        recipients=recipients(state.settings),
        settings=told_settings(state.settings),
        done=dict(Counter(entry.action for entry in state.audit.entries() if entry.at >= since)),
        since=since,
    )
    return msgspec.structs.replace(made, changes=changes(before, made))
