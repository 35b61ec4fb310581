"""What an engine of rules does, and which one is taken."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ..errors import SettingError
from .native_engine import NativeEngine

log = logging.getLogger(__name__)


class Engine(Protocol):
    """Evaluates many conditions over one set of facts. Safe to call from many threads and after a fork."""

    name: str

    def holding(self, facts: Mapping[str, Any]) -> frozenset[int]:
        """Places of the conditions that hold."""


class MakeEngine(Protocol):
    """Builds an engine over conditions that :func:`mtp_plugin.conditions.compile_condition` takes."""

    def __call__(self, conditions: Sequence[Mapping[str, Any]]) -> Engine: ...


def engine_of(choice: str) -> MakeEngine:
    """The engine that a setting asks for.

    :param choice: ``durable``, ``native``, or ``auto`` for durable where it can be had
    :raises SettingError: durable is asked for and cannot be had
    """
    if choice == "native":
        return NativeEngine
    try:
        from .durable_engine import DurableEngine
    except ImportError as error:
        if choice == "durable":
            remedy = f"durable-rules cannot be loaded here ({error}); it needs Python below 3.13. Use auto or native"
            raise SettingError("MTP_RULE_ENGINE", choice, remedy) from error
        return NativeEngine
    return DurableEngine
