"""The syntax of :mod:`mtp_plugin.patterns`: a pattern as text becomes a small program of nodes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

MAX_LENGTH = 200
"""Characters of a pattern."""
MAX_NODES = 400
"""Nodes of its program; ``{m,n}`` counts its content n times."""
MATCH = -1

Tree = tuple[Any, ...]
Node = tuple[Any, ...]


class PatternError(ValueError):
    """A pattern cannot be used; the message goes on after the words "the pattern"."""


def is_word(character: str) -> bool:
    """Letters, digits and the underscore, of any script."""
    return character.isalnum() or character == "_"


_CLASSES: dict[str, Callable[[str], bool]] = {"w": is_word, "d": str.isdecimal, "s": str.isspace}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "0": "\0"}
_BLANK = frozenset("\n\r\u2028\u2029")


@dataclass(frozen=True, slots=True)
class CharSet:
    """Characters: ranges of code points and classes (``d``, ``W``, ...), all of it possibly turned round."""

    ranges: tuple[tuple[int, int], ...] = ()
    classes: tuple[str, ...] = ()
    negated: bool = False
    any_case: bool = False

    def holds(self, character: str) -> bool:
        variants = {character, character.lower(), character.upper()} if self.any_case else (character,)
        return any(self._has(variant) for variant in variants if len(variant) == 1) != self.negated

    def _has(self, character: str) -> bool:
        code = ord(character)
        return any(low <= code <= high for low, high in self.ranges) or any(
            _CLASSES[name.lower()](character) != name.isupper() for name in self.classes
        )

    def edges(self) -> set[int]:
        """Code points where membership may change."""
        found = {code for pair in self.ranges for code in pair}
        if self.any_case:
            found |= {ord(c) for code in found for c in (chr(code).lower(), chr(code).upper()) if len(c) == 1}
        return found


@dataclass(slots=True)
class Program:
    """Nodes: ``("set", charset, next)``, ``("split", next, next)``, ``("assert", kind, next)``."""

    nodes: list[Node] = field(default_factory=list)
    start: int = MATCH

    @property
    def sets(self) -> list[CharSet]:
        return [node[1] for node in self.nodes if node[0] == "set"]

    def add(self, node: Node) -> int:
        if len(self.nodes) >= MAX_NODES:
            raise PatternError(f"is too complex: it repeats to more than {MAX_NODES} parts; write a simpler one")
        self.nodes.append(node)
        return len(self.nodes) - 1


def parse(source: str) -> Program:
    """The program of a pattern.

    :raises PatternError: it is too long, malformed, or uses what is not supported
    """
    if len(source) > MAX_LENGTH:
        raise PatternError(f"has {len(source)} characters; {MAX_LENGTH} are allowed")
    any_case = source.startswith("(?i)")
    parser = _Parser(source, 4 if any_case else 0, any_case)
    tree = parser.alternatives()
    if parser.at < len(source):
        raise PatternError(f"has a ) too many at position {parser.at + 1}")
    program = Program()
    program.start = _emit(program, tree, MATCH)
    return program


def _emit(program: Program, tree: Tree, then: int) -> int:
    """Add the nodes of *tree*, going on to node *then*; gives the first."""
    kind = tree[0]
    if kind in ("set", "assert"):
        return program.add((kind, tree[1], then))
    if kind == "all":
        for part in reversed(tree[1]):
            then = _emit(program, part, then)
        return then
    if kind == "any":
        first = _emit(program, tree[1][-1], then)
        for part in reversed(tree[1][:-1]):
            first = program.add(("split", _emit(program, part, then), first))
        return first
    return _emit_repeat(program, tree, then)


def _emit_repeat(program: Program, tree: Tree, then: int) -> int:
    _, part, least, most = tree
    first = then
    if most is None:
        loop = program.add(("split", MATCH, then))
        program.nodes[loop] = ("split", _emit(program, part, loop), then)
        first = loop
    else:
        for _ in range(most - least):
            first = program.add(("split", _emit(program, part, first), then))
    for _ in range(least):
        first = _emit(program, part, first)
    return first


class _Parser:
    """Recursive descent; depth is bounded by the length of a pattern."""

    def __init__(self, source: str, at: int, any_case: bool) -> None:
        self.source, self.at, self.any_case = source, at, any_case

    def alternatives(self) -> Tree:
        parts = [self._sequence()]
        while self._peek() == "|":
            self.at += 1
            parts.append(self._sequence())
        return parts[0] if len(parts) == 1 else ("any", parts)

    def _peek(self) -> str:
        return self.source[self.at : self.at + 1]

    def _take(self) -> str:
        character = self._peek()
        if not character:
            raise PatternError("ends too early")
        self.at += 1
        return character

    def _sequence(self) -> Tree:
        parts: list[Tree] = []
        while self._peek() not in ("", "|", ")"):
            parts.append(self._quantified(self._atom()))
        return ("all", parts)

    def _quantified(self, part: Tree) -> Tree:
        bounds = self._bounds()
        if bounds is None:
            return part
        if part[0] == "assert":
            raise PatternError(f"repeats a position (^, $ or \\b) at position {self.at}")
        if self._peek() == "?":
            self.at += 1
        if self._peek() in ("*", "+", "?") or self._bounds() is not None:
            raise PatternError(f"has two quantifiers in a row at position {self.at + 1}")
        return ("repeat", part, *bounds)

    def _bounds(self) -> tuple[int, int | None] | None:
        character = self._peek()
        if character in ("*", "+", "?") and character:
            self.at += 1
            return {"*": (0, None), "+": (1, None), "?": (0, 1)}[character]
        if character != "{":
            return None
        end = self.source.find("}", self.at)
        low, comma, high = self.source[self.at + 1 : end if end >= 0 else None].partition(",")
        if end < 0 or not _digits(low) or (high and not _digits(high)):
            raise PatternError(f"has a brace at position {self.at + 1} that is no count; write \\{{ for the character")
        self.at = end + 1
        least, most = int(low), (int(high) if high else None) if comma else int(low)
        if most is not None and least > most:
            raise PatternError(f"counts backwards in {{{low},{high}}}")
        return least, most

    def _atom(self) -> Tree:
        character = self._take()
        if character == "(":
            return self._group()
        if character in "^$":
            return ("assert", character)
        if character == ".":
            return ("set", CharSet(tuple((ord(c), ord(c)) for c in sorted(_BLANK)), negated=True))
        if character == "[":
            return ("set", self._set())
        if character == "\\":
            return self._escape()
        if character in "*+?{":
            raise PatternError(f"has nothing to repeat at position {self.at}")
        return self._literal(character)

    def _literal(self, character: str) -> Tree:
        return ("set", CharSet(((ord(character), ord(character)),), any_case=self.any_case))

    def _group(self) -> Tree:
        if self._peek() == "?":
            if self.source[self.at : self.at + 2] != "?:":
                raise PatternError(f"has a special group at position {self.at}; only (...) and (?:...) are supported")
            self.at += 2
        inner = self.alternatives()
        if self._peek() != ")":
            raise PatternError("has a ( that is not closed")
        self.at += 1
        return inner

    def _escape(self) -> Tree:
        following = self._peek()
        if following in ("b", "B") and following:
            self.at += 1
            return ("assert", following)
        kind, value = self._escaped()
        return ("set", CharSet(classes=(value,))) if kind == "class" else self._literal(value)

    def _escaped(self) -> tuple[str, str]:
        """What follows a backslash: ``("class", "d")`` or ``("literal", "+")``."""
        character = self._take()
        if character.lower() in _CLASSES:
            return "class", character
        if character in ("x", "u"):
            width = 2 if character == "x" else 4
            digits = self.source[self.at : self.at + width]
            if len(digits) < width or not all(digit in "0123456789abcdefABCDEF" for digit in digits):
                raise PatternError(f"needs {width} hexadecimal digits after \\{character}")
            self.at += width
            return "literal", chr(int(digits, 16))
        if character in _ESCAPES:
            return "literal", _ESCAPES[character]
        if character.isascii() and character.isalnum():
            raise PatternError(f"uses \\{character}, which is not supported")
        return "literal", character

    def _set(self) -> CharSet:
        negated = self._peek() == "^"
        self.at += negated
        ranges: list[tuple[int, int]] = []
        classes: list[str] = []
        while (character := self._take()) != "]":
            kind, value = self._escaped() if character == "\\" else ("literal", character)
            if kind == "class":
                classes.append(value)
            else:
                ranges.append((ord(value), self._range_end(ord(value))))
        if not ranges and not classes:
            raise PatternError("has an empty []")
        return CharSet(tuple(ranges), tuple(classes), negated, self.any_case)

    def _range_end(self, low: int) -> int:
        if self._peek() != "-" or self.source[self.at + 1 : self.at + 2] in ("]", ""):
            return low
        self.at += 1
        character = self._take()
        kind, value = self._escaped() if character == "\\" else ("literal", character)
        if kind == "class" or ord(value) < low:
            raise PatternError(f"has a range that runs backwards before position {self.at}")
        return ord(value)


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 4
