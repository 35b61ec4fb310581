"""The one condition language: rules, hand-made segments, experiment targeting and the API's ``filter``.

MongoDB-style JSON with the semantics GrowthBook documents (docs.growthbook.io/lib/build-your-own, "Evaluating
Conditions"), compiled once to closures. Where that text leaves a choice, ``docs/conditions.md`` says what is done here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .errors import ConditionError
from .patterns import Pattern, PatternError

Condition = Callable[[Mapping[str, Any]], bool]
Test = Callable[[Any], bool]

MAX_DEPTH = 12
"""Levels of nesting."""
MAX_NODES = 500
"""Fields, operators and plain values in the whole condition, members of ``$in`` lists apart."""
MAX_LIST = 1000
"""Members of one list."""
MAX_TEXT = 2000
"""Characters of one string or path."""
MAX_PATTERNS = 10
"""``$regex`` tests in the whole condition."""

TYPES = ("string", "number", "boolean", "array", "object", "null", "undefined", "unknown")
OPERATORS = (
    "$eq", "$ne", "$lt", "$lte", "$gt", "$gte", "$in", "$nin", "$exists", "$regex", "$not", "$all", "$elemMatch",
    "$size", "$type",
)  # fmt: skip
GROUPS = ("$and", "$or", "$nor", "$not")


def compile_condition(spec: Mapping[str, Any]) -> Condition:
    """Compile a condition.

    :param spec: such as ``{"brand": "Acme", "price": {"$lt": 50}}``; the empty one is always true
    :returns: a pure function of the facts, a mapping whose nested mappings are reached by dotted paths. It raises
        nothing, whatever JSON-like values it is given, and may be called from many threads
    :raises ConditionError: malformed or over a limit; ``field`` is the dotted path inside the condition

    >>> compile_condition({"tags": {"$in": ["sale"]}})({"tags": ["new", "sale"]})
    True
    """
    return _Compiler().condition(spec, "", 0)


class _Compiler:
    """Walks one condition, counting what it costs."""

    def __init__(self) -> None:
        self._nodes = self._patterns = 0

    def condition(self, spec: Any, path: str, depth: int) -> Condition:
        if not isinstance(spec, Mapping):
            raise ConditionError(f'a condition is an object, as {{"brand": "Acme"}}, not {_shown(spec)}', field=path)
        tests = [self._gate(key, value, path, depth) for key, value in spec.items()]
        if len(tests) == 1:
            return tests[0]
        return lambda facts: all(test(facts) for test in tests)

    def _gate(self, key: Any, value: Any, path: str, depth: int) -> Condition:
        at = _join(path, key)
        self._count(at, depth)
        if not isinstance(key, str) or len(key) > MAX_TEXT:
            raise ConditionError("a field name is a string", field=path)
        if key in GROUPS:
            return self._group(key, value, at, depth)
        if key.startswith("$"):
            raise ConditionError(f"{key} cannot stand here; use {', '.join(GROUPS)} or a field name", field=at)
        read, test = fact_reader(key), self.value(value, at, depth + 1)
        return lambda facts: test(read(facts))

    def _group(self, key: str, value: Any, at: str, depth: int) -> Condition:
        if key == "$not":
            inner = self.condition(value, at, depth + 1)
            return lambda facts: not inner(facts)
        parts = [self.condition(part, _join(at, i), depth + 1) for i, part in enumerate(self._list(value, at))]
        if key == "$and":
            return lambda facts: all(part(facts) for part in parts)
        if not parts:  # GrowthBook: an empty $or holds, so an empty $nor does not
            return lambda facts: key == "$or"
        if key == "$or":
            return lambda facts: any(part(facts) for part in parts)
        return lambda facts: not any(part(facts) for part in parts)

    def value(self, spec: Any, path: str, depth: int) -> Test:
        """A test of one value: operators, or equality with a plain value."""
        if not isinstance(spec, Mapping) or not _has_operators(spec, path):
            return _equals(self._plain(spec, path, depth))
        tests = [self._operator(key, argument, _join(path, key), depth) for key, argument in spec.items()]
        if len(tests) == 1:
            return tests[0]
        return lambda value: all(test(value) for test in tests)

    def _operator(self, name: str, argument: Any, at: str, depth: int) -> Test:
        self._count(at, depth)
        build = _OPERATORS.get(name)
        if build is None:
            raise ConditionError(f"there is no operator {name[:40]}; use one of {', '.join(OPERATORS)}", field=at)
        return build(self, argument, at, depth + 1)

    def _eq(self, argument: Any, at: str, depth: int) -> Test:
        return _equals(self._plain(argument, at, depth))

    def _ne(self, argument: Any, at: str, depth: int) -> Test:
        return _negate(self._eq(argument, at, depth))

    def _in(self, argument: Any, at: str, depth: int) -> Test:
        given = enumerate(self._list(argument, at))
        members = [self._plain(member, _join(at, i), depth, cost=0) for i, member in given]
        keys = {key for key in map(plain_key, members) if key is not None}
        objects = [member for member in members if plain_key(member) is None]

        def one(value: Any) -> bool:
            key = plain_key(value)
            return key in keys if key is not None else any(_same(value, member) for member in objects)

        # A list on the left asks for a common member; a list inside the list on the right is not one of them.
        return lambda value: any(map(one, value)) if _is_list(value) else one(value)

    def _nin(self, argument: Any, at: str, depth: int) -> Test:
        return _negate(self._in(argument, at, depth))

    def _exists(self, argument: Any, at: str, depth: int) -> Test:
        if not isinstance(argument, bool):
            raise ConditionError(f"$exists takes true or false, not {_shown(argument)}", field=at)
        return lambda value: (value is not None) == argument

    def _regex(self, argument: Any, at: str, depth: int) -> Test:
        if not isinstance(argument, str):
            raise ConditionError(f"$regex takes a string, not {_shown(argument)}", field=at)
        self._patterns += 1
        if self._patterns > MAX_PATTERNS:
            raise ConditionError(f"the condition has more than {MAX_PATTERNS} patterns", field=at)
        try:
            search = Pattern(argument).search
        except PatternError as error:
            raise ConditionError(f"the pattern {error}", field=at) from error
        return lambda value: isinstance(value, str) and search(value)

    def _not(self, argument: Any, at: str, depth: int) -> Test:
        return _negate(self.value(argument, at, depth))

    def _all(self, argument: Any, at: str, depth: int) -> Test:
        tests = [self.value(member, _join(at, i), depth) for i, member in enumerate(self._list(argument, at))]
        return lambda value: _is_list(value) and all(any(map(test, value)) for test in tests)

    def _elem_match(self, argument: Any, at: str, depth: int) -> Test:
        if not isinstance(argument, Mapping):
            raise ConditionError(f"$elemMatch takes an object, not {_shown(argument)}", field=at)
        operators = bool(argument) and _has_operators(argument, at, groups=True)
        test = self.value(argument, at, depth) if operators else self._element(argument, at, depth)
        return lambda value: _is_list(value) and any(map(test, value))

    def _element(self, argument: Any, at: str, depth: int) -> Test:
        condition = self.condition(argument, at, depth)
        return lambda item: condition(item if isinstance(item, Mapping) else {})

    def _size(self, argument: Any, at: str, depth: int) -> Test:
        test = self.value(argument, at, depth)
        return lambda value: _is_list(value) and test(len(value))

    def _type(self, argument: Any, at: str, depth: int) -> Test:
        if argument not in TYPES or not isinstance(argument, str):
            raise ConditionError(f"$type takes one of {', '.join(TYPES)}, not {_shown(argument)}", field=at)
        return lambda value: _type_of(value) == argument

    def _compare(self, argument: Any, at: str, holds: Callable[[Any, Any], bool]) -> Test:
        if argument is not None and not isinstance(argument, (str, int, float)):
            raise ConditionError(f"a comparison takes a number or a string, not {_shown(argument)}", field=at)
        wanted = self._plain(argument, at, 0)
        number = number_of(wanted)

        def test(value: Any) -> bool:
            if isinstance(value, str) and isinstance(wanted, str):
                return holds(value, wanted)
            left = number_of(value)
            return left is not None and number is not None and holds(left, number)

        return test

    def _list(self, value: Any, at: str) -> Sequence[Any]:
        if not _is_list(value):
            raise ConditionError(f"a list is needed here, not {_shown(value)}", field=at)
        if len(value) > MAX_LIST:
            raise ConditionError(f"the list has {len(value)} members; {MAX_LIST} are allowed", field=at)
        members: Sequence[Any] = value
        return members

    def _plain(self, value: Any, at: str, depth: int, cost: int = 1) -> Any:
        """A value to compare with, checked to be JSON and of bearable size."""
        self._count(at, depth, cost)
        if isinstance(value, str) and len(value) > MAX_TEXT:
            raise ConditionError(f"the text has {len(value)} characters; {MAX_TEXT} are allowed", field=at)
        if isinstance(value, float) and not math.isfinite(value):
            raise ConditionError("a number must be finite", field=at)
        if isinstance(value, Mapping):
            if not all(isinstance(key, str) and not key.startswith("$") for key in value):
                raise ConditionError("operators cannot stand in a plain value; use a dotted path", field=at)
            return {key: self._plain(part, _join(at, key), depth + 1) for key, part in value.items()}
        if _is_list(value):
            return [self._plain(part, _join(at, i), depth + 1) for i, part in enumerate(self._list(value, at))]
        if value is not None and not isinstance(value, (str, bool, int, float)):
            raise ConditionError(f"{type(value).__name__} is no JSON value", field=at)
        return value

    def _count(self, at: str, depth: int, cost: int = 1) -> None:
        self._nodes += cost
        if depth > MAX_DEPTH:
            raise ConditionError(f"the condition is nested more than {MAX_DEPTH} levels deep", field=at)
        if self._nodes > MAX_NODES:
            raise ConditionError(f"the condition has more than {MAX_NODES} parts", field=at)


_OPERATORS: dict[str, Callable[[_Compiler, Any, str, int], Test]] = {
    "$eq": _Compiler._eq,
    "$ne": _Compiler._ne,
    "$lt": lambda self, argument, at, _: self._compare(argument, at, lambda a, b: a < b),
    "$lte": lambda self, argument, at, _: self._compare(argument, at, lambda a, b: a <= b),
    "$gt": lambda self, argument, at, _: self._compare(argument, at, lambda a, b: a > b),
    "$gte": lambda self, argument, at, _: self._compare(argument, at, lambda a, b: a >= b),
    "$in": _Compiler._in,
    "$nin": _Compiler._nin,
    "$exists": _Compiler._exists,
    "$regex": _Compiler._regex,
    "$not": _Compiler._not,
    "$all": _Compiler._all,
    "$elemMatch": _Compiler._elem_match,
    "$size": _Compiler._size,
    "$type": _Compiler._type,
}


def _has_operators(spec: Mapping[Any, Any], path: str, groups: bool = False) -> bool:
    """Whether all keys are operators; a mixture is refused, since either reading would surprise.

    :param groups: ``$and``, ``$or``, ``$nor`` are no operators of a value but join whole conditions
    """
    marked = [isinstance(key, str) and key.startswith("$") for key in spec]
    if groups and any(key in ("$and", "$or", "$nor") for key in spec):
        return False
    if any(marked) and not all(marked):
        raise ConditionError("operators and field names cannot be mixed in one object", field=path)
    return any(marked)


def fact_reader(path: str) -> Callable[[Any], Any]:
    """Reads a dotted path; ``None`` where it leads nowhere. Numbers index lists."""
    if "." not in path:
        return lambda facts: facts.get(path)
    parts = path.split(".")

    def read(facts: Any) -> Any:
        for part in parts:
            if isinstance(facts, Mapping):
                facts = facts.get(part)
            elif _is_list(facts) and part.isdecimal() and len(part) < 10 and int(part) < len(facts):
                facts = facts[int(part)]
            else:
                return None
        return facts

    return read


def _negate(test: Test) -> Test:
    return lambda value: not test(value)


def _equals(wanted: Any) -> Test:
    key = plain_key(wanted)
    if key is None:
        return lambda value: _same(value, wanted)
    return lambda value: plain_key(value) == key


def plain_key(value: Any) -> tuple[str, Any] | None:
    """What makes a plain value equal to another of its own type; ``None`` for lists and objects."""
    if value is None or isinstance(value, (str, bool)):
        return _type_of(value), value
    if isinstance(value, (int, float)):
        return "number", value
    return None


def _same(left: Any, right: Any) -> bool:
    """Deep equality by type: ``1`` is ``1.0``, but neither ``"1"`` nor ``true``."""
    key = plain_key(left)
    if key is not None:
        return key == plain_key(right)
    if _is_list(left) and _is_list(right):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    return False


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple))


def number_of(value: Any) -> float | int | None:
    """The number that a comparison sees: nothing is 0, text is what it spells; ``None`` for what is no number."""
    if value is None:
        return 0
    if isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        text = value.strip()
        try:
            return float(text) if text.isascii() and "_" not in text else None
        except ValueError:
            return None if text else 0
    return None


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "string"
    if _is_list(value):
        return "array"
    return "object" if isinstance(value, Mapping) else "unknown"


def _join(path: str, key: Any) -> str:
    return f"{path}.{key}"[:200] if path else str(key)[:200]


def _shown(value: Any) -> str:
    return {"object": "an object", "array": "a list", "null": "null"}.get(_type_of(value)) or repr(value)[:60]
