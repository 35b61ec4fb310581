"""Reading a form: each field by itself, so that every error stands beside its field and nothing typed is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from flask import request

MOST = 10_000
"""Longest text of one field."""


@dataclass(slots=True)
class Form:
    """What was sent, and what is wrong with it by field."""

    values: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def sent(cls) -> Form:
        """The form of this request."""
        return cls({name: value[:MOST] for name, value in request.form.items()})

    def refuse(self, name: str, why: str) -> None:
        """Note what is wrong with a field; the first thing said of it stays."""
        self.errors.setdefault(name, why)

    def text(self, name: str, *, most: int = 200, needed: str = "") -> str:
        """A text; *needed* says why it must not be empty."""
        found = self.values.get(name, "").strip()
        if "\0" in found:
            self.refuse(name, "Take out what is no text")
        if len(found) > most:
            self.refuse(name, f"Use at most {most} characters")
        if needed and not found:
            self.refuse(name, needed)
        return found

    def number(self, name: str, low: int, high: int) -> int:
        """A whole number from *low* to *high*; gives *low* where it is none, with the error noted."""
        found = self.values.get(name, "").strip()
        digits = found.removeprefix("-")
        if not (digits.isascii() and digits.isdecimal() and len(digits) < 10) or not low <= int(found) <= high:
            self.refuse(name, f"Enter a whole number from {low} to {high}")
            return low
        return int(found)

    def decimal(self, name: str, low: float, high: float) -> float:
        """A number from *low* to *high*, with a point or a comma."""
        found = self.values.get(name, "").strip().replace(",", ".")
        try:
            number = float(found)
        except ValueError:
            number = float("nan")
        if not low <= number <= high:
            self.refuse(name, f"Enter a number from {low:g} to {high:g}")
            return low
        return number

    def choice(self, name: str, choices: Sequence[str]) -> str:
        """One of *choices*."""
        found = self.values.get(name, "")
        if found not in choices:
            self.refuse(name, "Choose one of the list")
            return choices[0] if choices else ""
        return found

    def flag(self, name: str) -> bool:
        """Whether a box is ticked."""
        return self.values.get(name, "") == "on"
