"""The audit says what it found, and that it could not ask where it could not."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", Path(__file__).parents[2] / "deploy" / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_dependency_has_a_bound_and_keeps_to_it(audit: ModuleType) -> None:
    found = list(audit.requirements())
    assert {"flask", "sqlalchemy", "pytest"} <= {one.name for one in found}
    assert audit.out_of_bounds(found) == []


def test_what_is_out_of_bounds_is_told(audit: ModuleType) -> None:
    wrong = audit.out_of_bounds([Requirement("flask>=99"), Requirement("jinja2"), Requirement("not-here>=1")])
    assert len(wrong) == 2
    assert wrong[0].endswith("is installed, >=99 is asked for")
    assert wrong[1] == "jinja2 has no lower bound"


def test_an_index_that_knows_nothing_is_no_audit(audit: ModuleType) -> None:
    unknown = {"name": "x", "skip_reason": "Dependency not found on PyPI"}
    assert audit.judged([unknown, unknown]) == ("the package index knew nothing of 2 of 2 packages", [])
    vuln = {"id": "CVE-1", "fix_versions": ["2.0"]}
    told = [{"name": "y", "version": "1.0", "vulns": [vuln]}, {"name": "z", "version": "1.0", "vulns": []}]
    assert audit.judged(told) == ("", ["y 1.0: CVE-1, mended in 2.0"])
