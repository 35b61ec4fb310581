"""Regular expressions that cannot run away: a finite automaton reads each character once and never goes back.

A visitor may send a ``$regex`` to a public route, so Python's backtracking engine, which a dozen characters can keep
busy for years, is out. A pattern here either becomes an automaton of at most :data:`MAX_STATES` states or is refused
when it is compiled; a match then costs one dictionary look-up a character. Only whether a text matches is asked, so
groups capture nothing and lazy quantifiers mean what greedy ones do.

Method: Thompson's construction and subset construction (Aho, Lam, Sethi, Ullman: Compilers, 2nd edition, section 3.7).
"""

from __future__ import annotations

from typing import Any

from .pattern_syntax import MATCH, CharSet, PatternError, Program, is_word, parse

__all__ = ["MAX_STATES", "MAX_TEXT", "Pattern", "PatternError"]

MAX_STATES = 256
"""States of the automaton."""
MAX_TEXT = 10_000
"""Characters of a text that are read; what follows is not looked at."""

_SAMPLES = "a0_ !-é中٣\n\u00a0"
_START, _WORD, _OTHER = 0, 1, 2

Signature = tuple[bool, ...]


class _State:
    """Places the pattern may be in, before the next character is known, and what stood before it."""

    __slots__ = ("after", "at_end", "before", "threads")

    def __init__(self, threads: frozenset[int], before: int) -> None:
        self.threads, self.before = threads, before
        self.after: dict[Signature, _State | None] = {}
        self.at_end = False


class Pattern:
    """A compiled pattern.

    :param source: literals, ``.``, ``[...]``, ``\\d \\w \\s \\D \\W \\S`` (of any script), ``\\b \\B ^ $``, groups,
        ``|``, ``* + ? {m} {m,} {m,n}``, and ``(?i)`` at the start
    :raises PatternError: it is malformed, uses something else (look-around, back references), or is too complex

    >>> Pattern("^(red|blue) .*shirt$").search("red cotton shirt")
    True
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self._program: Program = parse(source)
        self._sets: tuple[CharSet, ...] = tuple(dict.fromkeys(self._program.sets))
        self._index = {charset: number for number, charset in enumerate(self._sets)}
        self._signatures: dict[str, Signature] = {}
        self._states: dict[tuple[frozenset[int], int], _State] = {}
        self._first = self._state(frozenset((self._program.start,)), _START)
        self._explore()

    def search(self, text: str) -> bool:
        """Whether the pattern matches anywhere in *text*; time grows with its length alone."""
        state = self._first
        signatures = self._signatures
        for character in text[:MAX_TEXT]:
            signature = signatures.get(character)
            if signature is None:
                signature = self._sign(character)
            try:
                following = state.after[signature]
            except KeyError:
                following = self._step(state, signature)
            if following is None:
                return True
            state = following
        return state.at_end and len(text) <= MAX_TEXT

    def _explore(self) -> None:
        """Visit the automaton with one character of each kind, so that its size is known before it is used."""
        kinds = {self._sign(character) for character in self._alphabet()}
        self._signatures.clear()
        waiting, seen = [self._first], {id(self._first)}
        while waiting:
            state = waiting.pop()
            for kind in kinds:
                following = self._step(state, kind)
                if following is not None and id(following) not in seen:
                    seen.add(id(following))
                    waiting.append(following)
            if len(self._states) > MAX_STATES:
                raise PatternError(f"is too complex: it needs more than {MAX_STATES} states; write a simpler one")

    def _alphabet(self) -> set[str]:
        edges = {edge for charset in self._sets for edge in charset.edges()}
        return set(_SAMPLES) | {chr(min(max(code + step, 0), 0x10FFFF)) for code in edges for step in (-1, 0, 1)}

    def _sign(self, character: str) -> Signature:
        """All that the pattern can tell about a character: which sets hold it, and whether it is part of a word."""
        signature = (*(charset.holds(character) for charset in self._sets), is_word(character))
        if len(self._signatures) < MAX_TEXT:
            self._signatures[character] = signature
        return signature

    def _state(self, threads: frozenset[int], before: int) -> _State:
        state = self._states.get((threads, before))
        if state is None:
            state = _State(threads, before)
            state.at_end = MATCH in self._closure(state, None)
            self._states[threads, before] = state
        return state

    def _step(self, state: _State, signature: Signature) -> _State | None:
        """The state after a character of this kind; ``None`` is a match."""
        reached = self._closure(state, signature[-1])
        following: _State | None = None
        if MATCH not in reached:
            nodes = self._program.nodes
            threads = {self._program.start}
            threads.update(nodes[at][2] for at in reached if self._takes(nodes[at], signature))
            following = self._state(frozenset(threads), _WORD if signature[-1] else _OTHER)
        state.after[signature] = following
        return following

    def _takes(self, node: tuple[Any, ...], signature: Signature) -> bool:
        return node[0] == "set" and signature[self._index[node[1]]]

    def _closure(self, state: _State, word_next: bool | None) -> set[int]:
        """Where the threads get without reading, knowing both neighbours; ``word_next`` is ``None`` at the end."""
        reached: set[int] = set()
        waiting = list(state.threads)
        while waiting:
            at = waiting.pop()
            if at in reached:
                continue
            reached.add(at)
            if at == MATCH:
                continue
            kind, argument, out = self._program.nodes[at]
            if kind == "split":
                waiting += [argument, out]
            elif kind == "assert" and _holds(argument, state.before, word_next):
                waiting.append(out)
        return reached


def _holds(assertion: str, before: int, word_next: bool | None) -> bool:
    if assertion == "^":
        return before == _START
    if assertion == "$":
        return word_next is None
    boundary = (before == _WORD) != bool(word_next)
    return boundary if assertion == "b" else not boundary
