"""durable-rules as the evaluator, kept away from everything that is wrong with it; see ``docs/rules.md``.

Each condition becomes a durable rule over small whole numbers, see :mod:`mtp_plugin.rules.questions`; what fires is
read back. It is asked under one lock, one state and ids that never come again, and the state is deleted at once.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

import durable_rules_engine
import msgspec
from durable.engine import Host

from ..errors import MTPError
from .native_engine import NativeEngine
from .questions import Expression, Questions, is_bearable, packed
from .tree import Node, parse

log = logging.getLogger(__name__)

SID = "1"
SENTINEL = "always"
"""A rule that every message meets: a message that meets none frees its state twice and takes the process with it."""


class DurableError(MTPError):
    """durable gave no usable answer."""


class QuietHost(Host):  # type: ignore[misc]
    """A host without its two timer threads: a forked worker would lack them, and they have crashed interpreters."""

    def _run(self) -> None:
        """Start nothing."""


class Ruleset:
    """One set of rules inside durable, over at most as many facts as one message bears."""

    def __init__(self, rules: Mapping[int, Node]) -> None:
        self._questions = questions = Questions(list(rules.values()))
        self._ids = count(1)
        text = rule_text(questions, rules)
        host = QuietHost()
        host.register_rulesets({"rules": {name: {**rule, "run": _nothing} for name, rule in text.items()}})
        self._host = host
        self._handle = host.get_ruleset("rules")._handle

    def holding(self, facts: Mapping[str, Any]) -> set[int]:
        message = {"id": next(self._ids), "sid": SID, SENTINEL: 1, **self._questions.answers(facts)}
        result, state = durable_rules_engine.assert_fact(self._handle, msgspec.json.encode(message).decode())
        if result != 0:
            raise DurableError(f"durable answered {result}")
        fired = self._fired(state)
        durable_rules_engine.delete_state(self._handle, SID)  # never before all has fired: it takes the process along
        if SENTINEL not in fired:
            raise DurableError("durable left out a rule that always holds")
        fired.discard(SENTINEL)
        return set(map(int, fired))

    def _fired(self, state: Any) -> set[str]:
        """Names of all rules that fire; with ``or``, one may do so several times."""
        started = durable_rules_engine.start_action_for_state(self._handle, state)
        found: set[str] = set()
        action = started[1] if started else None
        while action:
            found.update(msgspec.json.decode(action))
            action = durable_rules_engine.complete_and_start_action(self._handle, state)
        return found


class DurableEngine:
    """Implements :class:`mtp_plugin.rules.engine.Engine`.

    A fork gets its own: what a thread of the parent was in the middle of is nobody's to finish.

    :param conditions: equal ones are evaluated once; our own evaluator takes those that ask for more facts than a
        message bears
    :raises mtp_plugin.errors.ConditionError: one is malformed
    """

    name = "durable"

    def __init__(self, conditions: Sequence[Mapping[str, Any]]) -> None:
        places: dict[bytes, list[int]] = {}
        for place, condition in enumerate(conditions):
            places.setdefault(msgspec.json.encode(condition, order="sorted"), []).append(place)
        self._places = list(places.values())
        different = [conditions[same[0]] for same in self._places]
        NativeEngine(different)
        self._different = different
        trees = dict(enumerate(map(parse, different)))
        self._trees = {number: tree for number, tree in trees.items() if is_bearable(tree)}
        self._left = [number for number in trees if number not in self._trees]
        self._native = NativeEngine([different[number] for number in self._left])
        self._build()

    def _build(self) -> None:
        self._lock, self._process = threading.Lock(), os.getpid()
        numbers = list(self._trees)
        parts = packed(list(self._trees.values()))
        self._rulesets = [Ruleset({numbers[place]: tree for place, tree in part.items()}) for part in parts]

    def holding(self, facts: Mapping[str, Any]) -> frozenset[int]:
        if self._process != os.getpid():
            self._build()
        try:
            with self._lock:
                found = [number for ruleset in self._rulesets for number in ruleset.holding(facts)]
        except Exception:
            log.exception("durable failed; rules are evaluated by our own evaluator from now on")
            self._give_up()
            return self.holding(facts)
        found += [self._left[place] for place in self._native.holding(facts)]
        return frozenset(place for number in found for place in self._places[number])

    def _give_up(self) -> None:
        """Leave everything to our own evaluator: nobody knows what state durable is in."""
        self._left, self._native = list(range(len(self._different))), NativeEngine(self._different)
        self._rulesets, self._trees = [], {}


def rule_text(questions: Questions, rules: Mapping[int, Node]) -> dict[str, Any]:
    """The rules as durable reads them."""
    text: dict[str, Any] = {SENTINEL: {"all": [{"m": {SENTINEL: 1}}]}}
    for number, tree in rules.items():
        text[str(number)] = {"all": [{"m": _written(questions.expression(tree))}]}
    return text


def _written(expression: Expression) -> dict[str, Any]:
    """An expression in durable's JSON."""
    kind, *rest = expression
    if kind in ("and", "or"):
        return {f"${kind}": [_written(part) for part in rest]}
    name, value = rest
    return {name: value} if kind == "eq" else {f"${kind}": {name: value}}


def _nothing(closure: Any) -> None:
    """Effects are ours. It takes one parameter: with two durable waits for ever for it to say that it is done."""
