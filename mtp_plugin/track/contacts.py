"""E-mail and phone in what a trusted sender says of a customer: they become keyed hashes, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import InputError

Hash = Callable[[str], str]


class Contacts:
    """Takes addresses and numbers out of traits as hashes.

    :param hashes: by the trait that holds the plain value, such as ``email``
    """

    def __init__(self, hashes: Mapping[str, Hash]) -> None:
        self._hashes = hashes

    def __call__(self, traits: Mapping[str, Any]) -> dict[str, str]:
        """The hashes of what is there, as ``email_hash`` and ``phone_hash``; what is no address is passed over."""
        found = {}
        for name, hashed in self._hashes.items():
            value = traits.get(name)
            if isinstance(value, str) and value.strip():
                try:
                    found[f"{name}_hash"] = hashed(value)
                except InputError:
                    continue  # senders fill fields in with anything; without a hash there is just no link
        return found
