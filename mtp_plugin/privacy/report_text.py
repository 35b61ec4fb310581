"""The report as Markdown, with texts for a record of processing (Art. 30 GDPR) and an impact assessment (Art. 35).

The texts say what the plugin does. Names, addresses and the judgement are the controller's: marked [...] in them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from .report import PrivacyReport

RECORD = """\
| point | text |
|---|---|
| Controller | [name and address of the shop, data protection officer] |
| Purpose | Suggestions of products in the shop that suit the visitor; measuring whether they help |
| Data subjects | Visitors and customers of the shop |
| Categories of data | {kinds} |
| Recipients | {recipients} |
| Third countries | [none, unless a recipient above is in one] |
| Time limits | {limits} |
| Security | Keyed hashes (HMAC-SHA256) of e-mail and phone, addresses cut to a network, signed cookies, \
an audit log that shows tampering, access by secret keys, no personal data in logs, addresses and metrics |"""

RISKS = (
    ("A visitor is profiled without wanting it", "Nothing is kept before permission (opt-in); GPC and DNT count as a "
     "no; a no is as easy as a yes; revoking stops collection at once"),
    ("Data is kept longer than needed", "Retention by kind and by job, dry run; preferences fade by half in days"),
    ("A leak tells who bought what", "No names or addresses: random ids, keyed hashes; the key is kept apart"),
    ("Somebody sees another's suggestions", "Personal answers are never shared by caches; tests with marked values"),
    ("Sensitive conclusions from purchases", "Reasons are shown with each suggestion, interests can be edited; "
     "[leave sensitive categories out by a rule or a placement's filter]"),
    ("An erased visitor lives on in a model", "Models are made anew without them, bit for bit as if never there"),
    ("An erased visitor comes back by an import", "Suppression by keyed hash"),
    ("Decisions with legal effect (Art. 22)", "None: products are ordered, prices and access are not"),
)  # fmt: skip


def as_markdown(report: PrivacyReport) -> str:
    """The whole report."""
    parts = [
        f"# Privacy report of {_day(report.made_at)}",
        "## What is kept",
        _table(report),
        "## Where it goes",
        _list(report.recipients) or "To nobody outside of the shop's own servers.",
        "## What was done" + (f" since {_day(report.since)}" if report.since else ""),
        _list(f"{action}: {count:,}" for action, count in sorted(report.done.items())) or "Nothing was asked for.",
        "## What changed since the last report",
        _list(report.changes),
        "## For the record of processing activities (Art. 30 GDPR)",
        _record(report),
        "## For the impact assessment (Art. 35 GDPR)",
        "Profiling of visitors' behaviour in one shop; no data of other sites, no special categories by design.",
        "| risk | measure | left over |\n|---|---|---|\n"
        + "\n".join(f"| {risk} | {measure} | [your judgement] |" for risk, measure in RISKS),
    ]
    return "\n\n".join(parts) + "\n"


def _table(report: PrivacyReport) -> str:
    head = "| kind | what | why | basis | where | how long | how many |\n|---|---|---|---|---|---|---|\n"
    return head + "\n".join(
        f"| {row.kind} | {row.what} | {row.why} | {row.basis} | {row.where} | {row.how_long} | "
        f"{f'{row.count:,}' if row.count >= 0 else ''} |"
        for row in report.rows
    )


def _record(report: PrivacyReport) -> str:
    return RECORD.format(
        kinds="; ".join(f"{row.kind}: {row.what}" for row in report.rows),
        recipients="; ".join(report.recipients) or "none",
        limits="; ".join(f"{row.kind}: {row.how_long}" for row in report.rows),
    )


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _day(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")
