"""Words of a sentence that know which part of the rule they tell of, so that an editor can lead from one to the other.

Marks are signs of Unicode's private use, which no sentence shows: they are taken out of whatever a rule says itself.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_BEGIN, _SPLIT, _END = "\ue000", "\ue001", "\ue002"
_MARKED = re.compile(f"{_BEGIN}([^{_SPLIT}]*){_SPLIT}([^{_END}]*){_END}")


class Piece(NamedTuple):
    """Some words, and the path of the part of the rule that they tell of; ``""`` for words between."""

    text: str
    path: str


def at(path: str, text: str) -> str:
    """These words tell of this part of the rule."""
    return f"{_BEGIN}{path}{_SPLIT}{re.sub(f'[{_BEGIN}{_SPLIT}{_END}]', '', text)}{_END}"


def plain(text: str) -> str:
    """The sentence without its marks."""
    return _MARKED.sub(r"\2", text)


def pieces(text: str) -> list[Piece]:
    """The sentence, cut where marks begin and end.

    >>> pieces(f"boost it by {at('then.0.by', '2')}.")
    [Piece(text='boost it by ', path=''), Piece(text='2', path='then.0.by'), Piece(text='.', path='')]
    """
    found, end = [], 0
    for mark in _MARKED.finditer(text):
        found += [Piece(text[end : mark.start()], ""), Piece(mark[2], mark[1])]
        end = mark.end()
    return [piece for piece in (*found, Piece(text[end:], "")) if piece.text]


def capital(text: str) -> str:
    """The sentence with a capital at its beginning, marked or not."""
    place = text.index(_SPLIT) + 1 if text.startswith(_BEGIN) else 0
    return text[:place] + text[place : place + 1].upper() + text[place + 1 :]
