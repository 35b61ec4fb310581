"""Who looks at the console: what the shop's ``admin_guard`` says of the current request."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from werkzeug.exceptions import HTTPException

from ...errors import ForbiddenError, NotFoundError
from ...state import State

log = logging.getLogger(__name__)
MOST = 120


class Role(IntEnum):
    """What somebody may do; each may do what those before it may.

    ``VIEWER`` looks. ``MERCHANDISER`` changes placements, rules and segments. ``ADMINISTRATOR`` also switches models
    and runs jobs.
    """

    VIEWER = 1
    MERCHANDISER = 2
    ADMINISTRATOR = 3

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whom the shop lets into the console; ``name`` stands beside each change that they make."""

    role: Role
    name: str

    def may(self, role: Role) -> bool:
        """Whether they may do what takes *role*."""
        return self.role >= role


def ask_guard(state: State) -> Person:
    """Whom the shop lets in.

    :raises NotFoundError: no guard is declared: there is no console
    :raises ForbiddenError: the guard refuses, or it failed
    """
    guard = state.loaders.admin
    if guard is None or not state.settings.enabled:
        raise NotFoundError("there is nothing at this address")
    try:
        person = _person(guard())
    except HTTPException:
        raise  # the guard's own answer, such as a redirect to the shop's sign-in
    except Exception as error:  # who cannot be told is not let in
        log.exception("admin_guard failed; nobody is let in")
        raise ForbiddenError("who you are could not be told; it has been logged") from error
    if person is None:
        raise ForbiddenError("your account may not open the console")
    return person


def _person(answer: Any) -> Person | None:
    """The guard's answer: ``None``, a role, or a role and a name."""
    role, name = answer if isinstance(answer, tuple) and len(answer) == 2 else (answer, "")
    if not role:
        return None
    found = {known.word: known for known in Role}.get(str(role))
    if found is None:
        log.error("admin_guard gave the role %r; there are %s", role, ", ".join(known.word for known in Role))
        return None
    return Person(found, str(name or found.word)[:MOST])
