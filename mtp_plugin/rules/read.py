"""Rules as JSON: read with errors that say where, written, and their published schema."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from ..conditions import compile_condition
from ..errors import ConditionError, InputError
from ..records import Lock, Message, Pin, Rule, RuleSet
from .schedule import moment

log = logging.getLogger(__name__)

MAX_BYTES = 4_000_000
"""Largest file of rules."""


def read_ruleset(data: bytes | str | Mapping[str, Any]) -> RuleSet:
    """Read and check a whole ruleset, ``{"rules": [...]}``.

    :raises InputError: it is not one; ``field`` is the dotted path, such as ``rules.3.when.price.$lit``
    """
    ruleset: RuleSet = _convert(_parsed(data), RuleSet, "")
    seen: dict[str, int] = {}
    for place, rule in enumerate(ruleset.rules):
        check_rule(rule, f"rules.{place}")
        if rule.rule_id in seen:
            raise InputError(
                f"the id {rule.rule_id!r} is that of rule {seen[rule.rule_id]} already", field=f"rules.{place}.rule_id"
            )
        seen[rule.rule_id] = place
    return ruleset


def read_rule(data: bytes | str | Mapping[str, Any], at: str = "") -> Rule:
    """Read and check one rule.

    :param at: path of the rule in what was sent, for errors
    :raises InputError: it is none
    """
    rule: Rule = _convert(_parsed(data), Rule, at)
    check_rule(rule, at)
    return rule


def read_stored(body: bytes, faulty: Callable[[str, Exception], None]) -> tuple[Rule, ...]:
    """The rules of a stored version; one that this code cannot read is told to *faulty* and left out."""
    found: list[Rule] = []
    for place, one in enumerate(msgspec.json.decode(body).get("rules", [])):
        try:
            found.append(msgspec.convert(one, Rule))
        except msgspec.ValidationError as error:
            rule_id = str(one.get("rule_id", place)) if isinstance(one, dict) else str(place)
            log.error("rule %r is switched off, it cannot be read: %s", rule_id, error)
            faulty(rule_id, error)
    return tuple(found)


def schema() -> dict[str, Any]:
    """The JSON schema of a file of rules (draft 2020-12)."""
    made = msgspec.json.schema(RuleSet)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Rules of mtp_plugin", **made}


def check_rule(rule: Rule, at: str = "") -> None:
    """Check what the types alone do not: conditions, dates, links.

    :raises InputError: with the path of what is wrong
    """
    _condition(rule.when, _join(at, "when"))
    if rule.schedule:
        for name, text in (("from", rule.schedule.start), ("until", rule.schedule.until)):
            _moment(text, _join(at, f"schedule.{name}"))
        for place, hours in enumerate(rule.schedule.hours):
            if hours.start == "24:00":
                raise InputError("a day begins at 00:00", field=_join(at, f"schedule.hours.{place}.from"))
    if rule.experiment is not None:
        _gate(rule, _join(at, "experiment"))
    for place, effect in enumerate(rule.then):
        where = _join(at, f"then.{place}")
        _condition(getattr(effect, "where", {}), _join(where, "where"))
        if isinstance(effect, Lock):
            _moment(effect.until, _join(where, "until"))
        elif isinstance(effect, Pin) and not effect.product_id and not effect.where:
            raise InputError("a pin needs a product_id, or a where that finds one", field=_join(where, "product_id"))
        elif isinstance(effect, Message) and effect.url and not _is_link(effect.url):
            raise InputError("use http://, https:// or a path that begins with /", field=_join(where, "url"))


def _parsed(data: Any) -> Any:
    if not isinstance(data, (bytes, str)):
        return data
    if len(data) > MAX_BYTES:
        raise InputError(f"the rules have {len(data)} bytes; {MAX_BYTES} are allowed", code="too-large")
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise InputError(f"this is not JSON: {error}", code="malformed") from None


def _convert(data: Any, kind: type[Any], at: str) -> Any:
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise _in_our_words(error, at) from None
    except (TypeError, ValueError, RecursionError, OverflowError) as error:
        raise InputError(f"this cannot be read: {error}", field=at) from None


def _in_our_words(error: msgspec.ValidationError, at: str) -> InputError:
    """msgspec says ``Expected `int`, got `str` - at `$.rules[3].priority```."""
    message, _, path = str(error).partition(" - at `")
    found = re.sub(r"\[(\d+|\.\.\.)\]", r".\1", path.rstrip("`").removeprefix("$")).strip(".")
    missing = re.fullmatch(r"Object (?:missing required|contains unknown) field `(.*)`", message)
    parts = (at, found, missing.group(1) if missing else "")
    return InputError(message.replace("`", ""), field=".".join(part for part in parts if part)[:200])


def _condition(spec: Mapping[str, Any], at: str) -> None:
    try:
        compile_condition(spec)
    except ConditionError as error:
        raise ConditionError(error.message, field=_join(at, error.field)) from None
    except RecursionError:
        raise ConditionError("the condition is nested too deep", field=at) from None


def _moment(text: str, at: str) -> None:
    from zoneinfo import ZoneInfo

    if not text:
        return
    try:
        moment(text, ZoneInfo("UTC"))
    except (ValueError, OverflowError):
        raise InputError(f"there is no {text}; use a date such as 2026-12-24T18:00", field=at) from None


def _gate(rule: Rule, at: str) -> None:
    gate = rule.experiment
    assert gate is not None  # noqa: S101  the caller has looked
    if gate.weights and (any(weight < 0 for weight in gate.weights) or not 0.99 <= sum(gate.weights) <= 1.01):
        raise InputError("the weights must be at least 0 and add up to 1", field=_join(at, "weights"))
    if gate.weights and max(gate.variations) >= len(gate.weights):
        raise InputError(f"there are {len(gate.weights)} variations, counted from 0", field=_join(at, "variation"))
    if gate.namespace and not 0 <= gate.namespace[1] <= gate.namespace[2] <= 1:
        raise InputError("a namespace runs from 0 to 1", field=_join(at, "namespace"))


def _is_link(url: str) -> bool:
    local = url.startswith("/") and not url.startswith(("//", "/\\"))
    return (local or url.startswith(("http://", "https://"))) and url.isprintable() and " " not in url


def _join(at: str, name: str) -> str:
    return f"{at}.{name}"[:200] if at and name else (at or name)[:200]
