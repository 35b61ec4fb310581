"""The short cousin of ``python -m tests.fuzz``: every input kept, and the same few bent ones of each with every run."""

from __future__ import annotations

import ast
import base64
import random
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from mtp_plugin.errors import InputError
from mtp_plugin.privacy.tcf import decode

from .targets import TARGETS, run

HERE = Path(__file__).parent
CORPUS = sorted(path for path in (HERE / "corpus").glob("*/*"))
WORDS = [
    ast.literal_eval(f"b{line}") for line in (HERE / "words.dict").read_text(encoding="ascii").splitlines() if line
]
BENT = {"http": 10}
"""Bent inputs of each kept one; what is not named takes 100."""


def bent(data: bytes, count: int) -> Iterator[bytes]:
    """The input with something flipped, cut, repeated or put in between."""
    chance = random.Random(zlib.crc32(data))
    for _ in range(count):
        made = bytearray(data)
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(made) + 1)
            end = min(len(made), place + chance.randint(1, 16))
            change = chance.randrange(4)
            if change == 0 and place < len(made):
                made[place] ^= 1 << chance.randrange(8)
            elif change == 1:
                del made[place:end]
            elif change == 2:
                made[place:place] = made[place:end] * chance.randint(1, 8)
            else:
                made[place:place] = chance.choice(WORDS)
        yield bytes(made)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_nothing_kept_or_bent_gets_through(path: Path) -> None:
    name, data = path.parent.name, path.read_bytes()
    run(name, data)
    for made in bent(data, BENT.get(name, 100)):
        try:
            run(name, made)
        except Exception as error:
            raise AssertionError(f"{name} let {type(error).__name__} out of {made!r}") from error


def test_every_target_has_inputs_and_they_are_small() -> None:
    assert {path.parent.name for path in CORPUS} == set(TARGETS)
    assert max(path.stat().st_size for path in CORPUS) <= 4096


def test_a_consent_string_cannot_ask_for_millions_of_vendors() -> None:
    """A thousand ranges of all vendors: sixty million numbers in six kilobytes of text."""
    head = "000010" + "0" * (213 - 6)
    ranges = "".join("1" + f"{1:016b}" + f"{65535:016b}" for _ in range(1000))
    bits = f"{head}{65535:016b}1{1000:012b}{ranges}"
    bits += "0" * (-len(bits) % 24)
    whole = int(bits, 2).to_bytes(len(bits) // 8, "big")
    with pytest.raises(InputError, match="range of vendors"):
        decode(base64.urlsafe_b64encode(whole).decode())
