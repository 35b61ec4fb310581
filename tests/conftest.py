"""What all tests may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A slow machine is no failure. Where the outcome decides, the same examples are tried every time; elsewhere new ones.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

pytest_plugins = ["tests.servers"]


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder with the real data sets; unset skips, set and missing fails."""
    folder = os.environ.get("MTP_TEST_DATA")
    if not folder:
        pytest.skip("MTP_TEST_DATA is not set: the real data sets are not shipped")
    path = Path(folder)
    assert path.is_dir(), f"MTP_TEST_DATA={folder} does not exist"
    return path
