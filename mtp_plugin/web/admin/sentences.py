"""Conditions in plain words: ``{"segment.name": {"$in": ["Ada", "Ben"]}}`` is *segment name is Ada or Ben*."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

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
    "$size": "has this many entries:",
    "$type": "is of the type",
}
WORDS: Mapping[str, str] = {
    "context.commuting": "commuting hours",
    "context.urban": "an urban place",
    "context.weekend": "the weekend",
    "context.cart.count": "products in the cart",
    "context.cart.value": "worth of the cart",
    "profile.returning": "a returning visitor",
    "profile.customer": "a customer",
    "profile.discount_seeker": "a discount seeker",
    "segment.confidence": "confidence in the segment",
}
"""Facts that read better otherwise than by their path."""
DEEPEST = 12


def sentence(spec: Any, *, nothing: str = "always") -> str:
    """A whole condition in words.

    :param nothing: what the empty one says
    """
    return _said(spec, 0) or nothing


def _said(spec: Any, depth: int) -> str:
    if not isinstance(spec, Mapping) or depth > DEEPEST:
        return _value(spec)
    return " and ".join(part for name, value in spec.items() if (part := _entry(str(name), value, depth)))


def _entry(name: str, value: Any, depth: int) -> str:
    parts = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    if name in ("$and", "$or", "$nor"):
        inner = [said for part in parts if (said := _said(part, depth + 1))]
        inner = [_bracketed(said) for said in inner] if len(inner) > 1 else inner
        joined = (" and " if name == "$and" else " or ").join(inner)
        return f"none of ({joined})" if name == "$nor" else joined
    if name == "$not":
        return f"not ({_said(value, depth + 1)})"
    if isinstance(value, Mapping) and value and all(str(key).startswith("$") for key in value):
        return " and ".join(_compared(name, str(operator), operand, depth) for operator, operand in value.items())
    return _compared(name, "$eq", value, depth)


def _compared(name: str, operator: str, operand: Any, depth: int) -> str:
    subject = fact(name)
    if operator == "$eq" and operand is True:
        return f"it is {subject}" if name in WORDS else f"{subject} holds"
    if operator == "$eq" and operand is False:
        return f"it is not {subject}" if name in WORDS else f"{subject} does not hold"
    if operator == "$exists":
        return f"{subject} is {'known' if operand else 'not known'}"
    if operator in ("$not", "$elemMatch"):
        start = f"{subject} is not so that" if operator == "$not" else f"an entry of {subject} is so that"
        return f"{start} ({_inner(operand, depth)})"
    if operator in ("$in", "$nin") and isinstance(operand, Sequence) and len(operand) == 1:
        return f"{subject} {'is' if operator == '$in' else 'is not'} {_value(operand[0])}"
    return f"{subject} {OPERATORS.get(operator, operator)} {_value(operand)}"


def _inner(operand: Any, depth: int) -> str:
    """What operators say of a value that has no name of its own."""
    if not isinstance(operand, Mapping) or depth > DEEPEST:
        return _value(operand)
    if not all(str(key).startswith("$") for key in operand):
        return _said(operand, depth + 1)
    return " and ".join(_compared("it", str(key), value, depth + 1) for key, value in operand.items())


def fact(path: str) -> str:
    """A fact's path as it is read."""
    if path in WORDS:
        return WORDS[path]
    root, _, rest = path.partition(".")
    words = (rest if root in ("context", "profile") and rest else path).replace("_", " ").replace(".", " ")
    return words


def _bracketed(said: str) -> str:
    return f"({said})" if " and " in said or " or " in said else said


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "nothing"
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:.6g}"
    if isinstance(value, Mapping):
        return "{…}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        words = [_value(part) for part in value]
        return ", ".join(words[:-1]) + (" or " if len(words) > 1 else "") + (words[-1] if words else "nothing")
    return str(value)
