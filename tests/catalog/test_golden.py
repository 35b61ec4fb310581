"""Each format against a small file and the products and errors that it must give.

``python -m tests.catalog.test_golden`` writes the expected files anew; read the difference before keeping it.
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from mtp_plugin.catalog.files import read_products
from mtp_plugin.records import Product

GOLDEN = Path(__file__).parents[1] / "golden" / "catalog"
FILES = sorted(path.name for path in GOLDEN.iterdir() if path.suffix != ".json")


def outcome(name):
    """What a file gives, as JSON."""
    path = GOLDEN / name
    mapping = path.with_suffix(".mapping.json")
    given = json.loads(mapping.read_text(encoding="utf-8")) if mapping.exists() else None
    rows = list(read_products(path, mapping=given, currency="USD"))
    found = {
        "products": [row for row in rows if isinstance(row, Product)],
        "errors": [row for row in rows if not isinstance(row, Product)],
    }
    return json.loads(msgspec.json.encode(found))


def expected_path(name):
    return (GOLDEN / name).with_suffix(".expected.json")


@pytest.mark.parametrize("name", FILES)
def test_file(name):
    assert outcome(name) == json.loads(expected_path(name).read_text(encoding="utf-8"))


def write():
    for name in FILES:
        text = json.dumps(outcome(name), indent=1, ensure_ascii=False, sort_keys=True)
        expected_path(name).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
