"""Plants in their pots: broad leaves, swords, cactus, tree, trailing."""

from __future__ import annotations

import math

from .colour import mix, shade
from .studio import Studio

GREENS = ("#4f7a4a", "#3f6b4f", "#6a8a4a", "#557f5c", "#7d9a58")


def draw(s: Studio) -> None:
    """``colour`` is the pot; ``detail`` picks the green and the growth."""
    s.frame(1.06, 0)
    green = GREENS[s.look.detail % len(GREENS)]
    tall = {"tree": 96, "trailing": 78, "cactus": 92}.get(s.look.silhouette, 104)
    hangs = s.look.silhouette == "trailing"
    top = (270 if hangs else 424) - tall
    if hangs:
        shelf(s)
    else:
        s.stands(200, 84)
    {"monstera": monstera, "swords": swords, "cactus": cactus, "tree": tree, "trailing": _stems}[s.look.silhouette](
        s, green, top
    )
    pot(s, top, 270 if hangs else 424)
    if hangs:
        trailing(s, green, top)


def shelf(s: Studio) -> None:
    """A plant that hangs over stands on a board."""
    s.ellipse(226, 300, 130, 34, s.glow("#1b1712", 0.2))
    s.path("M70 264H330V278H70z", s.paint("#c69c6d", "wood", "y"))
    s.ellipse(200, 265, 84, 7, s.glow("#14110d", 0.6))


def pot(s: Studio, top: float, floor: float = 424) -> None:
    shape = s.look.detail % 3
    outline = (
        f"M122 {top}H278L258 {floor - 12}Q256 {floor} 244 {floor}H156Q144 {floor} 142 {floor - 12}z",
        f"M124 {top}H276V{floor - 28}Q276 {floor} 248 {floor}H152Q124 {floor} 124 {floor - 28}z",
        f"M130 {top}H270C286 {top + 40} 276 {floor} 236 {floor}H164C124 {floor} 114 {top + 40} 130 {top}z",
    )[shape]
    s.body(outline)
    s.ellipse(200, top, (78, 76, 70)[shape], 12, s.paint(shade(s.look.colour, -0.06), "soft"))
    s.ellipse(200, top + 2, (68, 66, 60)[shape], 9, "#3d2f26")
    if shape == 0:
        s.body(
            f"M116 {top}Q200 {top + 24} 284 {top}V{top + 20}Q200 {top + 42} 116 {top + 20}z", shade(s.look.colour, 0.02)
        )
        s.dark(f"M120 {top + 21}Q200 {top + 42} 280 {top + 21}L279 {top + 29}Q200 {top + 50} 121 {top + 29}z", 0.14)
    s.light(f"M{148} {top + 36}Q146 {top + 70} 156 {floor - 14}L146 {floor - 16}Q138 {top + 70} 138 {top + 34}z", 0.2)


def leaf(s: Studio, x: float, y: float, length: float, wide: float, angle: float, green: str, rib: bool = True) -> None:
    """One leaf from its foot at x, y; angle 0 points up, positive to the right."""
    place = f"translate({x} {y}) rotate({angle}) scale({wide / 100} {length / 100})"
    s.stamp("M0 0C-100 -30 -80 -80 0 -100C80 -80 100 -30 0 0z", s.paint(green, "matte"), place)
    if rib:
        s.stamp("M-3 0L0 -88L3 0z", shade(green, 0.1), place)


def monstera(s: Studio, green: str, top: float) -> None:
    fan = (
        (-74, 132, -0.08),
        (72, 136, -0.1),
        (-44, 190, -0.03),
        (46, 184, -0.05),
        (-8, 224, 0.03),
        (-98, 92, 0.02),
        (96, 96, -0.02),
    )
    for angle, length, by in fan[: 6 + s.look.detail % 2]:
        turn = math.radians(angle)
        x, y = 200 + math.sin(turn) * length * 0.52, top - math.cos(turn) * length * 0.52
        s.line(f"M200 {top}Q{200 + (x - 200) * 0.3} {y} {x} {y}", shade(green, -0.1), 4)
        _split(s, x, y, 62 + length * 0.14, angle * 0.9, shade(green, by))


def _split(s: Studio, x: float, y: float, size: float, angle: float, green: str) -> None:
    """A broad heart with cuts at the rim."""
    place = f"translate({x} {y}) rotate({angle}) scale({size / 100})"
    s.stamp(
        "M0 6C-26 14 -58 -2 -60 -38L-34 -42L-60 -54C-58 -70 -52 -82 -44 -90L-24 -72L-36 -98C-24 -112 -10 -120 0 -128"
        "C10 -120 24 -112 36 -98L24 -72L44 -90C52 -82 58 -70 60 -54L34 -42L60 -38C58 -2 26 14 0 6z",
        s.paint(green, "matte"),
        place,
    )
    s.stamp("M-2 4L0 -112L2 4L40 -26L2 -26L36 -76L1 -60L-36 -76L-1 -28L-40 -26L-1 -24z", shade(green, 0.07), place)


