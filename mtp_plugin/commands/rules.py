"""``rules``: the merchant's rules from files and back, so that they can live in a repository too."""

from __future__ import annotations

import getpass
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import msgspec
from flask.cli import with_appcontext

from ..errors import FindingsError, InputError
from ..facts import vocabulary
from ..records import ConsentLevel, Context, Rule, RuleSet, RuleSetInfo, Slate, SlateItem, SlateRequest
from ..rules.checks import Finding
from ..rules.read import read_ruleset, schema
from ..rules.schedule import moment
from ..rules.summary import summary
from ..trial import Trial, touched, try_rules
from .base import answer, command, mounted, say

FILE = click.Path(exists=True, dir_okay=False, allow_dash=True)


def register(mtp: click.Group) -> None:
    """Add these commands to the group."""
    rules = click.Group("rules", help="The merchant's rules: list, check, import, export, try, switch, roll back.")
    mtp.add_command(rules)
    _reading(rules)
    _writing(rules)
    _trying(rules)


def _reading(rules: click.Group) -> None:
    @command(rules, "list")
    @click.option("--version", default=None, type=int, help="An earlier version; the current one if not said.")
    @with_appcontext
    def list_rules(version: int | None, as_json: bool) -> None:
        """All rules, each in a sentence; those switched off are marked."""
        number, ruleset = mounted().rulebook.read(version)
        text = "\n".join(map(_line, ruleset.rules)) or "No rules yet: import some, or write them in the console."
        answer({"version": number, "rules": ruleset.rules}, as_json, text)

    @command(rules, "export")
    @click.argument("file", required=False, type=click.Path(dir_okay=False))
    @click.option("--version", default=None, type=int, help="An earlier version; the current one if not said.")
    @with_appcontext
    def export(file: str | None, version: int | None, as_json: bool) -> None:
        """Write the rules as JSON into FILE, or to stdout."""
        number, ruleset = mounted().rulebook.read(version)
        if file is None:
            answer(ruleset, True, "")
            return
        Path(file).write_bytes(msgspec.json.format(msgspec.json.encode(ruleset), indent=2) + b"\n")
        answer({"version": number, "rules": len(ruleset.rules)}, as_json, f"{len(ruleset.rules)} rules in {file}.")

    @command(rules, "schema")
    def show_schema(as_json: bool) -> None:
        """Print the JSON schema of a file of rules."""
        answer(schema(), True, "")

    @command(rules, "history")
    @click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many.")
    @with_appcontext
    def history(limit: int, as_json: bool) -> None:
        """Versions, newest first: who made them, when and why."""
        found = mounted().rulebook.history(limit=limit)
        answer({"versions": found}, as_json, "\n".join(map(_version, found)) or "No version yet.")


def _writing(rules: click.Group) -> None:
    @command(rules, "validate")
    @click.argument("file", type=FILE)
    @with_appcontext
    def validate(file: str, as_json: bool) -> None:
        """Check the rules in FILE against this shop; exit code 1 when anything is found."""
        found = mounted().rulebook.check(_read(file))
        answer({"findings": found}, as_json, "\n".join(map(_finding, found)) or "Nothing is wrong.")
        if found:
            sys.exit(1)

    @command(rules, "import")
    @click.argument("file", type=FILE)
    @click.option("--force", is_flag=True, help="Save in spite of warnings.")
    @click.option("--note", default="", help="Why, for the history.")
    @click.option("--by", default=None, help="Who; the account at the terminal if not said.")
    @with_appcontext
    def import_rules(file: str, force: bool, note: str, by: str | None, as_json: bool) -> None:
        """Put the rules in FILE in place of all others; workers switch within seconds."""
        ruleset, note = _read(file), note or f"import of {Path(file).name}"
        try:
            saved = mounted().rulebook.save(ruleset, by=_who(by), note=note, force=force)
        except FindingsError as error:
            for finding in error.findings:
                say(_finding(finding))
            raise
        answer(saved, as_json, f"Version {saved.version}: {len(ruleset.rules)} rules.")

    for word, enabled in (("enable", True), ("disable", False)):
        _switch(rules, word, enabled)

    @command(rules, "rollback")
    @click.argument("version", type=int)
    @click.option("--by", default=None, help="Who; the account at the terminal if not said.")
    @with_appcontext
    def rollback(version: int, by: str | None, as_json: bool) -> None:
        """Let the rules of VERSION serve again, as a new version."""
        saved = mounted().rulebook.roll_back(version, by=_who(by))
        answer(saved, as_json, f"Version {saved.version} is as version {version} was.")


