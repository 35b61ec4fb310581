"""A condition as rows of a form, *fact, comparison, value*, and back; without JavaScript.

What does not fit into rows (brackets in brackets) is edited as JSON.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...conditions import compile_condition
from ...errors import ConditionError
from .forms import Form

OPERATORS: Mapping[str, str] = {
    "$eq": "is",
    "$ne": "is not",
    "$in": "is one of",
    "$nin": "is none of",
    "$gt": "is more than",
    "$gte": "is at least",
    "$lt": "is less than",
    "$lte": "is at most",
    "$all": "has all of",
    "$regex": "matches the pattern",
}
COMPARISONS: tuple[tuple[str, str], ...] = (
    *OPERATORS.items(),
    ("known", "is known"),
    ("unknown", "is not known"),
)
LISTS = ("$in", "$nin", "$all")
BARE = ("known", "unknown")
MOST_ROWS = 30
MOST_TEXT = 2000


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison, as typed."""

    fact: str = ""
    comparison: str = "$eq"
    value: str = ""


@dataclass(frozen=True, slots=True)
class Rows:
    """Comparisons of which all, or *any*, must hold."""

    rows: tuple[Row, ...] = ()
    any: bool = False


def rows_of(spec: Mapping[str, Any]) -> Rows | None:
    """The rows that a condition is made of; ``None`` for one that is more than rows."""
    if set(spec) == {"$or"} or set(spec) == {"$and"}:
        (name,) = spec
        parts = spec[name]
        if not isinstance(parts, Sequence) or isinstance(parts, str):
            return None
        found = [_rows(part) for part in parts]
        if any(rows is None or (name == "$or" and len(rows) != 1) for rows in found):
            return None
        return Rows(tuple(row for rows in found for row in rows or ()), name == "$or")
    flat = _rows(spec)
    return None if flat is None else Rows(tuple(flat))


def _rows(spec: Any) -> list[Row] | None:
    if not isinstance(spec, Mapping):
        return None
    found: list[Row] = []
    for name, value in spec.items():
        comparisons = value if isinstance(value, Mapping) and value else {"$eq": value}
        if str(name).startswith("$"):
            return None
        for operator, operand in comparisons.items():
            row = _row(str(name), str(operator), operand)
            if row is None:
                return None
            found.append(row)
    return found if len(found) <= MOST_ROWS else None


def _row(name: str, operator: str, operand: Any) -> Row | None:
    if operator == "$exists" and isinstance(operand, bool):
        return Row(name, "known" if operand else "unknown")
    if operator not in dict(COMPARISONS):
        return None
    if operator in LISTS:
        plain = isinstance(operand, Sequence) and not isinstance(operand, str) and all(map(_is_plain, operand))
        return Row(name, operator, ", ".join(map(write, operand))) if plain else None
    return Row(name, operator, write(operand)) if _is_plain(operand) else None


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, (str, int, float, bool))


def write(value: Any) -> str:
    """A value as one types it: texts that look like something else stand in quotes."""
    if isinstance(value, str):
        bare = value and value == value.strip() and not set(value) & set(',"')
        return value if bare and isinstance(_typed(value), str) else json.dumps(value, ensure_ascii=False)
    if value is None:
        return "null"
    return json.dumps(value)


def read(text: str, comparison: str) -> Any:
    """What was typed: numbers, ``true``, ``false`` and ``null`` are such, text in quotes is text."""
    if comparison in LISTS:
        return [_typed(part) for part in _split(text) if part]
    if comparison == "$regex":
        typed = _typed(text)
        return typed if isinstance(typed, str) else text
    return _typed(text)


def _typed(text: str) -> Any:
    text = text.strip()
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {"yes": True, "no": False}.get(text, text)
    finite = not isinstance(value, float) or math.isfinite(value)
    return value if finite and not isinstance(value, (dict, list)) else text


def _split(text: str) -> list[str]:
    """Parts between commas, those in quotes whole."""
    parts, quoted, escaped = [""], False, False
    for sign in text:
        if sign == "," and not quoted:
            parts.append("")
            continue
        if sign == '"' and not escaped and (quoted or not parts[-1].strip()):
            quoted = not quoted
        escaped = sign == "\\" and not escaped
        parts[-1] += sign
    return [part.strip() for part in parts]


