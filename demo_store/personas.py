"""The simulated shoppers: what each kind of person likes, may spend and does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Persona:
    """A kind of shopper.

    ``likes`` are weights of category keys, silhouettes, tags, styles, makers and colours (what is not named weighs 1);
    ``price`` the price that suits, as a share of what a category usually costs; ``thrift`` how much a sale draws;
    ``buys`` the chance that a thing looked at is bought in the end; ``share`` its part of all visitors.
    """

    key: str
    name: str
    kind: str
    line: str
    likes: Mapping[str, float]
    price: float
    thrift: float
    buys: float
    share: float
    sessions: tuple[int, int] = (1, 5)
    searches: tuple[str, ...] = field(default=())


_ALL = (
    Persona(
        "vera",
        "Vera",
        "Looks at fine watches",
        "Knows what a meridian is. Buys rarely, and well.",
        {
            "watches": 14,
            "bags": 1.6,
            "dress": 3,
            "chronograph": 3,
            "square": 2,
            "Solvane": 4,
            "Aldermoor": 3,
            "classic": 2,
            "loafer": 2,
            "wrap": 2,
            "Ink": 1.5,
            "Oxblood": 1.8,
            "luxury": 3,
        },
        1.8,
        0.6,
        0.05,
        0.09,
        (1, 5),
        ("chronograph", "dress watch", "solvane"),
    ),
    Persona(
        "ben",
        "Ben",
        "Commutes, counts coins",
        "Forty minutes by train, twice a day, on a budget.",
        {
            "bottles": 4,
            "bags": 5,
            "headphones": 4,
            "notebooks": 2,
            "commute": 4,
            "portable": 3,
            "budget": 2.5,
            "Carrow": 3,
            "Common Thread": 2.5,
            "everyday": 2,
            "backpack": 2,
            "buds": 2,
            "Ink": 1.6,
            "Charcoal": 1.6,
        },
        0.6,
        2.2,
        0.13,
        0.17,
        (1, 7),
        ("backpack", "bottle", "earbuds"),
    ),
    Persona(
        "flora",
        "Flora",
        "Plant parent",
        "Thirty-one pots and counting; talks to most of them.",
        {
            "plants": 16,
            "mugs": 2.4,
            "kettles": 1.6,
            "lamps": 1.5,
            "Fernbank": 3,
            "Lehm": 2.2,
            "natural": 2,
            "teapot": 2,
            "Terracotta": 2,
            "Sage": 1.8,
            "trailing": 1.8,
        },
        1.0,
        1.0,
        0.18,
        0.12,
        (1, 8),
        ("monstera", "pothos", "teapot"),
    ),
    Persona(
        "niko",
        "Niko",
        "Nests a home office",
        "A desk, a lamp, a chair: in that order.",
        {
            "lamps": 5,
            "chairs": 5,
            "notebooks": 4,
            "headphones": 3,
            "kettles": 2,
            "home-office": 4,
            "desk": 3,
            "task": 2.5,
            "shell": 2,
            "minimal": 2,
            "Studio Halle": 2.5,
            "Ebbe & Lund": 2.5,
            "over-ear": 2,
            "Ash": 1.5,
            "Bone": 1.5,
        },
        1.25,
        0.9,
        0.1,
        0.14,
        (1, 6),
        ("desk lamp", "chair", "notebook"),
    ),
    Persona(
        "greta",
        "Greta",
        "Hunts for gifts",
        "Eleven nieces and nephews. Starts in October.",
        {
            "mugs": 4,
            "notebooks": 4,
            "kettles": 2,
            "lamps": 2,
            "watches": 1.2,
            "gift": 6,
            "small": 1.5,
            "playful": 2.5,
            "Pikkala": 2.5,
            "Odd Hours": 2.5,
            "Coral": 1.5,
            "Mustard": 1.5,
            "Blush": 1.5,
        },
        0.85,
        1.4,
        0.16,
        0.15,
        (1, 5),
        ("gift", "mug", "journal"),
    ),
    Persona(
        "milo",
        "Milo",
        "Lives in sneakers",
        "Owns one pair of real shoes, for weddings.",
        {
            "shoes": 16,
            "jackets": 3.5,
            "headphones": 2,
            "sneaker": 4,
            "sport": 2,
            "Velo Nord": 2.5,
            "technical": 2,
            "Pikkala": 1.6,
            "bomber": 1.8,
            "Marine": 1.4,
            "Coral": 1.6,
            "Snow": 1.4,
        },
        1.05,
        1.2,
        0.12,
        0.13,
        (1, 7),
        ("high top", "runner", "trainer"),
    ),
    Persona(
        "dora",
        "Dora",
        "Waits for the sale",
        "Never paid the first price and never will.",
        {"jackets": 2, "shoes": 2, "chairs": 1.6, "mugs": 1.6, "bags": 1.6, "lamps": 1.6, "budget": 2},
        0.85,
        30.0,
        0.15,
        0.12,
        (1, 6),
        ("sale", "jacket", "lamp"),
    ),
    Persona(
        "tove",
        "Tove",
        "Travels with little",
        "One bag, four colours, no checked luggage.",
        {
            "bags": 4,
            "jackets": 9,
            "bottles": 2,
            "shoes": 2,
            "travel": 4,
            "portable": 3,
            "outdoor": 2.2,
            "Marram": 3,
            "minimal": 1.8,
            "sling": 2,
            "weekender": 2,
            "Slate": 1.8,
            "Moss": 1.8,
            "Bone": 1.5,
        },
        1.15,
        0.8,
        0.1,
        0.08,
        (1, 5),
        ("weekender", "rain shell", "sling"),
    ),
)

PERSONAS = {persona.key: persona for persona in _ALL}
