"""Whether any facts at all could meet a condition: by trying the few values of each fact that make a difference."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any

from ..conditions import compile_condition
from .questions import SIZES
from .tree import All, Leaf, Node, holds, leaves
from .vocabulary import Fact, Vocabulary

MOST_TRIES = 20_000
"""Combinations tried; what is not decided by then counts as possible."""
OTHER = "\0some other text"
EXACT = ("$eq", "$in", "$exists", *SIZES)
RANGES = {"0 to 1": (0.0, 1.0), "0 to 23": (0.0, 23.0)}

Variable = str | Leaf
"""A fact, or a test that is taken to come out either way."""


def possible(trees: Iterable[Node], vocabulary: Vocabulary) -> bool:
    """Whether some facts meet all of these; where that is too much to find out, yes."""
    parts = [part for tree in trees for part in (tree.parts if isinstance(tree, All) else (tree,))]
    return all(_group_possible(group, vocabulary) for group in _groups(parts))


def _groups(parts: Sequence[Node]) -> list[list[Node]]:
    """The parts in sets that share no fact, so that each can be decided by itself."""
    groups: list[tuple[set[str], list[Node]]] = []
    for part in parts:
        paths, members = {leaf.path for leaf in leaves(part)}, [part]
        apart = []
        for known, others in groups:
            if known & paths:
                paths, members = paths | known, others + members
            else:
                apart.append((known, others))
        groups = [*apart, (paths, members)]
    return [members for _, members in groups]


def _group_possible(parts: Sequence[Node], vocabulary: Vocabulary) -> bool:
    tests = [leaf for part in parts for leaf in leaves(part)]
    choices = _choices(tests, vocabulary)
    tries = 1
    for values in choices.values():
        tries *= len(values)
    if tries > MOST_TRIES:
        return True
    answers = {leaf: _Test(leaf) for leaf in tests}
    for chosen in product(*choices.values()):
        world = dict(zip(choices, chosen, strict=True))
        if all(holds(part, lambda leaf, world=world: answers[leaf](world)) for part in parts):  # type: ignore[misc]
            return True
    return False


class _Test:
    """A leaf in a world that says a value of each fact, or how the leaf itself comes out."""

    def __init__(self, leaf: Leaf) -> None:
        self._leaf = leaf
        self._test = compile_condition({"fact": {leaf.operator: leaf.argument}})

    def __call__(self, world: dict[Variable, Any]) -> bool:
        leaf = self._leaf
        if leaf in world:
            return bool(world[leaf])
        value = world[leaf.path]
        return self._test({} if value is None else {"fact": value})


def _choices(tests: Sequence[Leaf], vocabulary: Vocabulary) -> dict[Variable, list[Any]]:
    found: dict[Variable, list[Any]] = {}
    for path in dict.fromkeys(leaf.path for leaf in tests):
        of_path = [leaf for leaf in tests if leaf.path == path]
        fact = vocabulary.find(path)
        if all(leaf.operator in EXACT for leaf in of_path) and (fact is None or fact.kind != "list"):
            found[path] = _values(of_path, fact)
        else:
            found |= {leaf: [True, False] for leaf in of_path}
    return found


def _values(tests: Sequence[Leaf], fact: Fact | None) -> list[Any]:
    """Values of a fact that its tests tell apart, nothing among them."""
    if fact is not None and fact.values:
        return [*fact.values, None]
    if fact is not None and fact.kind == "yes-no":
        return [True, False, None]
    asked: list[Any] = []
    for leaf in tests:
        asked += leaf.argument if leaf.operator == "$in" else [] if leaf.operator == "$exists" else [leaf.argument]
    numbers = [value for value in asked if isinstance(value, (int, float)) and not isinstance(value, bool)]
    near = [value + step * max(1.0, abs(value)) * 1e-6 for value in numbers for step in (-1, 0, 1)]
    if fact is not None and fact.kind == "number":
        low, high = RANGES.get(fact.unit, (float("-inf"), float("inf")))
        return [*(value for value in [*near, 0.0, 1.0] if low <= value <= high), None]
    others: list[Any] = [OTHER] if fact is not None else [OTHER, 0.5, True]
    return [*near, *(value for value in asked if value not in numbers), *others, None]