def swords(s: Studio, green: str, top: float) -> None:
    edge = mix(green, "#e3d98a", 0.6)
    blades = ((-26, 170, 15), (24, 178, 15), (-13, 226, 17), (12, 214, 17), (0, 256, 18), (-36, 120, 13), (35, 126, 13))
    for angle, length, wide in blades:
        foot = 200 + angle * 0.9
        with s.group(f'transform="translate({foot} {top + 4}) rotate({angle * 0.62})"'):
            s.path(
                f"M{-wide * 0.6} 0Q{-wide * 1.3} {-length * 0.5} 0 {-length}Q{wide * 1.3} {-length * 0.5}"
                f" {wide * 0.6} 0z",
                edge,
            )
            s.path(
                f"M{-wide * 0.4} 0Q{-wide * 0.9} {-length * 0.5} 0 {-length + 9}Q{wide * 0.9} {-length * 0.5}"
                f" {wide * 0.4} 0z",
                s.paint(green, "matte"),
            )
            s.line(
                f"M{-wide * 0.5} {-length * 0.3}l{wide * 0.9} -7M{-wide * 0.5} {-length * 0.5}l{wide * 0.9} -7"
                f"M{-wide * 0.3} {-length * 0.7}l{wide * 0.6} -6",
                shade(green, 0.12),
                2.4,
                'opacity=".6"',
            )


def cactus(s: Studio, green: str, top: float) -> None:
    column = f"M166 {top + 6}V150C166 106 234 106 234 150V{top + 6}z"
    if s.look.detail % 2:
        s.line("M176 276H136Q118 276 118 256V214", s.paint(green, "matte"), 32)
        s.line("M226 240H262Q282 240 282 220V184", shade(green, -0.09), 30)
        s.line("M118 254V216M282 220V186", shade(green, -0.16), 2, 'stroke-dasharray="1 9"')
    else:
        s.ellipse(142, top - 30, 34, 44, s.paint(green, "matte"))
        s.ellipse(260, top - 24, 28, 36, s.paint(shade(green, -0.03), "matte"))
    s.body(column, green, "matte", pattern="")
    s.line(f"M184 {top}V132M200 {top}V122M217 {top}V134", shade(green, -0.12), 3, 'opacity=".7"')
    s.line(
        f"M176 {top}V140M192 {top}V126M209 {top}V126M226 {top}V146",
        mix(green, "#f6f0d8", 0.75),
        2.4,
        'stroke-dasharray=".1 13"',
    )
    if s.look.detail % 3 == 0:
        for x, by in ((186, 0), (200, 0.05), (214, -0.05)):
            s.circle(x, 116 + abs(x - 200) * 0.4, 9, shade("#d9768a", by))


def tree(s: Studio, green: str, top: float) -> None:
    s.line(f"M200 {top + 4}C206 300 192 270 200 170", s.paint("#6e5a43", "wood"), 9)
    if s.look.detail % 2:
        s.line(f"M200 {top - 60}Q214 240 236 200", "#6e5a43", 6)
    leaves = (
        (-62, 262, 0),
        (58, 268, -0.06),
        (-74, 226, 0.02),
        (70, 224, -0.07),
        (-50, 196, -0.02),
        (56, 186, 0),
        (-66, 160, 0.04),
        (44, 150, -0.03),
        (-24, 150, 0.05),
        (6, 146, 0.02),
    )
    for angle, y, by in leaves:
        leaf(s, 200, y, 84 + (y % 5) * 3, 27, angle, shade(green, by))


def _stems(s: Studio, green: str, top: float) -> None:
    for angle, length in ((-58, 74), (54, 78), (-30, 96), (28, 92), (0, 104), (-84, 66), (82, 66)):
        leaf(s, 200 + angle * 0.36, top + 4, length, 26, angle, shade(green, -0.05), rib=angle % 4 == 0)


def trailing(s: Studio, green: str, top: float) -> None:
    """Leaves that hang over the rim, drawn after the pot."""
    vines = ((142, -1, 176), (166, -0.4, 96), (236, 0.5, 128), (262, 1.1, 204), (204, 0.2, 70))
    for number, (x, lean, length) in enumerate(vines[: 3 + s.look.detail % 2]):
        s.line(f"M{x} {top + 2}q{lean * 20} {length * 0.5} {lean * 12} {length}", shade(green, -0.1), 2.6)
        steps = round(length / 50)
        for step in range(1, steps + 1):
            part = step / steps
            side = 1 if step % 2 else -1
            leaf(
                s,
                x + lean * 16 * part,
                top + length * part,
                44,
                22,
                180 + side * 44,
                shade(green, 0.02 if number % 2 else -0.03),
                rib=False,
            )
    leaf(s, 186, top + 6, 46, 21, -158, shade(green, 0.02))
    leaf(s, 218, top + 6, 46, 21, 152, shade(green, 0.02))
