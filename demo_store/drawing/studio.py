"""The photographer's table: one light from the upper left, one floor, finishes and fabrics; silhouettes draw on it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from .colour import backdrop, lightness, shade

WIDTH, HEIGHT, FLOOR = 400, 500, 424

FINISHES: dict[str, tuple[tuple[float, float], ...]] = {
    "matte": ((0, 0.05), (0.4, 0), (1, -0.09)),
    "soft": ((0, 0.03), (0.5, 0), (1, -0.05)),
    "ceramic": ((0, 0), (0.2, 0.09), (0.45, 0), (1, -0.13)),
    "gloss": ((0, 0.02), (0.16, 0.16), (0.34, 0.01), (0.9, -0.15), (1, -0.08)),
    "metal": ((0, -0.08), (0.16, 0.17), (0.36, 0), (0.58, 0.07), (0.84, -0.17), (1, -0.06)),
    "leather": ((0, 0.06), (0.3, 0.02), (1, -0.1)),
    "wood": ((0, 0.04), (0.5, 0), (1, -0.09)),
}
"""Finish by name: lightness added to the colour at points from the lit side to the dark side."""


DUSK = "@media(prefers-color-scheme:dark){#n{display:inline}}"
"""In a dark page the wall behind the thing is a dim one."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a picture must show of its product.

    ``colour`` is the colourway's, ``trim`` the second colour, ``finish`` a key of :data:`FINISHES`, ``pattern`` a
    fabric of :meth:`Studio.texture` or ``""``, ``detail`` a small number that silhouettes take their options from.
    """

    silhouette: str
    colour: str
    trim: str = "#c69c6d"
    finish: str = "matte"
    pattern: str = ""
    scale: float = 1.0
    detail: int = 0


class Studio:
    """Collects shapes and gradients and gives one SVG of 400 by 500 units."""

    def __init__(self, look: Look, prefix: str = "d") -> None:
        self.look = look
        self._prefix = prefix
        self._defs: dict[str, str] = {}
        self._parts: list[str] = []
        self._frame = (1.0, 0.0)

    def frame(self, zoom: float, lift: float) -> None:
        """Come nearer (above 1), and raise the thing by so many units, so that it fills the picture well."""
        self._frame = (zoom, lift)

    # ------------------------------------------------------------------------------------------ paint

    def paint(self, colour: str, finish: str = "", axis: str = "x") -> str:
        """A fill for a body of this colour: lit from the left (axis ``x``), from above (``y``) or both (``xy``)."""
        finish = finish or self.look.finish
        stops = "".join(f'<stop offset="{at}" stop-color="{shade(colour, by)}"/>' for at, by in FINISHES[finish])
        ends = {"x": "", "y": ' x2="0" y2="1"', "xy": ' x2="1" y2="1"'}[axis]
        return self._define(f"<linearGradient{ends}>{stops}</linearGradient>")

    def fade(self, colour: str, start: float, end: float, axis: str = "y") -> str:
        """A fill of one colour whose opacity runs from *start* to *end*."""
        stops = (
            f'<stop stop-color="{colour}" stop-opacity="{start}"/>'
            f'<stop offset="1" stop-color="{colour}" stop-opacity="{end}"/>'
        )
        ends = {"x": "", "y": ' x2="0" y2="1"', "xy": ' x2="1" y2="1"'}[axis]
        return self._define(f"<linearGradient{ends}>{stops}</linearGradient>")

    def glow(self, colour: str, opacity: float, at: tuple[float, float] = (0.5, 0.5)) -> str:
        """A round fill, strongest at the point *at* of its shape's box and nothing at the rim."""
        return self._define(
            f'<radialGradient cx="{at[0]}" cy="{at[1]}" r=".5"><stop stop-color="{colour}" stop-opacity="{opacity}"/>'
            f'<stop offset="1" stop-color="{colour}" stop-opacity="0"/></radialGradient>'
        )

    def ball(self, colour: str, finish: str = "") -> str:
        """A fill for something round: the highlight lies up and left."""
        finish = finish or self.look.finish
        deep = 0.2 if finish in ("gloss", "metal", "ceramic") else 0.13
        return self._define(
            f'<radialGradient cx=".34" cy=".28" r=".8"><stop stop-color="{shade(colour, deep * 0.8)}"/>'
            f'<stop offset=".35" stop-color="{colour}"/><stop offset="1" stop-color="{shade(colour, -deep)}"/>'
            "</radialGradient>"
        )

    def weave(self, kind: str, colour: str) -> str:
        """A repeating fabric that suits *colour*, to lay over a shape."""
        line = shade(colour, -0.16 if lightness(colour) > 0.5 else 0.13)
        second = shade(colour, 0.22 if lightness(colour) < 0.72 else -0.24)
        tile = {
            "rib": (6, 6, f'<path d="M0 0V6" stroke="{line}" stroke-width="2.4" opacity=".5"/>'),
            "cord": (9, 9, f'<path d="M0 0V9" stroke="{line}" stroke-width="4" opacity=".4"/>'),
            "band": (40, 34, f'<path d="M0 8H40" stroke="{second}" stroke-width="9" opacity=".85"/>'),
            "check": (
                34,
                34,
                f'<path d="M0 9H34M9 0V34" stroke="{second}" stroke-width="10" opacity=".28"/>'
                f'<path d="M0 26H34M26 0V34" stroke="{line}" stroke-width="1.4" opacity=".6"/>',
            ),
            "speckle": (
                46,
                46,
                f'<g fill="{line}" opacity=".75"><circle cx="7" cy="9" r="1.5"/><circle cx="25" cy="5" r=".9"/>'
                '<circle cx="36" cy="19" r="1.7"/><circle cx="16" cy="27" r="1.1"/><circle cx="40" cy="40" r="1"/>'
                '<circle cx="5" cy="38" r="1.3"/><circle cx="25" cy="42" r=".8"/></g>',
            ),
            "grain": (
                60,
                24,
                f'<path d="M0 5Q18 2 34 6T60 5M0 13Q22 17 40 12T60 13M0 20Q14 18 30 21T60 20" fill="none" '
                f'stroke="{line}" opacity=".45"/>',
            ),
            "quilt": (38, 38, f'<path d="M0 0L38 38M38 0L0 38" stroke="{line}" stroke-width="1.6" opacity=".7"/>'),
            "mesh": (5, 5, f'<circle cx="2.5" cy="2.5" r="1.3" fill="{line}" opacity=".6"/>'),
            "knit": (8, 8, f'<path d="M0 2L4 6L8 2" fill="none" stroke="{line}" stroke-width="1.3" opacity=".55"/>'),
            "dots": (
                26,
                26,
                f'<circle cx="7" cy="7" r="3.4" fill="{second}"/><circle cx="20" cy="20" r="3.4" fill="{second}"/>',
            ),
        }[kind]
        wide, high, inside = tile
        return self._define(f'<pattern width="{wide}" height="{high}" patternUnits="userSpaceOnUse">{inside}</pattern>')

    # ------------------------------------------------------------------------------------------ shapes

    def path(self, d: str, fill: str, more: str = "") -> None:
        """A filled outline."""
        self._parts.append(f'<path d="{d}" fill="{fill}"{_more(more)}/>')

    def stamp(self, d: str, fill: str, transform: str) -> None:
        """An outline that is drawn many times: written once, then moved, turned and coloured."""
        name = self._define(f'<path d="{d}"/>')[5:-1]
        self._parts.append(f'<use href="#{name}" fill="{fill}" transform="{transform}"/>')

    def line(self, d: str, colour: str, width: float = 2, more: str = "") -> None:
        """A drawn line with round ends."""
        self._parts.append(
            f'<path d="{d}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-linecap="round" '
            f'stroke-linejoin="round"{_more(more)}/>'
        )

    def rect(self, x: float, y: float, wide: float, high: float, round_: float, fill: str, more: str = "") -> None:
        """A rectangle with rounded corners."""
        self._parts.append(
            f'<rect x="{x}" y="{y}" width="{wide}" height="{high}" rx="{round_}" fill="{fill}"{_more(more)}/>'
        )

    def circle(self, x: float, y: float, radius: float, fill: str, more: str = "") -> None:
        """A disc."""
        self._parts.append(f'<circle cx="{x}" cy="{y}" r="{radius}" fill="{fill}"{_more(more)}/>')

    def ellipse(self, x: float, y: float, wide: float, high: float, fill: str, more: str = "") -> None:
        """An ellipse by its two radii."""
        self._parts.append(f'<ellipse cx="{x}" cy="{y}" rx="{wide}" ry="{high}" fill="{fill}"{_more(more)}/>')

    def body(self, d: str, colour: str = "", finish: str = "", axis: str = "x", pattern: str | None = None) -> None:
        """An outline in colour and finish, with the look's own pattern laid over it."""
        colour = colour or self.look.colour
        kind = self.look.pattern if pattern is None else pattern
        if not kind:
            self.path(d, self.paint(colour, finish, axis))
            return
        name = self._define(f'<path d="{d}"/>')[5:-1]
        for fill in (self.paint(colour, finish, axis), self.weave(kind, colour)):
            self._parts.append(f'<use href="#{name}" fill="{fill}"/>')

    def dark(self, d: str, opacity: float = 0.14) -> None:
        """A part that turns away from the light."""
        self.path(d, "#10131a", f'opacity="{opacity}"')

    def light(self, d: str, opacity: float = 0.3) -> None:
        """A part that catches the light."""
        self.path(d, "#fff", f'opacity="{opacity}"')

    def seam(self, d: str, colour: str = "", opacity: float = 0.35) -> None:
        """A line of stitches."""
        colour = shade(colour or self.look.colour, -0.2 if lightness(colour or self.look.colour) > 0.42 else 0.24)
        self.line(d, colour, 1.6, f'stroke-dasharray="5 4" opacity="{opacity + 0.3}"')

    @contextmanager
    def group(self, more: str) -> Iterator[None]:
        """Shapes that share attributes, such as a transform."""
        self._parts.append(f"<g {more}>")
        yield
        self._parts.append("</g>")

    # ------------------------------------------------------------------------------------------ shadows

    def stands(self, x: float, wide: float, y: float = FLOOR, deep: float = 0) -> None:
        """The shadow of something that stands: dark where it touches, then long and soft to the right."""
        deep = deep or max(9, wide * 0.13)
        self.ellipse(x + wide * 0.3, y + 3, wide * 1.28, deep * 1.5, self.glow("#1b1712", 0.26))
        self.ellipse(x, y, wide * 1.06, deep * 0.8, self.glow("#14110d", 0.62))

    def lies(self, d: str, far: float = 12) -> None:
        """The shadow of something that lies flat or hangs close to the wall."""
        blur = self._define(
            '<filter x="-20%" y="-20%" width="150%" height="150%"><feGaussianBlur stdDeviation="9"/></filter>'
        )
        self.path(d, "#1b1712", f'opacity=".3" transform="translate({far} {far * 1.3})" filter="{blur}"')

    # ------------------------------------------------------------------------------------------ developing

    def svg(self) -> str:
        """The finished picture as one line of XML."""
        wall, paper = scenery(self.look.colour, WIDTH, HEIGHT)
        return shorten(
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">'
            f"<defs>{wall}{self.definitions}</defs>{paper}{dusk(WIDTH, HEIGHT)}{self.thing()}</svg>"
        )

    @property
    def definitions(self) -> str:
        """The gradients and outlines that :meth:`thing` speaks of."""
        return "".join(self._defs.values())

    def thing(self, place: str = "") -> str:
        """What was drawn, without its backdrop.

        :param place: where to put it, as an SVG transform before its own
        """
        zoom, lift = self._frame
        scale = self.look.scale * zoom
        moved = f"translate({200 * (1 - scale)} {(FLOOR - 40) * (1 - scale) - (0 if place else lift)}) scale({scale})"
        return f'<g transform="{place}{moved}">{"".join(self._parts)}</g>'

    def _define(self, element: str) -> str:
        """Keep a definition once; gives the reference to it."""
        if element not in self._defs:
            tag, rest = re.match(r"(<\w+)(.*)", element).groups()  # type: ignore[union-attr]
            self._defs[element] = f'{tag} id="{self._prefix}{len(self._defs)}"{rest}'
        name = re.search(r'id="(\w+)"', self._defs[element])
        assert name  # noqa: S101  written just above
        return f"url(#{name[1]})"


