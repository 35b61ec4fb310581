"""A rule as an English sentence, for people who do not read JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import count
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
    UseModel,
    UseStrategies,
)
from .marked import Piece, at, capital, pieces, plain
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
    return plain(_told(rule, vocabulary or Vocabulary()))


def summary_pieces(rule: Rule, vocabulary: Vocabulary) -> list[Piece]:
    """The same sentence, each of its words with the part of the rule that it tells of.

    A fact of a condition is told by its place among all of them, from the left: ``when.0``, ``then.2.where.1``.
    """
    return pieces(_told(rule, vocabulary))


def _told(rule: Rule, words: Vocabulary) -> str:
    when = _condition(rule.when, words)
    then = "; ".join(_effect(one, f"then.{place}") for place, one in enumerate(rule.then))
    begin = f"When {when}, {then}" if when else capital(then)
    where = f" in {at('placements', _listed([f'*{name}*' for name in rule.placements]))}" if rule.placements else ""
    told = [begin + where + ".", _schedule(rule.schedule), _gate(rule.experiment)]
    return " ".join(part for part in told if part)


def condition(when: Mapping[str, Any], vocabulary: Vocabulary) -> str:
    """A condition on facts; empty where it always holds."""
    return plain(_condition(when, vocabulary))


def _condition(when: Mapping[str, Any], vocabulary: Vocabulary) -> str:
    tree = parse(when)
    if isinstance(tree, All) and not tree.parts:
        return ""
    return _said(tree, _numbered("when", lambda leaf, no: _fact(leaf, no, vocabulary)))


def _products(where: Mapping[str, Any], path: str) -> str:
    """A condition on products, after the word."""
    tree = parse(where)
    if isinstance(tree, All) and not tree.parts:
        return at(path, "all products")
    return f"products {_said(tree, _numbered(path, _field))}"


def _numbered(path: str, say: Callable[[Leaf, bool], str]) -> Callable[[Leaf, bool], str]:
    """Each fact is marked with its place, from the left."""
    places = count()
    return lambda leaf, no: at(f"{path}.{next(places)}", say(leaf, no))


def _effect(of: AnyEffect, path: str) -> str:
    """What one effect does, as a command."""

    def part(name: str, text: object) -> str:
        return at(f"{path}.{name}", str(text))

    def of_products() -> str:
        return _products(getattr(of, "where", {}), f"{path}.where")

    match of:
        case Filter():
            return f"{part('exclude', 'hide' if of.exclude else 'show only')} {of_products()}"
        case Boost():
            return f"boost {of_products()} by {part('by', f'{of.by:g}')}"
        case Bury():
            return f"bury {of_products()} by {part('by', f'{of.by:g}')}"
        case Prefer():
            return f"boost products tagged {part('tags', _any(of.tags))} by {part('by', f'{of.by:g}')}"
        case Require():
            return f"show only products tagged {part('tags', _any(of.tags))}"
        case Pin():
            what = part("product_id", f"*{of.product_id}*") if of.product_id else f"the best of {of_products()}"
            return f"pin {what} at position {part('position', of.position)}"
        case Lock():
            until = f" until {part('until', of.until.replace('T', ' '))}" if of.until else ""
            return (
                f"keep position {part('position', of.position)} for {part('product_ids', _any(of.product_ids))}{until}"
            )
        case Limit():
            return f"show at most {part('most', of.most)} of one {part('per', of.per)}"
        case UseStrategies():
            names = ", then ".join(f"*{name}*" for name in of.strategies)
            return f"fill the block with {part('strategies', names)}"
        case UseModel():
            return f"let the model {part('version', f'*{of.version}*')} answer"
        case Retitle():
            return f"title the block {part('title', f'“{of.title}”')}"
        case Message():
            return f"say {part('text', f'“{of.text}”')}"


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
    if path.startswith("segment.attributes."):
        return f"the segment's {path.removeprefix('segment.attributes.').replace('_', ' ')}"
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
    parts = [f"from {at('schedule.from', schedule.start.replace('T', ' '))}"] if schedule.start else []
    parts += [f"until {at('schedule.until', schedule.until.replace('T', ' '))}"] if schedule.until else []
    for place, hours in enumerate(schedule.hours):
        days = _listed([day.capitalize() for day in hours.days], "and") if hours.days else "every day"
        parts.append(at(f"schedule.hours.{place}", f"{days} {hours.start}–{hours.until}"))
    return f"In force {', '.join(parts)}." if parts else ""


def _gate(gate: Gate | None) -> str:
    if gate is None:
        return ""
    share = f", {at('experiment.coverage', f'{gate.coverage:.0%}')} of visitors take part" if gate.coverage < 1 else ""
    variation = at("experiment.variation", _listed([str(number) for number in gate.variations], "or"))
    experiment = at("experiment.experiment_id", f"*{gate.experiment_id}*")
    return f"Only for variation {variation} of the experiment {experiment}{share}."
