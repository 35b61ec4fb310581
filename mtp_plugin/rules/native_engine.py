"""Our own evaluator: each condition is a closure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..conditions import compile_condition


class NativeEngine:
    """Implements :class:`mtp_plugin.rules.engine.Engine`; it has no state, so threads and forks do not matter to it.

    :param conditions: equal ones are evaluated once
    :raises mtp_plugin.errors.ConditionError: one is malformed
    """

    name = "native"

    def __init__(self, conditions: Sequence[Mapping[str, Any]]) -> None:
        self._tests = tuple(map(compile_condition, conditions))

    def holding(self, facts: Mapping[str, Any]) -> frozenset[int]:
        return frozenset(place for place, test in enumerate(self._tests) if test(facts))
