"""A cache that never has anything."""

from __future__ import annotations


class NoCache:
    """Implements :class:`mtp_plugin.ports.Cache`."""

    def get(self, key: str) -> bytes | None:
        return None

    def set(self, key: str, value: bytes, seconds: int) -> None:
        """Nothing is kept."""

    def delete(self, key: str) -> None:
        """There is nothing to delete."""

    def clear(self) -> None:
        """There is nothing to delete."""
