"""Garbage is looked for again after a count, also one that fails."""

from __future__ import annotations

import gc

import pytest

from mtp_plugin.store.uncollected import uncollected


def test_it_is_looked_for_again_afterwards() -> None:
    assert gc.isenabled()
    with uncollected():
        assert not gc.isenabled()
        with uncollected():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ValueError, match="no"), uncollected():
        raise ValueError("no")
    assert gc.isenabled()
