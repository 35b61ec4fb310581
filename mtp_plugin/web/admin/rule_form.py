"""A rule as a form that works without JavaScript, and back; what is wrong is said at its field."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from ...errors import InputError
from ...records import Rule
from ...rules.read import read_rule
from .conditions_form import Condition, condition_of, sent_condition, spec_sent
from .forms import Form

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MOST_EFFECTS = 20
MOST_HOURS = 10
PERS = ("brand", "category", "department")
KINDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "boost": ("Boost products", ("where", "by")),
    "bury": ("Bury products", ("where", "by")),
    "filter": ("Show only, or hide, products", ("where", "exclude")),
    "prefer": ("Prefer products with tags", ("tags", "by")),
    "require": ("Require tags", ("tags",)),
    "pin": ("Pin a product at a position", ("position", "product_id", "where")),
    "lock": ("Keep a position for hand-picked products", ("position", "product_ids", "until")),
    "limit": ("Limit how many of one brand or category", ("most", "per")),
    "strategy": ("Fill the block in another way", ("strategies",)),
    "model": ("Let another model answer", ("version",)),
    "title": ("Another heading", ("title",)),
    "message": ("A line of text above the products", ("text", "url")),
}
"""What a rule can do: in words, and the fields of it."""
STARTS: Mapping[str, Any] = {
    "by": "2",
    "position": "1",
    "most": "2",
    "per": "brand",
}
LISTS = ("tags", "product_ids", "strategies")
NUMBERS = ("position", "most")


@dataclass(slots=True)
class Effect:
    """One effect in the form."""

    kind: str
    values: dict[str, str] = field(default_factory=dict)
    where: Condition = field(default_factory=Condition.empty)

    @property
    def words(self) -> str:
        return KINDS[self.kind][0]

    @property
    def fields(self) -> tuple[str, ...]:
        return KINDS[self.kind][1]


@dataclass(slots=True)
class RuleForm:
    """All fields of the form, and what is wrong with them by field."""

    values: dict[str, str]
    when: Condition
    effects: list[Effect]
    placements: set[str]
    hours: list[dict[str, str]]
    errors: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.hours = [*self.hours, {}][:MOST_HOURS]


def form_of(rule: Rule) -> RuleForm:
    """A rule, to be edited."""
    made = msgspec.to_builtins(rule)
    schedule, gate = made.get("schedule") or {}, made.get("experiment") or {}
    values = {
        "rule_id": rule.rule_id,
        "name": rule.name,
        "priority": str(rule.priority),
        "note": rule.note,
        "schedule.from": schedule.get("from", ""),
        "schedule.until": schedule.get("until", ""),
        "experiment.experiment_id": gate.get("experiment_id", ""),
        "experiment.variation": ", ".join(map(str, rule.experiment.variations)) if rule.experiment else "",
        "experiment.coverage": f"{100 * gate.get('coverage', 1.0):g}" if gate else "",
        "experiment.rest": json.dumps({name: gate[name] for name in ("weights", "namespace", "seed") if name in gate}),
        **({"enabled": "on"} if rule.enabled else {}),
    }
    return RuleForm(
        values,
        condition_of(rule.when),
        [_effect(effect) for effect in made["then"]],
        set(rule.placements),
        [_hours(hours) for hours in schedule.get("hours", ())],
    )


def sent_form(form: Form) -> RuleForm:
    """The form as it was sent, whatever was typed."""
    effects = []
    for place in range(MOST_EFFECTS):
        kind = form.values.get(f"effect.{place}.kind", "")
        if kind in KINDS:
            at = f"effect.{place}"
            values = {name: form.values.get(f"{at}.{name}", "") for name in KINDS[kind][1] if name != "where"}
            effects.append(Effect(kind, values, sent_condition(form, f"{at}.where")))
    hours = []
    for place in range(MOST_HOURS):
        names = ("from", "until", *WEEKDAYS)
        one = {name: form.values.get(f"schedule.hours.{place}.{name}", "").strip() for name in names}
        if any(one.values()):
            hours.append(one)
    placements = {name.removeprefix("placement.") for name in form.values if name.startswith("placement.")}
    return RuleForm(form.values, sent_condition(form, "when"), effects, placements, hours, form.errors)


def rule_of(sent: RuleForm, placements: Sequence[str]) -> Rule | None:
    """The rule that the form says, ``None`` where something is wrong; that is noted in its errors.

    :param placements: those there are, in order
    """
    form = Form(sent.values, sent.errors)
    if not sent.effects:
        form.refuse("add", "Say what the rule does: add an effect")
    made: dict[str, Any] = {
        "rule_id": form.text("rule_id", most=80, needed="Give the rule an id, such as sale-first"),
        "name": form.text("name"),
        "enabled": form.flag("enabled"),
        "priority": form.number("priority", -1000, 1000),
        "placements": [name for name in placements if name in sent.placements],
        "when": spec_sent(sent.when, form, "when"),
        "then": [_made(effect, form, f"effect.{place}") for place, effect in enumerate(sent.effects)],
        "note": form.text("note", most=2000),
    }
    schedule = {name: form.text(f"schedule.{name}") for name in ("from", "until")}
    hours = [_made_hours(one) for one in sent.hours if any(one.values())]
    if any(schedule.values()) or hours:
        made["schedule"] = {**{name: text for name, text in schedule.items() if text}, "hours": hours}
    if sent.values.get("experiment.experiment_id", "").strip():
        made["experiment"] = _gate(form)
    if form.errors:
        return None
    try:
        return read_rule(made)
    except InputError as error:
        form.refuse(field_of(error.field), _plainly(error.message))
        return None


def field_of(path: str) -> str:
    """The field of the form that an error's path means."""
    found = re.match(r"then\.(\d+)\.?([a-z_]*)", path)
    if found:
        place, name = found.groups()
        return f"effect.{place}.where.0.fact" if name == "where" else f"effect.{place}.{name or 'kind'}"
    if path.startswith("when"):
        return "when.0.fact"
    hours = re.match(r"(schedule\.hours\.\d+)\.?([a-z]*)", path)
    if hours:
        return f"{hours[1]}.{hours[2] if hours[2] in ('from', 'until') else 'from'}"
    if path.startswith(("schedule", "experiment")):
        known = ("schedule.from", "schedule.until", "experiment.variation", "experiment.coverage")
        return next((name for name in known if path.startswith(name)), "experiment.experiment_id")
    return "placements" if path.startswith("placements") else path or "rule_id"


