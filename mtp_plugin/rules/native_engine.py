"""Our own evaluator: each condition is a closure, asked only where a value that it insists on is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..conditions import compile_condition, fact_reader, plain_key
from .questions import kind_of
from .tree import All, Leaf, parse

Key = tuple[str, Any]


class NativeEngine:
    """Implements :class:`mtp_plugin.rules.engine.Engine`; it has no state, so threads and forks do not matter to it.

    Most conditions insist on some fact having one of a few values (a segment, a device). They are filed under those
    values of the fact that parts them best, and asked where one of them is there; the others are always asked.

    :raises mtp_plugin.errors.ConditionError: a condition is malformed
    """

    name = "native"

    def __init__(self, conditions: Sequence[Mapping[str, Any]]) -> None:
        self._tests = tuple(map(compile_condition, conditions))
        insists = [_insists(condition) for condition in conditions]
        crowd = Counter((path, key) for of_one in insists for path, keys in of_one.items() for key in keys)
        files: dict[str, dict[Key, list[int]]] = {}
        self._always: list[int] = []
        for place, of_one in enumerate(insists):
            if not of_one:
                self._always.append(place)
                continue
            path = min(of_one, key=lambda path: (sum(crowd[path, key] for key in of_one[path]), path))
            for key in of_one[path]:
                files.setdefault(path, {}).setdefault(key, []).append(place)
        self._files: list[tuple[Callable[[Any], Any], dict[Key, list[int]]]] = [
            (fact_reader(path), file) for path, file in files.items()
        ]

    def holding(self, facts: Mapping[str, Any]) -> frozenset[int]:
        tests = self._tests
        return frozenset(place for place in self._asked(facts) if tests[place](facts))

    def _asked(self, facts: Mapping[str, Any]) -> Iterator[int]:
        yield from self._always
        for read, file in self._files:
            value = read(facts)
            for one in value if isinstance(value, (list, tuple)) else (value,):
                key = plain_key(one)
                if key is not None:
                    yield from file.get(key, ())


def _insists(condition: Mapping[str, Any]) -> dict[str, set[Key]]:
    """Facts without one of these values of which the condition cannot hold."""
    tree = parse(condition)
    found: dict[str, set[Key]] = {}
    for part in tree.parts if isinstance(tree, All) else (tree,):
        kind = kind_of(part) if isinstance(part, Leaf) else ""
        if isinstance(part, Leaf) and kind in ("equal", "any"):
            keys = {plain_key(value) for value in ([part.argument] if kind == "equal" else part.argument)}
            found[part.path] = {key for key in keys if key is not None}
    return found