def sent_rows(form: Form, prefix: str) -> Rows:
    """The rows of a form; rows without a fact are left out."""
    rows = []
    for place in range(MOST_ROWS):
        fact = form.values.get(f"{prefix}.{place}.fact", "").strip()[:200]
        if fact:
            comparison = form.values.get(f"{prefix}.{place}.comparison", "$eq")
            rows.append(Row(fact, comparison, form.values.get(f"{prefix}.{place}.value", "").strip()[:MOST_TEXT]))
    return Rows(tuple(rows), form.values.get(f"{prefix}.any") == "any")


def spec_of(rows: Rows, form: Form, prefix: str) -> dict[str, Any]:
    """The condition that the rows say; what is wrong is noted at its field."""
    parts = [_part(row, form, f"{prefix}.{place}") for place, row in enumerate(rows.rows)]
    if rows.any and len(parts) > 1:
        return {"$or": [_short(part) for part in parts]}
    merged: dict[str, Any] = {}
    for part in parts:
        ((name, compared),) = part.items()
        if set(compared) & set(merged.get(name, {})):
            return {"$and": [_short(part) for part in parts]}
        merged[name] = {**merged.get(name, {}), **compared}
    return _short(merged)


def _short(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Equality without its operator."""
    return {name: compared["$eq"] if set(compared) == {"$eq"} else compared for name, compared in spec.items()}


def _part(row: Row, form: Form, at: str) -> dict[str, Any]:
    if row.comparison not in dict(COMPARISONS):
        form.refuse(f"{at}.comparison", "Choose one of the list")
        return {row.fact: {"$eq": row.value}}
    if row.fact.startswith("$") or ".." in row.fact or row.fact.strip(".") != row.fact:
        form.refuse(f"{at}.fact", "Name a fact by its dotted path, such as context.device")
        return {"": {"$eq": row.value}}
    if row.comparison in BARE:
        return {row.fact: {"$exists": row.comparison == "known"}}
    if not row.value:
        form.refuse(f"{at}.value", "Say what to compare with")
    value = read(row.value, row.comparison)
    made = {row.fact: {row.comparison: value}}
    try:
        compile_condition(made)
    except ConditionError as error:
        form.refuse(f"{at}.value", f"{error.message[:1].upper()}{error.message[1:]}")
    return made


@dataclass(slots=True)
class Condition:
    """A condition in a form: as rows, or as JSON where rows cannot say it."""

    rows: Rows | None
    text: str = ""

    @classmethod
    def empty(cls) -> Condition:
        """One that always holds."""
        return cls(Rows())

    def padded(self, more: int = 1) -> tuple[Row, ...]:
        """Its rows and *more* empty ones."""
        return (*(self.rows.rows if self.rows else ()), *(Row() for _ in range(more)))


def condition_of(spec: Mapping[str, Any]) -> Condition:
    """A condition, to be edited."""
    rows = rows_of(spec)
    return Condition(rows) if rows is not None else Condition(None, json.dumps(spec, indent=2, ensure_ascii=False))


def sent_condition(form: Form, prefix: str) -> Condition:
    """The condition as it was sent, whatever was typed."""
    text = form.values.get(f"{prefix}.json")
    return Condition(sent_rows(form, prefix)) if text is None else Condition(None, text)


def spec_sent(condition: Condition, form: Form, prefix: str) -> dict[str, Any]:
    """The condition that the form says; what is wrong is noted at its field."""
    if condition.rows is not None:
        return spec_of(condition.rows, form, prefix)
    try:
        read_json = json.loads(condition.text or "{}")
    except (ValueError, RecursionError) as error:
        form.refuse(f"{prefix}.json", f"This is not JSON: {error}"[:300])
        return {}
    if not isinstance(read_json, dict):
        form.refuse(f"{prefix}.json", "Write an object, in braces")
        return {}
    return read_json