def field_of_word(path: str, sent: RuleForm) -> str:
    """The field that a word of the rule's sentence stands for; see :func:`mtp_plugin.rules.summary.summary_pieces`."""
    if path.startswith("schedule.hours."):
        return f"{path}.from"
    found = re.match(r"(when|then\.(\d+)\.where)(?:\.(\d+))?$", path)
    if not found:
        return re.sub(r"^then\.", "effect.", path)
    condition, at = sent.when, "when"
    if found[2] is not None:
        condition, at = sent.effects[int(found[2])].where, f"effect.{found[2]}.where"
    if condition.rows is None:
        return f"{at}.json"
    return f"{at}.{found[3]}.value" if found[3] else f"{at}.0.fact"


def _effect(made: Mapping[str, Any]) -> Effect:
    kind = made["effect"]
    values = {name: _written(made[name]) for name in KINDS[kind][1] if name != "where" and name in made}
    start = {name: STARTS[name] for name in KINDS[kind][1] if name in STARTS}
    return Effect(kind, {**start, **values}, condition_of(made.get("where", {})))


def new_effect(kind: str) -> Effect:
    """An effect to be filled in."""
    return Effect(kind, {name: STARTS[name] for name in KINDS[kind][1] if name in STARTS})


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else ""
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _made(effect: Effect, form: Form, at: str) -> dict[str, Any]:
    made: dict[str, Any] = {"effect": effect.kind}
    for name in effect.fields:
        text = effect.values.get(name, "").strip()
        if name == "where":
            made["where"] = spec_sent(effect.where, form, f"{at}.where")
        elif name == "exclude":
            made["exclude"] = text == "on"
        elif name in LISTS:
            made[name] = [part.strip() for part in text.split(",") if part.strip()]
        elif name in NUMBERS:
            made[name] = form.number(f"{at}.{name}", 1, 48)
        elif name == "by":
            made["by"] = _factor(form, f"{at}.by")
        else:
            made[name] = text
    return made


def _factor(form: Form, name: str) -> float:
    factor = form.decimal(name, 1.0, 1000.0)
    if factor <= 1.0:
        form.refuse(name, "Enter a number above 1")
    return factor


def _hours(hours: Mapping[str, Any]) -> dict[str, str]:
    days = dict.fromkeys(hours.get("days", ()), "on")
    return {"from": hours["from"], "until": hours["until"], **days}


def _made_hours(one: Mapping[str, str]) -> dict[str, Any]:
    return {"from": one["from"], "until": one["until"], "days": [day for day in WEEKDAYS if one.get(day) == "on"]}


def _gate(form: Form) -> dict[str, Any]:
    try:
        rest = json.loads(form.values.get("experiment.rest") or "{}")
    except ValueError:
        rest = {}
    rest = rest if isinstance(rest, dict) else {}
    return {
        **{name: rest[name] for name in ("weights", "namespace", "seed") if name in rest},
        "experiment_id": form.text("experiment.experiment_id", most=80),
        "variation": _numbers(form, "experiment.variation"),
        "coverage": form.decimal("experiment.coverage", 0, 100) / 100,
    }


def _numbers(form: Form, name: str) -> int | list[int]:
    """One whole number, or several with commas between."""
    parts = [part.strip() for part in form.values.get(name, "").split(",")]
    if not all(part.isascii() and part.isdecimal() and len(part) < 3 for part in parts):
        form.refuse(name, "Enter a number from 0 to 99, or several with commas between")
        return 0
    return int(parts[0]) if len(parts) == 1 else [int(part) for part in parts]


PLAINLY: Mapping[str, str] = {
    "length >= 1": "Fill this in",
    "regex '^[a-z0-9]": "Use small letters, digits, hyphens, dots and underscores, a letter or a digit first",
    "regex '^([01]": "Write a time such as 07:30",
    "regex '^(": "Write a day such as 2026-12-24, or a time such as 2026-12-24T18:00",
    "enum value": "There is no such choice; take one of the list",
}
"""What is to be done, by what the schema says of it."""


def _plainly(message: str) -> str:
    found = next((words for said, words in PLAINLY.items() if said in message), message)
    return found[:1].upper() + found[1:]
