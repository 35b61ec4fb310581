"""What the shop carries: a range is a category with its names, makers, pieces and sizes. ``ranges.toml`` is written by
hand; the catalogue is made from it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEPARTMENTS = ("Wear", "Carry", "Home", "Table", "Desk")


@dataclass(frozen=True, slots=True)
class Piece:
    """A kind of thing within a range: what it is called, costs, is made of and looks like.

    ``materials`` are (word, finish, pattern) as :mod:`.drawing` knows them; ``colours``, ``trims`` and ``tags`` are
    words with spaces between them.
    """

    silhouette: str
    nouns: tuple[str, ...]
    price: float
    line: str
    materials: tuple[tuple[str, str, str], ...]
    colours: str
    trims: str
    tags: str = ""


@dataclass(frozen=True, slots=True)
class Range:
    """One category of the shop; ``sizes`` are (word, price factor)."""

    key: str
    title: str
    department: str
    line: str
    names: str
    makers: tuple[str, ...]
    pieces: tuple[Piece, ...]
    sizes: tuple[tuple[str, float], ...] = ()
    tags: str = ""


def _range(row: dict[str, Any]) -> Range:
    pieces = tuple(_piece(piece) for piece in row.pop("piece"))
    sizes = tuple((word, float(factor)) for word, factor in (size.split(", ") for size in row.pop("sizes", ())))
    return Range(**{**row, "makers": tuple(row["makers"])}, pieces=pieces, sizes=sizes)


def _piece(row: dict[str, Any]) -> Piece:
    materials = tuple(_material(*material.split(", ")) for material in row["materials"])
    return Piece(**{**row, "nouns": tuple(row["nouns"]), "materials": materials})


def _material(word: str, finish: str, pattern: str = "") -> tuple[str, str, str]:
    return word, finish, pattern


def _read() -> tuple[Range, ...]:
    text = Path(__file__).with_name("ranges.toml").read_text(encoding="utf-8")
    return tuple(_range(row) for row in tomllib.loads(text)["range"])


RANGES = _read()
