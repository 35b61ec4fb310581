"""The shop's products, made from :mod:`.ranges` with one seed: the same day and seed give the same catalogue."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from mtp_plugin.records import Product, Variant

from .colourways import COLOURS, TRIMS
from .drawing import Look, draw, version
from .makers import MAKERS, Maker
from .ranges import RANGES, Piece, Range

SEED = 7
DAY = 86400.0
CURRENCY = "EUR"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All products by id, and what each picture must show by its name."""

    products: Mapping[str, Product]
    looks: Mapping[str, tuple[str, Look]]
    by_category: Mapping[str, tuple[Product, ...]] = field(default_factory=dict)

    def picture(self, name: str) -> str | None:
        """The picture of this name as SVG, ``None`` if there is no such picture."""
        found = self.looks.get(name)
        return draw(*found) if found else None


def build_catalogue(today: float, seed: int = SEED) -> Catalogue:
    """Make the catalogue.

    :param today: a time of the day it is made for, in seconds since 1970; sales and novelties lie around that day
    """
    midnight = today // DAY * DAY
    products: dict[str, Product] = {}
    looks: dict[str, tuple[str, Look]] = {}
    for range_ in RANGES:
        for number, name in enumerate(range_.names.split()):
            made = _Making(range_, number, name, midnight, random.Random(f"{seed}/{range_.key}/{name}"))
            product, pictures = made.product()
            products[product.product_id] = product
            looks.update({key: (range_.key, look) for key, look in pictures.items()})
    grouped = {
        range_.key: tuple(product for product in products.values() if product.category_path[1] == range_.title)
        for range_ in RANGES
    }
    return Catalogue(products, looks, grouped)


def slug(text: str) -> str:
    """A text as it stands in an address."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def picture_url(name: str) -> str:
    """Address of a picture; it changes with the drawings, so it may be kept for ever."""
    return f"/pictures/{name}.svg?v={version()}"


def nice(price: float) -> float:
    """A price as a shop would write it: whole below 100, then in fives, then in tens."""
    step = 1 if price < 100 else 5 if price < 400 else 10
    return float(max(4, round(price / step) * step))


class _Making:
    """One product in the making; draws its randomness in a fixed order."""

    def __init__(self, range_: Range, number: int, name: str, midnight: float, dice: random.Random) -> None:
        self.range, self.midnight, self.dice = range_, midnight, dice
        self.piece: Piece = range_.pieces[number % len(range_.pieces)]
        self.maker: Maker = MAKERS[dice.choice(range_.makers)]
        self.material = dice.choice(self.piece.materials)
        self.noun = dice.choice(self.piece.nouns)
        self.title = f"{name} {self.noun}"
        self.id = slug(self.title)
        self.price = nice(self.piece.price * self.maker.dear * dice.uniform(0.85, 1.2))

    def product(self) -> tuple[Product, dict[str, Look]]:
        dice = self.dice
        colours = dice.sample(self.piece.colours.split(), dice.choice((1, 2, 3, 3, 4)))
        pictures = self._looks(colours)
        age = dice.choice((9, 24, 40, 55, 80, 120, 160, 200, 320, 480, 610))
        variants = self._variants(colours, sold_out=dice.random() < 0.06)
        sale_price, sale_from, sale_until = self._sale()
        rated = age > 20
        product = Product(
            product_id=self.id,
            title=self.title,
            brand=self.maker.name,
            category_path=(self.range.department, self.range.title),
            tags=self._tags(),
            style=self.maker.style,
            colors=tuple(colours),
            attributes={
                "material": self.material[0],
                "kind": self.piece.nouns[0].removeprefix("the "),
                "range": self.range.key,
                "silhouette": self.piece.silhouette,
            },
            description=f"{self.piece.line} {self._material_line()} {self.maker.voice}",
            price=self.price,
            sale_price=sale_price,
            sale_from=sale_from,
            sale_until=sale_until,
            currency=CURRENCY,
            stock=sum(variant.stock or 0 for variant in variants),
            margin=round(dice.uniform(0.22, 0.48) + 0.05 * (self.maker.dear - 1), 2),
            image=variants[0].image,
            url=f"/products/{self.id}",
            rating=round(min(4.9, dice.gauss(4.3, 0.35)), 1) if rated else None,
            rating_count=int(min(age, 400) * dice.uniform(0.05, 0.9)) + 1 if rated else 0,
            created=self.midnight - age * DAY,
            variants=variants,
        )
        return product, pictures

    def _looks(self, colours: list[str]) -> dict[str, Look]:
        trim = TRIMS[self.dice.choice(self.piece.trims.split())]
        detail = self.dice.randrange(60)
        return {
            f"{self.id}-{slug(colour)}": Look(
                silhouette=self.piece.silhouette,
                colour=COLOURS[colour],
                trim=trim,
                finish=self.material[1],
                pattern=self.material[2],
                scale=round(self.dice.uniform(0.95, 1.0), 2),
                detail=detail,
            )
            for colour in colours
        }

    def _variants(self, colours: list[str], *, sold_out: bool) -> tuple[Variant, ...]:
        sizes = self.range.sizes or (("", 1.0),)
        found = []
        for colour in colours:
            image = picture_url(f"{self.id}-{slug(colour)}")
            for size, factor in sizes:
                stock = 0 if sold_out or self.dice.random() < 0.09 else self.dice.choice((2, 3, 5, 8, 14, 30))
                found.append(
                    Variant(
                        variant_id=slug(f"{self.id}-{colour}-{size}"),
                        title=" / ".join(part for part in (colour, size) if part),
                        color=colour,
                        size=size,
                        price=nice(self.price * factor) if factor != 1 else self.price,
                        stock=stock,
                        image=image,
                    )
                )
        return tuple(found)

    def _sale(self) -> tuple[float | None, float | None, float | None]:
        """Most things have no sale; of the others most are on now, some were or will be."""
        kind, cut, days = self.dice.random(), self.dice.choice((0.15, 0.2, 0.25, 0.3, 0.4)), self.dice.randint(5, 20)
        if kind > 0.24:
            return None, None, None
        price = nice(self.price * (1 - cut))
        start = {0: -6, 1: -60, 2: 9}[0 if kind < 0.17 else 1 if kind < 0.21 else 2] * DAY + self.midnight
        return price, start, start + (6 + days) * DAY

    def _tags(self) -> tuple[str, ...]:
        tags = [*self.piece.tags.split(), *self.range.tags.split(), slug(self.material[0])]
        if self.maker.dear < 0.9:
            tags.append("budget")
        if self.price < 60 and self.dice.random() < 0.5:
            tags.append("gift")
        if self.dice.random() < 0.3:
            tags.append("quick")
        return tuple(dict.fromkeys(tags))

    def _material_line(self) -> str:
        word = self.material[0]
        return self.dice.choice(
            (
                f"In {word}, which gets better at it.",
                f"Made of {word}; wipe with a damp cloth and move on.",
                f"{word.capitalize()} throughout, chosen twice.",
                f"The {word} comes from one supplier we have visited.",
            )
        )
