"""Rules: the list, an editor that reads as a sentence, a trial before saving, and their JSON."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any

import msgspec
from flask import Response, request

from ....errors import ConflictError, FindingsError, InputError, NotFoundError
from ....facts import vocabulary
from ....records import Boost, Rule, RuleSet
from ....rules.read import read_rule
from ....rules.schedule import in_force
from ....rules.summary import summary, summary_pieces
from ....rules.vocabulary import OF_PRODUCTS
from ....state import State
from ....trial import Touched, Trial, touched, try_rules
from ...parts import get_state
from ..asking import Asking, context_fields, read_asking, some_visitors
from ..conditions_form import COMPARISONS
from ..forms import Form
from ..frame import address, back_to, current_person, page, shop_zone
from ..notices import Notice
from ..panel import Hit, Page, Panel
from ..roles import Role
from ..rule_form import (
    KINDS,
    PERS,
    WEEKDAYS,
    RuleForm,
    field_of,
    field_of_word,
    form_of,
    new_effect,
    rule_of,
    sent_form,
)
from ..segmented import segment_choices
from ..slates import SlateView, view_of_slate
from ..tables import part_of, searched
from . import rules_import

LOOKED_AT = 1000
"""Slates of last week that a rule is tried on."""
STATES = {"": "All", "on": "On", "off": "Off"}
NEW = Rule(rule_id="new-rule", name="", enabled=True, then=(Boost(where={}, by=2.0),))


@dataclass(slots=True)
class Tested:
    """What a rule does to one request: the slate without and with it, and how many it would touch."""

    trial: Trial
    before: SlateView
    after: SlateView
    share: Touched
    moved_before: dict[str, tuple[str, str]] = field(default_factory=dict)
    moved_after: dict[str, tuple[str, str]] = field(default_factory=dict)


def show() -> Response:
    """The list."""
    state = get_state()
    version, ruleset = state.rulebook.read()
    wanted, query = request.args.get("state", ""), searched().casefold()
    wanted = wanted if wanted in STATES else ""
    words, now, zone = vocabulary(), time.time(), shop_zone()
    rows = [
        (rule, summary(rule, words), in_force(rule.schedule, now, zone))
        for rule in sorted(ruleset.rules, key=lambda rule: -rule.priority)
        if wanted in ("", "on" if rule.enabled else "off")
    ]
    found = [row for row in rows if query in f"{row[0].rule_id} {row[0].name} {row[1]}".casefold()] if query else rows
    return page(
        "rules.html",
        title="Rules",
        part=part_of(found),
        version=version,
        state=wanted,
        states=STATES,
        query=searched(),
        total=len(ruleset.rules),
    )


def create() -> Response:
    """The editor with a rule that is not there yet."""
    return _editor(form_of(NEW), None)


def show_one(rule_id: str) -> Response:
    """The editor."""
    return _editor(form_of(_known(rule_id)), rule_id)


def save_new() -> Response:
    """Take the form of a rule that is not there yet."""
    return _take(None)


def save(rule_id: str) -> Response:
    """Take the form of a rule."""
    _known(rule_id)
    return _take(rule_id)


def _take(rule_id: str | None) -> Response:
    """What the button that was pressed asks for: another row, a trial, or to save."""
    state, sent = get_state(), sent_form(Form.sent())
    intent = sent.values.get("intent", "save")
    if intent.startswith("add."):
        kind = sent.values.get("kind", "") if intent == "add.effect" else ""
        if kind in KINDS:
            sent.effects.append(new_effect(kind))
        return _editor(sent, rule_id)
    if intent.startswith("remove."):
        place = intent.removeprefix("remove.")
        if place.isdecimal() and int(place) < len(sent.effects):
            del sent.effects[int(place)]
        return _editor(sent, rule_id)
    rule = rule_of(sent, list(state.placements))
    if rule is not None and rule_id is not None and rule.rule_id != rule_id:
        sent.errors["rule_id"] = "The id of a rule stays what it is; make a new one instead"
    if rule is None or sent.errors:
        return _editor(sent, rule_id, status=422)
    if rule_id is None and any(known.rule_id == rule.rule_id for known in state.rulebook.read()[1].rules):
        sent.errors["rule_id"] = "There is a rule of this id already"
        return _editor(sent, rule_id, status=422)
    if intent == "test":
        return _test(sent, rule, rule_id)
    return _save(sent, rule, rule_id, force=intent == "force")


def _save(sent: RuleForm, rule: Rule, rule_id: str | None, *, force: bool) -> Response:
    expected = sent.values.get("version", "")
    try:
        before = int(expected) if expected.isdecimal() and len(expected) < 12 else get_state().rulebook.read()[0]
        get_state().rulebook.put(rule, by=_actor(), expected=before, force=force)
    except FindingsError as error:
        return _editor(sent, rule_id, findings=error.findings, rule=rule, status=422)
    except (ConflictError, NotFoundError):
        sent.errors["rule_id"] = "Somebody else changed the rules meanwhile. Look at theirs, then save again"
        sent.values["version"] = str(get_state().rulebook.read()[0])
        return _editor(sent, rule_id, rule=rule, status=409)
    except InputError as error:
        sent.errors[field_of(error.field)] = error.message
        return _editor(sent, rule_id, rule=rule, status=422)
    get_state().pipeline.live.refresh()
    return back_to(address("rules_show_one", rule_id=rule.rule_id), _done(f"{rule.rule_id} is saved", before))


def _test(sent: RuleForm, rule: Rule, rule_id: str | None) -> Response:
    state = get_state()
    asking = read_asking(state, sent.values)
    placement = sent.values.get("placement", "") or next(iter(sorted(sent.placements)), next(iter(state.placements)))
    if placement not in state.placements:
        asking.errors["placement"] = "There is no such placement"
    tested = None if asking.errors else tried(state, rule, asking, placement)
    return _editor(sent, rule_id, asking=asking, placement=placement, tested=tested, rule=rule)


def tried(state: State, rule: Rule, asking: Asking, placement: str) -> Tested:
    """The slate without and with a rule, whether or not it is enabled."""
    _, ruleset = state.rulebook.read()
    others = tuple(known for known in ruleset.rules if known.rule_id != rule.rule_id)
    enabled = msgspec.structs.replace(rule, enabled=True)
    asked = asking.request(placement)
    trial = try_rules(
        state.pipeline, state.rule_source, RuleSet(rules=(enabled, *others)), asked, against=RuleSet(rules=others)
    )
    share = touched(
        state.pipeline, state.slates, state.rule_source, RuleSet(rules=(enabled,)), until=time.time(), limit=LOOKED_AT
    )
    stands = state.placements[placement]
    before = view_of_slate(state, trial.before, asked, stands)
    tested = Tested(trial, before, view_of_slate(state, trial.after, asked, stands), share)
    for name, (old, new) in trial.moved.items():
        if not new:
            tested.moved_before[name] = ("bad", "goes")
        elif not old:
            tested.moved_after[name] = ("good", "new")
        elif new != old:
            tested.moved_after[name] = ("", f"was {old}")
    return tested


def _editor(
    sent: RuleForm,
    rule_id: str | None,
    *,
    rule: Rule | None = None,
    asking: Asking | None = None,
    placement: str = "",
    tested: Tested | None = None,
    findings: Any = (),
    status: int = 200,
) -> Response:
    state = get_state()
    version, ruleset = state.rulebook.read()
    known = next((one for one in ruleset.rules if one.rule_id == rule_id), None)
    rule = rule or (known if request.method == "GET" else rule_of(_copied(sent), list(state.placements)))
    words = vocabulary()
    return page(
        "rules_one.html",
        title=(known.name or known.rule_id) if known else "New rule",
        status=status,
        rule_id=rule_id,
        known=known,
        form=sent,
        values=sent.values,
        errors={**sent.errors, **(asking.errors if asking else {})},
        sentence=_sentence(rule, sent) if rule else (),
        version=sent.values.get("version") or str(version),
        asking=asking or read_asking(state, {}),
        placement=placement or next((name for name in state.placements if name in sent.placements), ""),
        placements=list(state.placements),
        experiments=state.experiments.known(),
        models=state.registry.list("behaviour"),
        tested=tested,
        findings=findings,
        can_force=bool(findings) and all(finding.level != "error" for finding in findings),
        visitors=some_visitors(state),
        segments=segment_choices(state),
        context_fields=context_fields(),
        comparisons=COMPARISONS,
        kinds=[(kind, text) for kind, (text, _) in KINDS.items()],
        pers=PERS,
        weekdays=WEEKDAYS,
        facts=words.facts,
        product_facts=OF_PRODUCTS,
    )


def _sentence(rule: Rule, sent: RuleForm) -> list[tuple[str, str]]:
    """What the rule says, each word with its field in the form."""
    return [(text, path and field_of_word(path, sent)) for text, path in summary_pieces(rule, vocabulary())]


def _copied(sent: RuleForm) -> RuleForm:
    """The form without its errors: a row to be filled in is none yet."""
    return RuleForm(dict(sent.values), sent.when, sent.effects, sent.placements, sent.hours[:-1])


def switch(rule_id: str) -> Response:
    """On or off at once."""
    _known(rule_id)
    on, before = request.form.get("on") == "yes", get_state().rulebook.read()[0]
    get_state().rulebook.switch(rule_id, on, by=_actor(), expected=before)
    get_state().pipeline.live.refresh()
    return back_to(_from(rule_id), _done(f"{rule_id} is {'on' if on else 'off'}", before))


def delete(rule_id: str) -> Response:
    """Take a rule away; the version before has it still."""
    _known(rule_id)
    before = get_state().rulebook.read()[0]
    get_state().rulebook.delete(rule_id, by=_actor(), expected=before)
    get_state().pipeline.live.refresh()
    return back_to(address("rules_show"), _done(f"{rule_id} is deleted", before))


def show_json(rule_id: str) -> Response:
    """The rule as JSON."""
    text = json.dumps(msgspec.to_builtins(_known(rule_id)), indent=2, ensure_ascii=False)
    return _json_page(rule_id, {"json": text}, {})


def save_json(rule_id: str) -> Response:
    """Take JSON in place of the form."""
    _known(rule_id)
    form = Form(dict(request.form.items()))
    text, before = form.values.get("json", ""), get_state().rulebook.read()[0]
    try:
        rule = read_rule(text)
        if rule.rule_id != rule_id:
            raise InputError("the id of a rule stays what it is", field="rule_id")
        get_state().rulebook.put(rule, by=_actor(), expected=before, force=form.flag("force"))
    except FindingsError as error:
        form.refuse("json", str(error))
        return _json_page(rule_id, form.values, form.errors, findings=error.findings)
    except InputError as error:
        form.refuse("json", f"{error.field}: {error.message}" if error.field else error.message)
        return _json_page(rule_id, form.values, form.errors)
    get_state().pipeline.live.refresh()
    return back_to(address("rules_show_json", rule_id=rule_id), _done(f"{rule_id} is saved", before))


def _json_page(rule_id: str, values: dict[str, str], errors: dict[str, str], findings: Any = ()) -> Response:
    return page(
        "rules_json.html",
        title=f"{rule_id} as JSON",
        status=422 if errors else 200,
        rule_id=rule_id,
        values=values,
        errors=errors,
        findings=findings,
        can_force=bool(findings) and all(finding.level != "error" for finding in findings),
    )


def versions() -> Response:
    """Every version, newest first."""
    current, _ = get_state().rulebook.read()
    history = get_state().rulebook.history(limit=500)
    return page("rules_versions.html", title="Versions of the rules", part=part_of(history), current=current)


def show_version(number: int) -> Response:
    """All rules of a version, as the file that ``flask mtp rules import`` takes."""
    _, ruleset = get_state().rulebook.read(number)
    body = json.dumps(msgspec.to_builtins(ruleset), indent=2, ensure_ascii=False)
    response = Response(f"{body}\n", content_type="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="rules-{number}.json"'
    return response


def restore() -> Response:
    """Let the rules of an earlier version serve again."""
    number = request.form.get("number", "")
    if not (number.isascii() and number.isdecimal() and len(number) < 12):
        raise NotFoundError("there is no such version", field="number")
    before = get_state().rulebook.read()[0]
    get_state().rulebook.roll_back(int(number), by=_actor())
    get_state().pipeline.live.refresh()
    return back_to(address("rules_versions"), _done(f"The rules are as in version {number} again", before))


def _known(rule_id: str) -> Rule:
    rule = next((rule for rule in get_state().rulebook.read()[1].rules if rule.rule_id == rule_id), None)
    if rule is None:
        raise NotFoundError(f"there is no rule {rule_id}", field="rule_id")
    return rule


def _from(rule_id: str) -> str:
    """The page that a switch was on."""
    return address("rules_show") if request.form.get("from") == "list" else address("rules_show_one", rule_id=rule_id)


def _actor() -> str:
    return f"admin:{current_person().name}"


def _done(text: str, before: int) -> Notice:
    return Notice(
        text=f"{text}. It counts within seconds.",
        undo_url=address("rules_restore"),
        undo_fields={"number": str(before)},
    )


def _find(state: State, query: str) -> list[Hit]:
    wanted, words = query.casefold(), vocabulary()
    told = ((rule, summary(rule, words)) for rule in state.rulebook.read()[1].rules)
    return [
        Hit(rule.name or rule.rule_id, text.replace("*", ""), "rules_show_one", {"rule_id": rule.rule_id})
        for rule, text in told
        if wanted in f"{rule.rule_id} {rule.name} {text}".casefold()
    ][:20]


PANEL = Panel(
    key="rules",
    title="Rules",
    group="Shop",
    pages=(
        Page("/", "show", show),
        Page("/new", "create", create, role=Role.MERCHANDISER),
        Page("/new", "save_new", save_new, "POST", Role.MERCHANDISER),
        Page("/import", "ask", rules_import.ask, role=Role.MERCHANDISER),
        Page("/import", "take", rules_import.take, "POST", Role.MERCHANDISER),
        Page("/versions/", "versions", versions),
        Page("/versions/<int:number>.json", "show_version", show_version),
        Page("/versions/restore", "restore", restore, "POST", Role.MERCHANDISER),
        Page("/rule/<rule_id>", "show_one", show_one),
        Page("/rule/<rule_id>", "save", save, "POST", Role.MERCHANDISER),
        Page("/rule/<rule_id>/switch", "switch", switch, "POST", Role.MERCHANDISER),
        Page("/rule/<rule_id>/delete", "delete", delete, "POST", Role.MERCHANDISER),
        Page("/rule/<rule_id>/json", "show_json", show_json),
        Page("/rule/<rule_id>/json", "save_json", save_json, "POST", Role.MERCHANDISER),
    ),
    count=lambda state: len(state.rulebook.read()[1].rules) or None,
    find=_find,
)
