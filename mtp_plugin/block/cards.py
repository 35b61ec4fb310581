"""Cards as HTML, remembered by what they show, so that a block mostly puts together what is written already."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from pathlib import Path
from typing import Any

from jinja2 import Environment, Template
from markupsafe import Markup

from ..assets import templates_folder
from ..memory import Remembered
from ..records import Card

TEMPLATES = ("mtp/_card.html", "mtp/_price.html")
SHOWN = (
    "title", "brand", "url", "image", "price_text", "sale_price_text", "badge", "rating_text",
    "rating_count", "rating_label",
)  # fmt: skip
"""What our own templates read of a card: two cards that agree in these look the same."""

_shown = attrgetter(*SHOWN)


class CardPages:
    """Renders ``mtp/_card.html``.

    Only our own templates are remembered. A shop's may read the request, the position or the time, so they are rendered
    anew each time.

    :param limit: most cards remembered
    """

    def __init__(self, limit: int = 10_000) -> None:
        self._limit = limit
        self._known: Remembered[tuple[Any, ...], Markup] = Remembered(limit)
        self._templates: tuple[Template, ...] = ()
        self._remembers = False

    def of(self, environment: Environment, variables: Mapping[str, Any]) -> dict[str, Markup]:
        """The cards of a block by product id.

        :param variables: ``block``, ``words`` and ``heading_level`` of the block's template
        """
        templates = tuple(environment.get_template(name) for name in TEMPLATES)
        if self._templates != templates:  # the first use, or a developer edits them
            self._templates, self._known = templates, Remembered(self._limit)
            self._remembers = all(map(is_ours, templates))
        cards: tuple[Card, ...] = variables["block"].cards
        if not self._remembers:
            return {card.product_id: _written(templates[0], variables, card) for card in cards}
        return {card.product_id: self._one(card, variables) for card in cards}

    def _one(self, card: Card, variables: Mapping[str, Any]) -> Markup:
        key = (variables["heading_level"], variables["words"].lang, _shown(card))
        return self._known.get(key) or self._known.keep(key, _written(self._templates[0], variables, card))

    def __len__(self) -> int:
        return len(self._known)


def _written(template: Template, variables: Mapping[str, Any], card: Card) -> Markup:
    return Markup(template.render(variables, card=card).strip())  # noqa: S704  our templates escape


def is_ours(template: Template) -> bool:
    """Whether a template is the plugin's own: a shop's may say something else in the next request."""
    return Path(str(template.filename)).is_relative_to(templates_folder())
