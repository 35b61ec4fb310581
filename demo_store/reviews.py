"""Sample reviews in a sentence each; written for the demo, and said to be."""

from __future__ import annotations

import random
from dataclasses import dataclass

from mtp_plugin.records import Product

_WARM = (
    ("Exactly as dull as promised", "Which is to say perfect. I have stopped noticing it, and that was the idea."),
    ("Second one", "The first went to my sister, who did not give it back."),
    ("Better in the hand", "The {colour} is deeper than on the screen. It feels like it was made by somebody."),
    ("A year on", "Used daily. One scratch, my fault, and I rather like it."),
    ("Arrived well packed", "Paper, no plastic, and it was here a day early."),
    ("Worth the wait", "I looked at it for a month. I should have looked for a week."),
    ("Gets asked about", "Three people have asked where it is from. I tell two of them."),
)
_COOL = (
    ("Good, not cheap", "Does what it should. At this price I expected it to."),
    ("Smaller than I thought", "Read the measurements, as I did not. Otherwise fine."),
    ("Took some getting used to", "The first week we were not friends. Now we are."),
)
_NAMES = (
    "Ada",
    "Bo",
    "Carla",
    "Dev",
    "Esther",
    "Finn",
    "Gus",
    "Hana",
    "Ilse",
    "Jonas",
    "Kaya",
    "Leo",
    "Mina",
    "Noor",
    "Omar",
)


@dataclass(frozen=True, slots=True)
class Review:
    """Who, how many stars, and what."""

    name: str
    stars: int
    title: str
    text: str


def reviews_of(product: Product) -> list[Review]:
    """A few reviews that suit the product's rating; none for what nobody has rated."""
    if product.rating is None:
        return []
    dice = random.Random(product.product_id)
    cool = 1 if product.rating < 4.4 else 0
    texts = [(dice.choice((4, 5, 5)), *text) for text in dice.sample(_WARM, 3 - cool)]
    texts += [(3, *text) for text in dice.sample(_COOL, cool)]
    colour = product.colors[0].lower()
    return [
        Review(name, stars, title, text.format(colour=colour))
        for name, (stars, title, text) in zip(dice.sample(_NAMES, len(texts)), texts, strict=True)
    ]
