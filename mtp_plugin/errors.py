"""Every error the plugin raises, arranged by what the caller can do about it.

``MTPError`` is the root. ``InputError`` (and its children) is the sender's to mend and becomes a 4xx; ``SetupError``
is the developer's and stops the start; ``UnavailableError`` is nobody's fault right now and makes a block degrade.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class MTPError(Exception):
    """Root of all errors of this package."""


class SetupError(MTPError):
    """The plugin is mounted or configured wrongly; the message names what, where and the remedy."""


class SettingError(SetupError):
    """A setting has a value that cannot work.

    :param key: the setting's name, such as ``MTP_REDIS_URL``
    :param value: what was given
    :param remedy: what to write instead
    """

    def __init__(self, key: str, value: object, remedy: str) -> None:
        self.key, self.value, self.remedy = key, value, remedy
        super().__init__(f"{key} = {value!r} cannot be used: {remedy}")


class InputError(MTPError):
    """What was sent cannot be taken.

    :param message: what is wrong and what to do
    :param field: dotted path of the offending field, empty if it is the whole
    :param code: stable machine-readable word
    :param status: HTTP status it becomes
    """

    code = "invalid"
    status = 400

    def __init__(self, message: str, *, field: str = "", code: str | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.message, self.field = message, field
        self.code = code or type(self).code
        self.status = status or type(self).status


class ConditionError(InputError):
    """A condition (``filter``, rule, segment) is malformed; ``field`` is the path inside it."""

    code = "invalid-condition"


class NotFoundError(InputError):
    """The thing named does not exist."""

    code = "not-found"
    status = 404


class ForbiddenError(InputError):
    """The caller is known and may not do this."""

    code = "forbidden"
    status = 403


class FindingsError(InputError):
    """Rules that can be read and should not be saved.

    :param findings: what is wrong, each with ``rule_id``, ``message`` and ``field``; at least one
    """

    code = "findings"

    def __init__(self, findings: Sequence[Any]) -> None:
        first = findings[0]
        more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
        super().__init__(f"rule {first.rule_id!r}: {first.message}{more}", field=first.field)
        self.findings = tuple(findings)


class ConflictError(InputError):
    """Somebody else changed the thing meanwhile: read it again, then decide."""

    code = "conflict"
    status = 409


CHANGED = "somebody else changed this meanwhile; look at it as it is now, then save again"
"""What is said of a change that was made from an older state."""


class UnauthorizedError(InputError):
    """The caller must show a key."""

    code = "unauthorized"
    status = 401


class TooLargeError(InputError):
    """The body or one of its parts is over a limit."""

    code = "too-large"
    status = 413


class UnavailableError(MTPError):
    """A store, cache, model or third party cannot be reached now; callers fall back."""


class ModelError(MTPError):
    """A model bundle is missing, damaged, or of a version this code cannot read."""


class TooLittleError(ModelError):
    """There is not enough behaviour to learn from yet; it passes with time."""
