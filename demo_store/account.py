"""Who is signed in: one of the demo's personas, under an account of this browser's own."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from flask import session

from .personas import PERSONAS, Persona

KEY = "account"


@dataclass(frozen=True, slots=True)
class Account:
    """A demo account: a persona, and the id under which its history is kept for this browser."""

    persona: Persona
    user_id: str


def current_account() -> Account | None:
    """The account of this session, ``None`` when nobody is signed in."""
    user_id = str(session.get(KEY, ""))
    persona = PERSONAS.get(user_id.partition("-")[0])
    return Account(persona, user_id) if persona else None


def sign_in(persona: Persona) -> Account:
    """Open a fresh account for a persona; each visitor of the demo has their own copy, so nobody meets another's."""
    account = Account(persona, f"{persona.key}-{secrets.token_hex(6)}")
    session[KEY] = account.user_id
    return account


def sign_out() -> None:
    """Nobody is signed in."""
    session.pop(KEY, None)
