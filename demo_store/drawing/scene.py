"""The picture of the front page: a few of the shop's things in one room, in one light."""

from __future__ import annotations

from . import bags, chairs, lamps, mugs, plants
from .colour import backdrop, shade
from .studio import Look, Studio, dusk, scenery, shorten

WIDE, HIGH = 960, 720
WALL = "#3d6b66"

_THINGS = (
    (lamps.draw, Look("pendant", "#1f5a55", "#c2a15a", "gloss", detail=3), "translate(146 -20) scale(.86) "),
    (plants.draw, Look("tree", "#bf6b49", "#cfc3ae", "matte", detail=3), "translate(588 134) scale(.98) "),
    (chairs.draw, Look("lounge", "#a7532f", "#6e4a33", "matte", "cord", detail=1), "translate(352 158) scale(1.1) "),
    (bags.draw, Look("weekender", "#27466b", "#b07d4b", "matte", detail=1), "translate(640 456) scale(.5) "),
)


def hero() -> str:
    """The scene as SVG text."""
    wall, paper = scenery(WALL, WIDE, HIGH)
    studios = [(Studio(look, f"s{number}_"), artist, place) for number, (artist, look, place) in enumerate(_THINGS)]
    for studio, artist, _ in studios:
        artist(studio)
    table, mug = _table(), Studio(Look("round", "#e6dfd0", "#b9785a", "ceramic"), "m")
    mugs.draw(mug)
    definitions = "".join(studio.definitions for studio, _, _ in studios) + table.definitions + mug.definitions
    things = "".join(studio.thing(place) for studio, _, place in studios)
    floor = f'<path d="M0 610H{WIDE}V{HIGH}H0z" fill="{backdrop(WALL, 0.86)}"/>'
    return shorten(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HIGH}" width="{WIDE}" height="{HIGH}">'
        f"<defs>{wall}{definitions}</defs>{paper}{floor}{dusk(WIDE, HIGH)}{things}{table.thing('translate(-40 0) ')}"
        f"{mug.thing('translate(206 326) scale(.34) ')}</svg>"
    )


def _table() -> Studio:
    """A round table under the lamp."""
    s = Studio(Look("", "#c69c6d", finish="wood"), "t")
    for x, y in ((250, 690), (390, 690), (322, 668)):
        s.line(f"M{x * 0.4 + 192} 478L{x} {y}", shade("#c69c6d", -0.1), 11)
    s.ellipse(320, 690, 150, 16, s.glow("#14110d", 0.45))
    s.path("M150 470Q320 440 490 470V482Q320 512 150 482z", shade("#c69c6d", -0.12))
    s.ellipse(320, 470, 170, 20, s.paint("#c69c6d", "wood"))
    return s