def _switch(rules: click.Group, word: str, enabled: bool) -> None:
    @command(rules, word)
    @click.argument("rule_id")
    @click.option("--by", default=None, help="Who; the account at the terminal if not said.")
    @with_appcontext
    def switch(rule_id: str, by: str | None, as_json: bool) -> None:
        saved = mounted().rulebook.switch(rule_id, enabled, by=_who(by))
        answer(saved, as_json, f"{rule_id} {word}d in version {saved.version}.")

    switch.help = f"{word.capitalize()} the rule RULE_ID; workers switch within seconds."


def _trying(rules: click.Group) -> None:
    @command(rules, "test")
    @click.argument("placement")
    @click.option("--file", default=None, type=FILE, help="Rules to try; those that serve if not said.")
    @click.option("--visitor", default="", help="As this visitor: u:<account id> or a:<visitor id>.")
    @click.option("--segment", default="", help="As somebody in this segment.")
    @click.option("--context", default="{}", help='As JSON, such as {"device": "mobile", "commuting": true}.')
    @click.option("--at", default="", help="When, by the shop's clock, such as 2026-12-24T08:00; now if not said.")
    @click.option("--product", multiple=True, help="In view; may be said several times.")
    @with_appcontext
    def test(
        placement: str,
        file: str | None,
        visitor: str,
        segment: str,
        context: str,
        at: str,
        product: tuple[str, ...],
        as_json: bool,
    ) -> None:
        """Which rules hold in PLACEMENT, and the slate without and with them."""
        state = mounted()
        ruleset = _read(file) if file else state.rulebook.read()[1]
        request = SlateRequest(
            placement=placement,
            now=_moment(at, state.rule_source.zone) if at else time.time(),
            consent_level=ConsentLevel.FULL if visitor else ConsentLevel.CONTEXTUAL,
            profile_ids=(visitor,) if visitor else (),
            segment_id=segment,
            context=_context(context),
            product_ids=product,
            explain=True,
        )
        against = None if file else RuleSet()
        tried = try_rules(state.pipeline, state.rule_source, ruleset, request, against=against)
        found = touched(state.pipeline, state.slates, state.rule_source, ruleset, until=time.time())
        told = {"trial": tried, "touched": found, "share": found.share}
        answer(told, as_json, f"{_told(tried)}\n\n{found.share:.0%} of {found.looked} slates of the last week touched.")


def _read(file: str) -> RuleSet:
    data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    return read_ruleset(data)


def _context(text: str) -> Context:
    try:
        return msgspec.json.decode(text.encode(), type=Context)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise InputError(f"the context cannot be read: {error}", field="context") from None


def _moment(text: str, zone: ZoneInfo) -> float:
    try:
        return moment(text, zone)
    except ValueError:
        raise InputError(f"there is no time {text!r}; use one such as 2026-12-24T08:00", field="at") from None


def _who(by: str | None) -> str:
    if by:
        return by
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return "cli"


def _line(rule: Rule) -> str:
    return f"{' ' if rule.enabled else '-'} {rule.rule_id:30} {rule.priority:5}  {summary(rule, vocabulary())}"


def _version(info: RuleSetInfo) -> str:
    made = datetime.fromtimestamp(info.created_at, UTC).strftime("%Y-%m-%d %H:%M")
    return f"{info.version:6}  {made} UTC  {info.created_by:20} {info.enabled} of {info.rules} rules  {info.note}"


def _finding(finding: Finding) -> str:
    at = f" ({finding.field})" if finding.field else ""
    other = f", with {finding.other}" if finding.other else ""
    return f"{finding.level}: {finding.rule_id}{other}: {finding.message}{at}"


def _told(tried: Trial) -> str:
    lines = [f"{'holds' if rule.holds else rule.why_not:10} {rule.rule_id}: {rule.summary}" for rule in tried.rules]
    return "\n".join([*lines, "", "before:", *_slate(tried.before), "after:", *_slate(tried.after)])


def _slate(slate: Slate) -> list[str]:
    return [_item(item) for item in slate.items] or ["   nothing"]


def _item(item: SlateItem) -> str:
    return f"{item.position:4} {item.product_id:20} {item.score:9.4f}  {', '.join(item.reason_codes)}"
