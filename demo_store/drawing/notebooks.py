"""Notebooks, lying a little askew."""

from __future__ import annotations

from .colour import mix, shade
from .studio import Studio


def draw(s: Studio) -> None:
    """``trim`` is the elastic, spine or band."""
    s.frame(1.1, -2)
    tilt = (-5, 4, -3, 6, -7)[s.look.detail % 5]
    with s.group(f'transform="rotate({tilt} 200 250)"'):
        {"hardcover": hardcover, "spiral": spiral, "stack": stack, "wrap": wrap}[s.look.silhouette](s)


def cover(s: Studio, x: float, y: float, wide: float, high: float, colour: str, corner: float = 10) -> None:
    outline = (
        f"M{x} {y}h{wide - corner}q{corner} 0 {corner} {corner}v{high - 2 * corner}q0 {corner} {-corner}"
        f" {corner}h{-(wide - corner)}z"
    )
    s.path(f"M{x + 4} {y + 5}h{wide}v{high}h{-wide}z", "#f2ecdd")
    s.path(f"M{x + wide} {y + 12}v{high - 10}M{x + wide + 2} {y + 12}v{high - 10}", "none", 'stroke="#cfc6b2"')
    s.body(outline, colour, axis="xy")
    s.light(
        f"M{x} {y}h{wide - corner}q{corner} 0 {corner} {corner}v3q0 {-corner} {-corner} {-corner}h{-(wide - corner)}z",
        0.4,
    )


def _plate(s: Studio, y: float, colour: str) -> None:
    """What is on the cover: a label, a debossed mark, lines or nothing."""
    kind = s.look.detail % 4
    if kind == 0:
        s.rect(150, y, 110, 62, 3, s.paint("#f2ecdd", "soft", "xy"))
        s.line(f"M164 {y + 24}H246M164 {y + 40}H226", mix(colour, "#222222", 0.3), 2, 'opacity=".6"')
    elif kind == 1:
        s.circle(204, y + 34, 24, "none", f'stroke="{shade(colour, -0.1)}" stroke-width="3"')
        s.line(f"M186 {y + 40}Q204 {y + 26} 222 {y + 40}", shade(colour, -0.1), 3)
    elif kind == 2:
        s.line(f"M150 {y + 10}H258", s.look.trim, 5)
        s.line(f"M150 {y + 26}H218", s.look.trim, 5)


def hardcover(s: Studio) -> None:
    s.lies("M92 86H312V414H92z")
    cover(s, 92, 86, 216, 328, s.look.colour)
    s.dark("M92 86H112V414H92z", 0.13)
    _plate(s, 150, s.look.colour)
    if s.look.detail % 3 != 1:
        s.rect(272, 84, 11, 332, 0, s.paint(s.look.trim, "soft"))
    s.path("M150 414h14v34l-7 -8l-7 8z", s.paint(s.look.trim, "soft"))


def spiral(s: Studio) -> None:
    s.lies("M98 92H308V412H98z")
    cover(s, 98, 92, 208, 320, s.look.colour, 14)
    _plate(s, 160, s.look.colour)
    for y in range(108, 406, 20):
        s.circle(112, y, 4.5, shade(s.look.colour, -0.3), 'opacity=".8"')
        s.line(f"M112 {y}C92 {y - 12} 80 {y - 2} 88 {y + 3}", "#8d9296", 3.4)


def stack(s: Studio) -> None:
    s.lies("M92 96H310V420H92z", 15)
    second = mix(s.look.colour, "#f2ecdd", 0.6)
    third = mix(s.look.colour, s.look.trim, 0.65)
    with s.group('transform="rotate(5 200 250)"'):
        cover(s, 100, 98, 206, 312, third, 6)
    with s.group('transform="rotate(-3 200 250)"'):
        cover(s, 96, 94, 206, 312, second, 6)
    cover(s, 96, 92, 206, 312, s.look.colour, 6)
    s.line("M104 100V396", shade(s.look.colour, -0.12), 2)
    s.rect(94, 262, 214, 74, 0, s.paint("#f2ecdd", "soft"))
    s.line("M118 288H220M118 306H184", mix(s.look.colour, "#222222", 0.35), 3)
    s.circle(272, 299, 15, s.look.trim)


def wrap(s: Studio) -> None:
    s.lies("M90 92H316V410H90z")
    s.path("M112 100H306V404H112z", "#f2ecdd")
    s.path("M300 104v296M296 104v296", "none", 'stroke="#cfc6b2"')
    s.body("M90 98Q90 88 100 88H290Q302 88 302 100V400Q302 412 290 412H100Q90 412 90 402z", finish="leather", axis="xy")
    s.body("M186 88H290Q302 88 302 100V400Q302 412 290 412H186Q214 250 186 88z", shade(s.look.colour, 0.03), "leather")
    s.seam("M192 96H288Q294 96 294 104V396Q294 404 288 404H192")
    s.line("M86 246Q196 236 306 248M86 258Q196 270 306 256", s.look.trim, 5)
    s.circle(236, 250, 12, s.ball("#c2a15a", "metal"))
    s.light("M98 104Q98 96 108 96H150Q118 110 116 180L98 190z", 0.16)
