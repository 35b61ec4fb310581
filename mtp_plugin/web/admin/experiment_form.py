"""An experiment as a form that works without JavaScript, and back; what is wrong is said at its field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ...errors import InputError
from ...experiment.rows import GOALS, MOST, Row
from ...experiment_book import LATER, checked
from .conditions_form import Condition, condition_of, sent_condition, spec_sent
from .forms import Form

GUARDRAILS = (*GOALS, "latency")
TEXTS = ("title", "hypothesis", "note", "since", "until")
FIELDS = {"variations": "variation.0.name", "weights": "variation.0.share", "namespace": "namespace.name"}
"""The field that an option is typed into, where it has another name."""
START: Mapping[str, str] = {
    "goal": "revenue", "coverage": "100", "matters": "5", "planned": "0", "stops": "on",
    "variation.0.name": "as it is", "variation.1.name": "the new one",
}  # fmt: skip
"""A form with nothing of the merchant's in it."""


def values_of(key: str, entry: Mapping[str, Any]) -> dict[str, str]:
    """An entry as fields."""
    values = {"key": key, **{name: str(entry.get(name, "")) for name in TEXTS}}
    values |= {
        "goal": entry.get("goal", "revenue"),
        "coverage": f"{100 * entry.get('coverage', 1.0):g}",
        "matters": f"{100 * entry.get('matters', 0.05):g}",
        "planned": str(entry.get("planned", 0)),
        "stops": "on" if entry.get("stops", True) else "",
        "factors": json.dumps(entry["factors"], ensure_ascii=False) if entry.get("factors") else "",
        "ramp": ", ".join(f"{at} {100 * share:g}" for at, share in entry.get("ramp", ())),
        **{f"guardrail.{name}": "on" for name in entry.get("guardrails", ())},
    }
    if space := entry.get("namespace"):
        values |= {"namespace.name": space[0], "namespace.from": f"{100 * space[1]:g}"}
        values["namespace.to"] = f"{100 * space[2]:g}"
    weights = entry.get("weights") or ()
    for place, one in enumerate(entry.get("variations", ())):
        values[f"variation.{place}.name"] = one["name"]
        variables = one.get("variables")
        values[f"variation.{place}.variables"] = json.dumps(variables, ensure_ascii=False) if variables else ""
        values[f"variation.{place}.share"] = f"{100 * weights[place]:g}" if weights else ""
    return values


def condition_in(entry: Mapping[str, Any]) -> Condition:
    """Who takes part, as rows of a form."""
    return condition_of(entry.get("when", {}))


def rows_in(values: Mapping[str, str]) -> int:
    """How many rows of variations there are, two at least."""
    places = [place for place in range(MOST) if any(values.get(f"variation.{place}.{name}") for name in NAMES)]
    return max(2, max(places, default=0) + 1)


NAMES = ("name", "variables", "share")


def entry_sent(form: Form) -> dict[str, Any]:
    """The entry that a form says; what cannot be read is among its errors."""
    entry: dict[str, Any] = {name: form.text(name, most=2000) for name in TEXTS}
    entry |= {
        "goal": form.choice("goal", GOALS),
        "guardrails": [name for name in GUARDRAILS if form.flag(f"guardrail.{name}")],
        "coverage": _share(form, "coverage"),
        "matters": _share(form, "matters"),
        "planned": form.number("planned", 0, 999_999_999),
        "stops": form.flag("stops"),
        "when": spec_sent(sent_condition(form, "when"), form, "when"),
        "namespace": _namespace(form),
        "ramp": _ramp(form),
    }
    if form.text("factors", most=5000):
        entry["factors"] = _object(form, "factors")
    else:
        entry |= _variations(form)
    return {name: value for name, value in entry.items() if value not in ("", {}, [], None)}


def later_sent(form: Form) -> dict[str, Any]:
    """What a form says of an experiment that has begun."""
    entry: dict[str, Any] = {name: form.text(name, most=2000) for name in TEXTS if name in LATER}
    return entry | {"coverage": _share(form, "coverage"), "stops": form.flag("stops")}


def judged(form: Form, key: str, entry: Mapping[str, Any]) -> Row | None:
    """The experiment, ``None`` where something is wrong; that is noted in the form's errors."""
    if form.errors:
        return None
    try:
        return checked(key, entry)
    except InputError as error:
        refuse(form, error)
        return None


def refuse(form: Form, error: InputError) -> None:
    """Note an error at the field that it is about."""
    named = error.field or "key"
    form.refuse("when.0.fact" if named == "when" else FIELDS.get(named, named), error.message.capitalize())


def _share(form: Form, name: str) -> float:
    return round(form.decimal(name, 0, 1000) / 100, 6)


def _namespace(form: Form) -> tuple[str, float, float] | None:
    name = form.text("namespace.name", most=80)
    return (name, _share(form, "namespace.from"), _share(form, "namespace.to")) if name else None


def _ramp(form: Form) -> list[tuple[str, float]]:
    """Steps with commas between, each a date and a share."""
    steps: list[tuple[str, float]] = []
    for step in filter(None, (part.split() for part in form.text("ramp", most=2000).split(","))):
        try:
            at, share = step
            steps.append((at, round(float(share) / 100, 6)))
        except ValueError:
            form.refuse("ramp", "Write dates and shares, such as 2026-12-01 10, 2026-12-08 50")
    return steps


def _variations(form: Form) -> dict[str, Any]:
    """Those of the rows that have a name; shares only where any is said."""
    places = [place for place in range(MOST) if form.values.get(f"variation.{place}.name", "").strip()]
    made = []
    for place in places:
        at = f"variation.{place}"
        variables = _object(form, f"{at}.variables") if form.text(f"{at}.variables", most=5000) else {}
        made.append({"name": form.text(f"{at}.name"), **({"variables": variables} if variables else {})})
    shares = [form.values.get(f"variation.{place}.share", "").strip() for place in places]
    if not any(shares):
        return {"variations": made}
    return {"variations": made, "weights": [_share(form, f"variation.{place}.share") for place in places]}


def _object(form: Form, name: str) -> dict[str, Any]:
    try:
        found = json.loads(form.values.get(name, ""))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        form.refuse(name, 'Write names and values as JSON, such as {"percent": 5}')
        return {}
    return found
