"""A rule as an English sentence, for people who do not read JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..records import (
    AnyEffect,
    Boost,
    Bury,
    Filter,
    Gate,
    Limit,
    Lock,
    Message,
    Pin,
    Prefer,
    Require,
    Retitle,
    Rule,
    Schedule,
    UseStrategies,
)
from .tree import All, Leaf, Node, Not, parse
from .vocabulary import Fact, Vocabulary

COMPARED = {"$lt": "below", "$lte": "at most", "$gt": "above", "$gte": "at least"}
_PRODUCTS = {
    "tags": ("tagged", "not tagged"),
    "colors": ("coloured", "not coloured"),
    "category": ("in the category", "not in the category"),
    "category_path": ("in the category", "not in the category"),
}


def summary(rule: Rule, vocabulary: Vocabulary | None = None) -> str:
    """One sentence or two.

    >>> from mtp_plugin.records import Boost
    >>> summary(Rule(rule_id="r", when={"context.commuting": True}, then=(Boost(where={"tags": {"$in": ["quick"]}}),)))
    'When it is commuting hours, boost products tagged *quick* by 2.'
    """
    words = vocabulary or Vocabulary()
    when = condition(rule.when, words)
    then = "; ".join(map(effect, rule.then))
    begin = f"When {when}, {then}" if when else then[:1].upper() + then[1:]
    where = f" in {_listed([f'*{name}*' for name in rule.placements])}" if rule.placements else ""
    told = [begin + where + ".", _schedule(rule.schedule), _gate(rule.experiment)]
    return " ".join(part for part in told if part)


def condition(when: Mapping[str, Any], vocabulary: Vocabulary) -> str:
    """A condition on facts; empty where it always holds."""
    tree = parse(when)
    return "" if isinstance(tree, All) and not tree.parts else _said(tree, lambda leaf, no: _fact(leaf, no, vocabulary))


def products(where: Mapping[str, Any]) -> str:
    """A condition on products, after the word."""
    tree = parse(where)
    if isinstance(tree, All) and not tree.parts:
        return "all products"
    return f"products {_said(tree, _field)}"


def effect(of: AnyEffect) -> str:
    """What one effect does, as a command."""
    match of:
        case Filter():
            return f"{'hide' if of.exclude else 'show only'} {products(of.where)}"
        case Boost():
            return f"boost {products(of.where)} by {of.by:g}"
        case Bury():
            return f"bury {products(of.where)} by {of.by:g}"
        case Prefer():
            return f"boost products tagged {_any(of.tags)} by {of.by:g}"
        case Require():
            return f"show only products tagged {_any(of.tags)}"
        case Pin():
            what = f"*{of.product_id}*" if of.product_id else f"the best of {products(of.where)}"
            return f"pin {what} at position {of.position}"
        case Lock():
            until = f" until {of.until.replace('T', ' ')}" if of.until else ""
            return f"keep position {of.position} for {_any(of.product_ids)}{until}"
        case Limit():
            return f"show at most {of.most} of one {of.per}"
        case UseStrategies():
            return f"fill the block with {', then '.join(f'*{name}*' for name in of.strategies)}"
        case Retitle():
            return f"title the block “{of.title}”"
        case Message():
            return f"say “{of.text}”"


def _said(tree: Node, say: Any, no: bool = False) -> str:
    if isinstance(tree, Leaf):
        return str(say(tree, no))
    if isinstance(tree, Not):
        return _said(tree.part, say, not no)
    word = "and" if isinstance(tree, All) != no else "or"
    parts = [_said(part, say, no) for part in tree.parts]
    nested = [
        f"({text})" if not isinstance(part, (Leaf, Not)) and len(parts) > 1 else text
        for part, text in zip(tree.parts, parts, strict=True)
    ]
    return f" {word} ".join(nested) or ("never" if no else "always")


def _fact(leaf: Leaf, no: bool, vocabulary: Vocabulary) -> str:
    fact = vocabulary.find(leaf.path)
    if fact is not None and fact.kind == "yes-no" and leaf.operator == "$eq" and isinstance(leaf.argument, bool):
        said = fact.said or leaf.path
        return said if leaf.argument != no else f"not: {said}"
    return _compared(_name(fact, leaf.path), leaf, no)


def _name(fact: Fact | None, path: str) -> str:
    return fact.said if fact is not None and fact.said and fact.path == path else path


def _field(leaf: Leaf, no: bool) -> str:
    if leaf.path == "on_sale" and isinstance(leaf.argument, bool):
        return "on sale now" if leaf.argument != no else "not on sale now"
    words = _PRODUCTS.get(leaf.path)
    if words and leaf.operator in ("$in", "$eq"):
        members = leaf.argument if leaf.operator == "$in" else [leaf.argument]
        return f"{words[no]} {_any(members)}"
    if leaf.path == "brand" and leaf.operator in ("$in", "$eq"):
        members = leaf.argument if leaf.operator == "$in" else [leaf.argument]
        return f"{'not ' if no else ''}of the brand {_any(members)}"
    name = leaf.path.removeprefix("attributes.").replace("_", " ")
    return f"whose {_compared(name, leaf, no)}"


def _compared(name: str, leaf: Leaf, no: bool) -> str:
    operator, argument = leaf.operator, leaf.argument
    be = "is not" if no else "is"
    if operator == "$eq":
        return f"{name} {be} unknown" if argument is None else f"{name} {be} {_value(argument)}"
    if operator == "$in":
        return f"{name} {be} {_any(argument)}"
    if operator in COMPARED:
        return f"{name} {be} {COMPARED[operator]} {_value(argument)}"
    if operator == "$exists":
        return f"{name} is {'known' if argument != no else 'unknown'}"
    if operator == "$regex":
        return f"{name} {'does not match' if no else 'matches'} {_value(argument)}"
    if operator == "$all":
        return f"{name} {'does not have' if no else 'has'} all of {_any(argument, 'and')}"
    return f"{name} {'does not meet' if no else 'meets'} {operator} {_value(argument)}"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, (int, float)) else f"*{value}*"


def _any(members: Sequence[Any], word: str = "or") -> str:
    return _listed([_value(member) for member in members], word)


def _listed(parts: Sequence[str], word: str = "or") -> str:
    if len(parts) < 2:
        return parts[0] if parts else "nothing"
    return f"{', '.join(parts[:-1])} {word} {parts[-1]}"


def _schedule(schedule: Schedule | None) -> str:
    if schedule is None:
        return ""
    parts = [f"from {schedule.start.replace('T', ' ')}"] if schedule.start else []
    parts += [f"until {schedule.until.replace('T', ' ')}"] if schedule.until else []
    for hours in schedule.hours:
        days = _listed([day.capitalize() for day in hours.days], "and") if hours.days else "every day"
        parts.append(f"{days} {hours.start}–{hours.until}")
    return f"In force {', '.join(parts)}." if parts else ""


def _gate(gate: Gate | None) -> str:
    if gate is None:
        return ""
    share = f", {gate.coverage:.0%} of visitors take part" if gate.coverage < 1 else ""
    return f"Only for variation {gate.variation} of the experiment *{gate.experiment_id}*{share}."
