"""Arrays for PostgreSQL in its binary form, put together column by column.

psycopg asks for a way to write each member anew: with thousands of members, as the work of a group has, that was a
tenth of what recording an event takes. :mod:`mtp_plugin.store.bounded_connection` hands them over as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from struct import Struct

_HEAD, _LENGTH, _NUMBER = Struct(">iiIii"), Struct(">i"), Struct(">q")


class Array(bytes):
    """The bytes of an array; each kind knows PostgreSQL's number of its type, and of that of its members."""

    oid: int
    member: int

    @classmethod
    def of(cls, members: Sequence[bytes]) -> Array:
        """The array of these members as bytes, none of them null."""
        lengths = map(_LENGTH.pack, map(len, members))
        return cls(cls._head(len(members)) + b"".join(chain.from_iterable(zip(lengths, members, strict=True))))

    @classmethod
    def _head(cls, count: int) -> bytes:
        """One dimension that begins at 1, and no nulls; an empty array has none."""
        return _HEAD.pack(1, 0, cls.member, count, 1) if count else _HEAD.pack(0, 0, cls.member, 0, 0)[:12]


class BytesArray(Array):
    """``bytea[]``"""

    oid, member = 1001, 17


class TextArray(Array):
    """``text[]``"""

    oid, member = 1009, 25

    @classmethod
    def of_texts(cls, texts: Iterable[str]) -> Array:
        """The array of these texts."""
        return cls.of(list(map(str.encode, texts)))


class NumberArray(Array):
    """``bigint[]``"""

    oid, member = 1016, 20

    @classmethod
    def of_numbers(cls, numbers: Iterable[int]) -> Array:
        """The array of these numbers."""
        return cls.of(list(map(_NUMBER.pack, numbers)))


KINDS = (BytesArray, TextArray, NumberArray)
