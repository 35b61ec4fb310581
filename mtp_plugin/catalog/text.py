"""Text of files: packed or not, UTF-8 with or without a mark, anything else only when said."""

from __future__ import annotations

import codecs
import gzip
import html
import io
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from ..errors import InputError

DELIMITERS = (",", ";", "\t", "|")
DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error)
"""What unpacking raises."""
_TAG = re.compile(r"<(?:[A-Za-z/!?][^<>]*)>")
_BLOCK = re.compile(r"<(?:br|/p|/div|/li|/h\d|/tr)\b[^<>]*>", re.IGNORECASE)
_SILENT = re.compile(r"<(script|style)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file, unpacking gzip by its first bytes.

    :raises InputError: it cannot be opened
    """
    try:
        with open(path, "rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        return cast(IO[bytes], gzip.open(path)) if packed else open(path, "rb")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", field="file") from error


def start_of(path: Path, count: int) -> bytes:
    """The first bytes of a file, unpacked.

    :raises InputError: it cannot be opened or is damaged
    """
    try:
        with open_bytes(path) as file:
            return file.read(count)
    except DAMAGED as error:
        raise InputError(f"the packed file is damaged: {error}", field="file") from error


def lines(path: Path, encoding: str = "") -> Iterator[str]:
    """The lines of a text file, ends kept.

    :param encoding: empty is UTF-8, or UTF-16 where the file begins with its mark
    :raises InputError: it is damaged, or not in this encoding; says where and what to do
    """
    number = 0
    try:
        with open_bytes(path) as file, io.TextIOWrapper(file, _encoding(path, encoding), newline="") as text:
            for number, line in enumerate(text, 1):
                if "\0" in line:
                    raise InputError(f"line {number} holds a zero byte: this is no text file", field="file")
                yield line
    except UnicodeDecodeError as error:
        raise InputError(
            f"after line {number} the file is not {encoding or 'UTF-8'} (byte 0x{error.object[error.start]:02x}); "
            'save it as UTF-8, or say its encoding in the mapping: {"file": {"encoding": "cp1252"}}',
            field="file",
        ) from error
    except DAMAGED as error:
        raise InputError(f"the packed file is damaged: {error}", field="file") from error


def delimiter_of(path: Path, encoding: str = "") -> str:
    """What divides the cells of a table: the candidate that stands most often in its first line, else a comma."""
    first = next(lines(path, encoding), "")
    outside = "".join(first.split('"')[::2])
    return max(DELIMITERS, key=outside.count)


def strip_html(text: str) -> str:
    """The words of a piece of HTML on one line."""
    words = _TAG.sub("", _BLOCK.sub(" ", _SILENT.sub(" ", text)))
    return " ".join(html.unescape(words).split())


def _encoding(path: Path, encoding: str) -> str:
    if encoding:
        try:
            return codecs.lookup(encoding).name
        except LookupError:
            raise InputError(f"there is no encoding {encoding!r}; try utf-8, cp1252 or latin-1", field="file") from None
    start = start_of(path, 2)
    return "utf-16" if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"