def scenery(colour: str, wide: int, high: int) -> tuple[str, str]:
    """Wall and light for a picture of this size: definitions, and the shapes that use them."""
    wall = (
        f'<linearGradient id="w" x2="0" y2="1"><stop stop-color="{backdrop(colour, 0.955)}"/>'
        f'<stop offset=".7" stop-color="{backdrop(colour, 0.925)}"/>'
        f'<stop offset="1" stop-color="{backdrop(colour, 0.875)}"/></linearGradient>'
        '<radialGradient id="l" cx=".28" cy=".2" r=".75"><stop stop-color="#fff" stop-opacity=".55"/>'
        '<stop offset="1" stop-color="#fff" stop-opacity="0"/></radialGradient>'
    )
    sheet = f"M0 0H{wide}V{high}H0z"
    return wall, f'<path d="{sheet}" fill="url(#w)"/><path d="{sheet}" fill="url(#l)"/>'


def dusk(wide: int, high: int) -> str:
    """What dims the wall in a dark page; browsers tell a picture which kind of page it is in."""
    return f'<style>{DUSK}</style><path id="n" display="none" opacity=".58" d="M0 0H{wide}V{high}H0z"/>'


def shorten(svg: str) -> str:
    """The same picture with its numbers no longer than the eye can tell."""
    return _NUMBER.sub(_short, svg).replace(' offset="0"', "")


_NUMBER = re.compile(r"(?<![#\w.])-?\d+\.\d+")


def _short(found: re.Match[str]) -> str:
    """A number as short as the eye allows: tenths of a unit, hundredths for what is below one."""
    number = float(found[0])
    text = f"{number:.1f}" if abs(number) >= 1 else f"{number:.2f}"
    text = text.rstrip("0").rstrip(".").replace("-0.", "-.")
    return text[1:] if text.startswith("0.") else text


def _more(attributes: str) -> str:
    return f" {attributes}" if attributes else ""
