"""Regular expressions that cannot run away.

A visitor may send a ``$regex`` to a public route, so Python's backtracking engine, which a dozen characters can keep
busy for years, is out. RE2 reads a text once, in time linear in its length, and refuses what it cannot do so:
look-around and back references.
"""

from __future__ import annotations

from typing import Any

MAX_LENGTH = 200
"""Characters of a pattern."""
MAX_TEXT = 10_000
"""Characters of a text that are read; what follows is not looked at."""
MAX_MEMORY = 1 << 20
"""Bytes one compiled pattern may use."""


class PatternError(ValueError):
    """A pattern cannot be used; the message goes on after the words "the pattern"."""


class Pattern:
    """A compiled pattern in RE2's syntax.

    ``\\w``, ``\\d`` and ``\\s`` are ASCII as in JavaScript, ``\\pL`` is any letter.

    :raises PatternError: it is malformed, uses something RE2 refuses, or is too complex

    >>> Pattern("^(red|blue) .*shirt$").search("red cotton shirt")
    True
    """

    def __init__(self, source: str) -> None:
        if len(source) > MAX_LENGTH:
            raise PatternError(f"has {len(source)} characters, {MAX_LENGTH} are allowed")
        self._search = _compile(source).search

    def search(self, text: str) -> bool:
        """Whether the pattern matches anywhere in *text*."""
        return self._search(text[:MAX_TEXT].encode(errors="replace").decode()) is not None


def _compile(source: str) -> Any:
    try:
        import re2
    except ImportError as error:
        raise PatternError("needs the package google-re2, which this Python does not have; use $eq or $in") from error
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MAX_MEMORY
    options.never_capture = True
    try:
        return re2.compile(source.encode(errors="replace").decode(), options)
    except re2.error as error:
        said = error.args[0] if error.args else ""
        raise PatternError(
            f"cannot be used: {said.decode(errors='replace') if isinstance(said, bytes) else said}"
        ) from error
