"""Receipts: signed ids that prove later, without cookie or account, whose data is asked for."""

from __future__ import annotations

from collections.abc import Sequence

from itsdangerous import BadData, URLSafeTimedSerializer

from ..errors import UnauthorizedError
from .parts import get_parts

DAYS = 90


def receipt_of(profile_ids: Sequence[str]) -> str:
    """What proves, for :data:`DAYS` days, that these are one's own."""
    text = _serializer().dumps(list(profile_ids))
    return text if isinstance(text, str) else text.decode()


def ids_in(receipt: str) -> tuple[str, ...]:
    """The ids of a receipt, none for no receipt.

    :raises UnauthorizedError: it is forged or too old
    """
    if not receipt:
        return ()
    try:
        return tuple(_serializer().loads(receipt, max_age=DAYS * 86400))
    except BadData as error:
        raise UnauthorizedError("this receipt is not ours, or too old", field="receipt") from error


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(get_parts().keys, salt="mtp-receipt", signer_kwargs={"key_derivation": "hmac"})
