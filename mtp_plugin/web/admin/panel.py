"""What a part of the console is: a panel with its pages. One file of ``pages`` makes one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from flask import Response

from ...state import State
from .roles import Role

Answer = Response | str
View = Callable[..., Answer]


@dataclass(frozen=True, slots=True)
class Page:
    """An address below the panel's and a method; *role* is the least that may use it."""

    rule: str
    name: str
    view: View
    method: str = "GET"
    role: Role = Role.VIEWER

    def name_in(self, panel: str) -> str:
        """What it is called among all pages: ``<panel>_<page>``."""
        return f"{panel}_{self.name}"


class Hit(NamedTuple):
    """Something found by the console's search."""

    title: str
    detail: str
    endpoint: str
    values: dict[str, Any]


def _always(state: State) -> bool:
    return True


def _uncounted(state: State) -> int | None:
    return None


def _nothing(state: State, query: str) -> Sequence[Hit]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A part of the console.

    :param key: first part of its addresses and endpoints; ``""`` is the front page
    :param group: heading that it stands under in the navigation
    :param count: number beside its name, ``None`` for none
    :param find: what the console's search finds in it
    :param present: whether this shop has what it shows; what a shop has not is not in the navigation
    """

    key: str
    title: str
    group: str
    pages: tuple[Page, ...]
    count: Callable[[State], int | None] = _uncounted
    find: Callable[[State, str], Sequence[Hit]] = _nothing
    present: Callable[[State], bool] = _always
