"""What the templates beside a block show: the banner that asks for consent, and the tags that load style and script.

Together with :class:`~mtp_plugin.records.Block` these are the variables of ``templates/mtp``; ``docs/theming.md``
lists them, and a test holds both to it.
"""

from __future__ import annotations

from typing import Any

import msgspec
from jinja2 import Environment

from ..records import Block, ConsentLevel
from .cards import CardPages
from .words import Words


class Banner(msgspec.Struct, frozen=True, kw_only=True):
    """The question for consent, shown while a visitor has not answered.

    ``action`` is the address that the form posts ``choice`` (``granted``, ``denied`` or ``chosen``) and ``next`` to;
    ``next`` the local path to return to without JavaScript; ``policy_url`` where the shop explains itself, if it does.
    With ``chosen`` it posts a ``purpose`` for each one ticked. ``purposes`` are those asked for, ``permitted`` those
    that are permitted now. ``source`` is ``banner`` or, where it stands to stay in a page, ``preferences``.
    """

    action: str
    next: str = "/"
    policy_url: str = ""
    purposes: tuple[str, ...] = ()
    permitted: frozenset[str] = frozenset()
    source: str = "banner"


class Scripts(msgspec.Struct, frozen=True, kw_only=True):
    """The tags of a page.

    ``consent_level`` is the gate of the script; ``write_key`` is for pages of other origins, empty on the shop's own;
    ``nonce`` that of the Content-Security-Policy, may be empty. An empty ``style_url`` leaves styling to the shop.
    ``data_layer`` is the global with GA4's events that the script reads, empty for none. ``manager`` is a consent
    manager to listen to, ``onetrust`` or ``trustarc``, with the script that does, both empty for none.
    """

    script_url: str
    style_url: str = ""
    consent_level: ConsentLevel = ConsentLevel.NON_PERSONAL
    nonce: str = ""
    write_key: str = ""
    data_layer: str = ""
    manager: str = ""
    manager_url: str = ""


def block_variables(
    block: Block, words: Words, environment: Environment, cards: CardPages, *, heading_level: int = 2
) -> dict[str, Any]:
    """Variables of ``mtp/block.html``.

    :param environment: loads the template of a card, which may be the shop's own
    :param heading_level: of the block's heading, 2 to 5; its products are one below
    :raises ValueError: another level
    """
    variables = {"block": block, "words": words, "heading_level": checked_level(heading_level)}
    return {**variables, "card_html": cards.of(environment, variables)}


def checked_level(heading_level: int) -> int:
    """The level if it is 2 to 5.

    :raises ValueError: another one
    """
    if not 2 <= heading_level <= 5:
        raise ValueError(f"heading_level must be 2 to 5, not {heading_level}")
    return heading_level


def banner_variables(banner: Banner, words: Words) -> dict[str, Any]:
    """Variables of ``mtp/_consent.html``."""
    return {"banner": banner, "words": words}


def scripts_variables(scripts: Scripts) -> dict[str, Any]:
    """Variables of ``mtp/_scripts.html``."""
    return {"scripts": scripts}
