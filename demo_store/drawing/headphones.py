"""Headphones: over the ear, on it, studio, and buds with their case."""

from __future__ import annotations

from .colour import mix, shade
from .studio import Studio


def draw(s: Studio) -> None:
    """``trim`` is the metal of yokes and rings."""
    s.frame(1.0, 14)
    {"over-ear": over_ear, "on-ear": on_ear, "studio": studio, "buds": buds}[s.look.silhouette](s)


def _band(s: Studio, d: str, wide: float) -> None:
    s.line(d, shade(s.look.colour, -0.12), wide)
    s.line(d, shade(s.look.colour, 0.02), wide * 0.6, 'transform="translate(-2 -3)"')


def over_ear(s: Studio) -> None:
    s.stands(200, 122, 420)
    _band(s, "M104 290C80 60 320 60 296 290", 26)
    s.line("M118 196C140 112 260 112 282 196", mix(s.look.colour, "#111111", 0.35), 12)
    for side in (-1, 1):
        x = 200 + side * 98
        s.line(f"M{x - side * 4} 232L{x + side * 2} 300", s.paint(s.look.trim, "metal", "y"), 11)
        s.rect(x - 24 - side * 18, 262, 48, 132, 24, s.paint(mix(s.look.colour, "#15161a", 0.55), "soft"))
        s.rect(x - 32 + side * 6, 254, 64, 150, 32, s.paint(s.look.colour))
        if s.look.pattern:
            s.rect(x - 32 + side * 6, 254, 64, 150, 32, s.weave(s.look.pattern, s.look.colour))
        s.rect(
            x - 18 + side * 8,
            284,
            38,
            90,
            19,
            s.paint(shade(s.look.colour, -0.05), "soft", "xy"),
            f'stroke="{s.look.trim}" stroke-width="2.4"',
        )
    s.light("M78 290Q80 268 94 262L90 396Q78 386 78 366z", 0.22)


def on_ear(s: Studio) -> None:
    s.stands(200, 112, 408)
    s.line("M108 296C92 82 308 82 292 296", s.paint(s.look.trim, "metal"), 11)
    s.line("M140 150C170 118 230 118 260 150", shade(s.look.colour, -0.04), 21)
    for side in (-1, 1):
        x = 200 + side * 96
        s.circle(x - side * 13, 330, 58, s.paint(mix(s.look.colour, "#15161a", 0.6), "soft"))
        s.circle(x, 330, 60, s.ball(s.look.colour))
        s.circle(x, 330, 38, s.ball(shade(s.look.colour, -0.05)), f'stroke="{s.look.trim}" stroke-width="3"')
        s.circle(x, 330, 7, s.ball(s.look.trim, "metal"))


def studio(s: Studio) -> None:
    s.stands(200, 132, 424)
    _band(s, "M96 290C70 44 330 44 304 290", 34)
    s.seam("M112 208C136 88 264 88 288 208")
    for side in (-1, 1):
        x = 200 + side * 104
        s.line(f"M{x - 20} 276V230M{x + 20} 276V230", s.look.trim, 6)
        s.ellipse(x - side * 20, 338, 40, 82, s.paint(mix(s.look.colour, "#15161a", 0.5), "soft"))
        s.ellipse(x, 338, 48, 86, s.paint(s.look.colour))
        s.ellipse(x + side * 2, 338, 33, 64, s.paint(s.look.trim, "wood", "xy"))
        s.ellipse(x + side * 2, 338, 33, 64, s.weave("grain" if s.look.detail % 2 else "mesh", s.look.trim))
    s.light("M62 330Q64 282 82 268Q72 300 74 380Q64 366 62 330z", 0.25)


def buds(s: Studio) -> None:
    s.frame(1.04, 26)
    s.stands(206, 118, 330)
    s.body("M104 214Q104 150 168 150H244Q308 150 308 214V252H104z", shade(s.look.colour, 0.015))
    s.body("M104 256H308V286Q308 336 250 336H162Q104 336 104 286z", shade(s.look.colour, -0.01))
    s.rect(104, 250, 204, 7, 0, s.paint(s.look.trim, "metal"))
    s.circle(206, 290, 4.5, "#7fc08a")
    s.light("M118 214Q118 166 166 162H190Q138 174 134 246H118z", 0.26)
    for x, y, turn in ((150, 402, -64), (272, 398, 38)):
        s.stands(x + 6, 44, y + 30)
        with s.group(f'transform="translate({x} {y}) rotate({turn})"'):
            s.rect(-9, -6, 18, 66, 9, s.paint(shade(s.look.colour, 0.02), "gloss"))
            s.circle(0, 56, 4, s.look.trim)
            s.ellipse(
                -22, -14, 13, 18, s.paint(mix(s.look.colour, "#15161a", 0.62), "soft"), 'transform="rotate(20 -22 -14)"'
            )
            s.ellipse(0, -12, 28, 30, s.ball(s.look.colour, "gloss"))
