"""A condition as a tree of tests, each of one fact: what engines, checks and summaries read it as."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """One operator on one fact; a plain value is ``$eq``."""

    path: str
    operator: str
    argument: Any

    @property
    def spec(self) -> dict[str, Any]:
        """The leaf as a condition of its own."""
        return {self.path: {self.operator: self.argument}}


@dataclass(frozen=True, slots=True, eq=False)
class All:
    """Holds when all parts do."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Some:
    """Holds when any part does."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Not:
    """Holds when the part does not."""

    part: Node


Node = Leaf | All | Some | Not
ALWAYS = All(())


def parse(spec: Mapping[str, Any]) -> Node:
    """The tree of a condition that :func:`mtp_plugin.conditions.compile_condition` takes."""
    return _joined([_gate(key, value) for key, value in spec.items()])


def _gate(key: str, value: Any) -> Node:
    if key == "$not":
        return Not(parse(value))
    if key == "$and":
        return _joined([parse(part) for part in value])
    if key in ("$or", "$nor"):
        some: Node = Some(tuple(parse(part) for part in value)) if value else ALWAYS
        return Not(some) if key == "$nor" else some
    return _value(key, value)


def _value(path: str, value: Any) -> Node:
    if not isinstance(value, Mapping) or not any(str(key).startswith("$") for key in value):
        return Leaf(path, "$eq", value)
    return _joined([_operator(path, name, argument) for name, argument in value.items()])


def _operator(path: str, name: str, argument: Any) -> Node:
    if name == "$not":
        return Not(_value(path, argument))
    if name == "$ne":
        return Not(Leaf(path, "$eq", argument))
    if name == "$nin":
        return Not(Leaf(path, "$in", argument))
    return Leaf(path, name, argument)


def _joined(parts: list[Node]) -> Node:
    return parts[0] if len(parts) == 1 else All(tuple(parts))


def leaves(node: Node) -> Iterator[Leaf]:
    """All tests of a tree, from the left."""
    if isinstance(node, Leaf):
        yield node
    elif isinstance(node, Not):
        yield from leaves(node.part)
    else:
        for part in node.parts:
            yield from leaves(part)


def holds(node: Node, test: Callable[[Leaf], bool]) -> bool:
    """What the tree comes to when *test* decides its leaves."""
    if isinstance(node, Leaf):
        return test(node)
    if isinstance(node, Not):
        return not holds(node.part, test)
    if isinstance(node, All):
        return all(holds(part, test) for part in node.parts)
    return any(holds(part, test) for part in node.parts)
