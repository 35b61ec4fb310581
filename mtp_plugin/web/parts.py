"""What the web layer keeps for one application, beside the :class:`~mtp_plugin.state.State` that it reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Flask, current_app

from ..block.build import Dresser
from ..block.cards import CardPages
from ..block.frames import Frames
from ..block.money import Money
from ..block.words import Words
from ..config import Settings
from ..errors import SetupError
from ..memory import Remembered
from ..state import State
from .assets import Asset, load_assets
from .cookies import Cookies
from .limits import Limits
from .metrics import Metrics
from .written import WrittenAnswers

if TYPE_CHECKING:
    from .visitor import Visitor

KEY = "mtp_web"

Signals = tuple[bool, bool, bool, str]
"""Bot, Global Privacy Control, Do Not Track, the regime of the place."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Built once when the plugin is mounted; ``prefix`` is where, such as ``/mtp``."""

    prefix: str
    keys: list[Any]
    """Keys that sign, the newest last."""
    cookies: Cookies
    limits: Limits
    metrics: Metrics
    words: Words
    money: Money
    dresser: Dresser
    card_pages: CardPages
    frames: Frames
    written: WrittenAnswers
    strangers: Remembered[Signals, Visitor]
    """Visitors of whom nothing is known or kept: what their browsers signal decides, so one record serves them all."""
    assets: dict[str, Asset]


def build_parts(app: Flask, settings: Settings, prefix: str) -> Parts:
    """Make the parts of one application.

    :raises mtp_plugin.errors.SettingError: a setting that only this layer understands cannot work
    """
    words = Words(settings.locale)
    dresser = Dresser(words, settings.currency)
    return Parts(
        prefix=prefix.rstrip("/"),
        keys=signing_keys(app),
        cookies=Cookies(settings, signing_keys(app)),
        limits=Limits(settings),
        metrics=Metrics(app.name),
        words=words,
        money=Money(settings.locale),
        dresser=dresser,
        card_pages=CardPages(),
        frames=Frames(words, dresser),
        written=Remembered(300),
        strangers=Remembered(16),
        assets=load_assets(),
    )


def signing_keys(app: Flask) -> list[Any]:
    """Flask's keys, the one that signs last: a cookie signed before a rotation stays good."""
    return [*(app.config.get("SECRET_KEY_FALLBACKS") or ()), app.secret_key]


def get_parts() -> Parts:
    """The parts of the current application.

    :raises SetupError: the blueprint is registered but the plugin is not mounted
    """
    parts = current_app.extensions.get(KEY)
    if parts is None:
        raise SetupError("mtp is not mounted on this application: register MTP().blueprint")
    assert isinstance(parts, Parts)  # noqa: S101  the key is ours
    return parts


def get_state() -> State:
    """What is mounted on the current application.

    :raises SetupError: nothing is
    """
    state = current_app.extensions.get("mtp")
    if state is None:
        raise SetupError("mtp is not mounted on this application: call MTP(app) or mtp.init_app(app) first")
    assert isinstance(state, State)  # noqa: S101  the key is ours
    return state
