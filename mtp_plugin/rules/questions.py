"""Conditions as questions about small whole numbers: all that durable is told of facts.

Of a fact that is compared for equality, the number says which of the values asked for it is; of one compared by size,
where it stands among the bounds asked for. So no text, no fraction and nothing missing reaches durable, which reads
those otherwise than the one language of conditions does. Operators that it lacks are decided here, and come as 1 or 0.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from ..conditions import compile_condition, fact_reader, number_of, plain_key
from .tree import All, Leaf, Node, Not, leaves

MOST = 60
"""Facts in one message; with many more durable writes beyond its memory."""
NO_NUMBER = -1
OTHER = 0
SIZES = {"$lt": ("lt", "gte"), "$lte": ("lte", "gt"), "$gt": ("gt", "lte"), "$gte": ("gte", "lt")}
"""Each operator of size as durable's, and its opposite."""

Expression: TypeAlias = tuple[Any, ...]
"""``("and" | "or", *parts)`` or ``(comparison, name, number)``: eq, neq, lt, lte, gt, gte."""
Read: TypeAlias = Callable[[Mapping[str, Any]], int]
Want: TypeAlias = tuple[str, Any]


class Questions:
    """The numbers that some conditions ask for, each under a name of its own.

    :param trees: the conditions
    """

    def __init__(self, trees: Sequence[Node]) -> None:
        tests = [leaf for tree in trees for leaf in leaves(tree)]
        self._values: dict[str, dict[Any, int]] = {}
        self._bounds: dict[str, list[float]] = {}
        for leaf in tests:
            self._note(leaf)
        for path, bounds in self._bounds.items():
            self._bounds[path] = sorted(set(bounds))
        wants = dict.fromkeys(want for leaf in tests for want in wants_of(leaf))
        self._names = {want: f"{want[0][0]}{number}" for number, want in enumerate(wants)}
        specs = {key_of_test(leaf): leaf.spec for leaf in tests}
        self._readers = [(name, self._reader(want, specs)) for want, name in self._names.items()]

    def answers(self, facts: Mapping[str, Any]) -> dict[str, int]:
        """The numbers of these facts."""
        return {name: read(facts) for name, read in self._readers}

    def expression(self, tree: Node, wanted: bool = True) -> Expression:
        """The condition over the numbers; its opposite where it is not *wanted*."""
        if isinstance(tree, Leaf):
            return self._leaf(tree, wanted)
        if isinstance(tree, Not):
            return self.expression(tree.part, not wanted)
        parts = [self.expression(part, wanted) for part in tree.parts]
        if not parts:
            return ("eq", "always", int(isinstance(tree, All) == wanted))
        return ("and" if isinstance(tree, All) == wanted else "or", *parts)

    def _note(self, leaf: Leaf) -> None:
        kind = kind_of(leaf)
        if kind in ("equal", "any"):
            codes = self._values.setdefault(leaf.path, {})
            for value in [leaf.argument] if kind == "equal" else leaf.argument:
                codes.setdefault(plain_key(value), len(codes) + 1)
        elif kind == "size":
            self._bounds.setdefault(leaf.path, []).append(leaf.argument)

    def _leaf(self, leaf: Leaf, wanted: bool) -> Expression:
        kind = kind_of(leaf)
        if kind == "equal":
            return self._equal(leaf.path, leaf.argument, wanted)
        if kind == "size":
            return self._size(leaf, wanted)
        test = ("eq", self._names["test", key_of_test(leaf)], int(wanted))
        if kind == "decided":
            return test
        some = [self._equal(leaf.path, member, wanted) for member in leaf.argument]
        return ("or" if wanted else "and", *some, test)

    def _equal(self, path: str, value: Any, wanted: bool) -> Expression:
        return ("eq" if wanted else "neq", self._names["value", path], self._values[path][plain_key(value)])

    def _size(self, leaf: Leaf, wanted: bool) -> Expression:
        name = self._names["size", leaf.path]
        place = 2 * self._bounds[leaf.path].index(leaf.argument) + 1
        comparison, opposite = SIZES[leaf.operator]
        if wanted:
            return ("and", (comparison, name, place), ("gte", name, 0))
        return ("or", (opposite, name, place), ("lt", name, 0))

    def _reader(self, want: Want, specs: Mapping[bytes, dict[str, Any]]) -> Read:
        kind, of = want
        if kind == "test":
            return _test_reader(specs[of])
        read = fact_reader(of)
        if kind == "value":
            codes = self._values[of]
            return lambda facts: codes.get(plain_key(read(facts)), OTHER)
        bounds = self._bounds[of]
        return lambda facts: place_among(bounds, read(facts))


def place_among(bounds: Sequence[float], value: Any) -> int:
    """Where a value stands: 1, 3, 5, ... on a bound, 0, 2, 4, ... before it, -1 what is no number."""
    number = number_of(value)
    if number is None or number != number:
        return NO_NUMBER
    at = bisect_left(bounds, number)
    return 2 * at + (at < len(bounds) and bounds[at] == number)


def kind_of(leaf: Leaf) -> str:
    """How a test is asked: ``equal``, ``any``, ``size``, or ``decided`` beforehand."""
    if leaf.operator == "$eq" and plain_key(leaf.argument) is not None:
        return "equal"
    if leaf.operator == "$in" and all(plain_key(member) is not None for member in leaf.argument):
        return "any"
    number = isinstance(leaf.argument, (int, float)) and not isinstance(leaf.argument, bool)
    return "size" if leaf.operator in SIZES and number else "decided"


def wants_of(leaf: Leaf) -> list[Want]:
    """The numbers that a test needs; ``$in`` has one more, for lists on its left."""
    kind = kind_of(leaf)
    if kind == "size":
        return [("size", leaf.path)]
    wants: list[Want] = [] if kind == "decided" else [("value", leaf.path)]
    return wants if kind == "equal" else [*wants, ("test", key_of_test(leaf))]


def key_of_test(leaf: Leaf) -> bytes:
    """What is the same for the same test."""
    return msgspec.json.encode(leaf.spec, order="sorted")


def _test_reader(spec: dict[str, Any]) -> Read:
    ((path, test),) = spec.items()
    holds_, read = compile_condition(spec), fact_reader(path)
    if "$in" in test and kind_of(Leaf(path, "$in", test["$in"])) == "any":
        return lambda facts: int(isinstance(read(facts), (list, tuple)) and holds_(facts))
    return lambda facts: int(holds_(facts))


def packed(trees: Sequence[Node]) -> Iterator[dict[int, Node]]:
    """The conditions, by number, in sets that ask for few enough facts each; those alike stand together."""
    wants = [{want for leaf in leaves(tree) for want in wants_of(leaf)} for tree in trees]
    members: dict[int, Node] = {}
    asked: set[Want] = set()
    for number in sorted(range(len(trees)), key=lambda number: sorted(map(str, wants[number]))):
        if members and len(asked | wants[number]) > MOST:
            yield members
            members, asked = {}, set()
        members[number] = trees[number]
        asked |= wants[number]
    if members:
        yield members


def is_bearable(tree: Node) -> bool:
    """Whether a condition asks for few enough facts to be put to durable."""
    return len({want for leaf in leaves(tree) for want in wants_of(leaf)}) <= MOST
