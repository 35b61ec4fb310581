"""Chairs and stools, seen from the front, a little from above."""

from __future__ import annotations

from .colour import shade
from .studio import Studio


def draw(s: Studio) -> None:
    """``trim`` is the wood or metal of the legs."""
    s.frame(1.1, 2)
    {"shell": shell, "spindle": spindle, "lounge": lounge, "stool": stool, "slat": slat}[s.look.silhouette](s)


def legs(s: Studio, top: float, spread: tuple[float, float], wide: float = 11, back: float = 0.62) -> None:
    """Four legs: two behind, darker and shorter, and two in front."""
    near, far = spread
    floor = 438
    for side in (-1, 1):
        s.line(
            f"M{200 + side * near * back} {top}L{200 + side * far * back} {floor - 26}",
            shade(s.look.trim, -0.15),
            wide * 0.85,
        )
    for side in (-1, 1):
        s.line(
            f"M{200 + side * near} {top}L{200 + side * far} {floor}",
            shade(s.look.trim, -0.02 if side < 0 else -0.07),
            wide,
        )


def shell(s: Studio) -> None:
    s.stands(200, 116, 440)
    legs(s, 318, (66, 104))
    s.line("M126 372H274", shade(s.look.trim, -0.1), 6)
    s.body("M100 246C96 140 128 96 200 96S304 140 300 246Q296 300 264 320H136Q104 300 100 246z")
    s.dark("M122 250Q200 222 278 250Q286 300 262 316H138Q114 300 122 250z", 0.12)
    seat = "M112 288Q200 252 288 288Q304 322 276 336Q200 350 124 336Q96 322 112 288z"
    s.body(seat, shade(s.look.colour, 0.035), axis="y")
    if s.look.detail % 2:
        s.ellipse(200, 306, 72, 16, s.paint(shade(s.look.trim, 0.06), "soft", "y"))
    s.light("M116 236C116 160 138 118 184 110C150 130 138 170 134 232z", 0.24)


def spindle(s: Studio) -> None:
    s.stands(200, 112, 440)
    wood = s.look.colour
    legs_ = s.look
    for x in range(-3, 4):
        s.line(f"M{200 + x * 21} 118L{200 + x * 23} 304", shade(wood, -0.03 - 0.012 * (x + 3)), 6.5)
    s.line("M118 306L106 116M282 306L294 116", shade(wood, -0.04), 10)
    high = s.look.detail % 2
    s.body(
        ("M96 96Q200 74 304 96L302 130Q200 110 98 130z", "M92 110C110 74 290 74 308 110L300 134Q200 98 100 134z")[high],
        axis="y",
    )
    for side in (-1, 1):
        s.line(f"M{200 + side * 60} 322L{200 + side * 70} 412", shade(wood, -0.16), 9)
    for side in (-1, 1):
        s.line(f"M{200 + side * 86} 322L{200 + side * 108} 438", shade(wood, -0.03 if side < 0 else -0.09), 12)
    s.line("M104 386H296", shade(wood, -0.08), 7)
    seat = "M104 296Q200 282 296 296Q312 314 306 330Q200 346 94 330Q88 314 104 296z"
    s.body(seat, shade(wood, 0.04), axis="y")
    s.dark("M94 330Q200 346 306 330L304 340Q200 356 96 340z", 0.26)
    if legs_.detail % 3 == 0:
        s.path(
            "M116 298Q200 286 284 298Q296 312 290 322Q200 334 110 322Q104 312 116 298z",
            s.paint(s.look.trim, "soft", "y"),
        )


def lounge(s: Studio) -> None:
    s.stands(200, 142, 440)
    for side in (-1, 1):
        s.line(f"M{200 + side * 122} 372L{200 + side * 138} 438", shade(s.look.trim, -0.04 if side < 0 else -0.1), 12)
    s.body("M88 256C88 142 122 112 200 112S312 142 312 256V350H88z")
    if s.look.detail % 2:
        s.line("M162 120V290M238 120V290", shade(s.look.colour, -0.13), 3)
    else:
        for x, y in ((164, 176), (236, 176), (200, 212), (164, 246), (236, 246)):
            s.circle(x, y, 4.5, shade(s.look.colour, -0.16))
    s.dark("M104 268Q200 246 296 268V306H104z", 0.13)
    s.body("M98 296Q200 272 302 296Q310 330 300 352H100Q90 330 98 296z", shade(s.look.colour, 0.03), axis="y")
    for side in (-1, 1):
        arm = (
            f"M{200 + side * 96} 262Q{200 + side * 100} 238 {200 + side * 126} 238Q{200 + side * 150} 240"
            f" {200 + side * 150} 266L{200 + side * 146} 380H{200 + side * 96}z"
        )
        s.body(arm, shade(s.look.colour, 0.015 if side < 0 else -0.035))
    s.body("M98 352H302V382Q200 392 98 382z", shade(s.look.colour, -0.06))
    s.light("M104 246C106 168 128 134 176 126C140 146 130 180 126 240z", 0.18)


def stool(s: Studio) -> None:
    s.frame(1.2, 24)
    s.stands(200, 92, 440)
    high = (212, 258)[s.look.detail % 2]
    legs(s, high + 20, (58, 92), 12)
    ring = high + (438 - high) * 0.62
    s.ellipse(200, ring, 77, 12, "none", f'stroke="{shade(s.look.trim, -0.1)}" stroke-width="6"')
    s.dark(f"M110 {high + 14}Q200 {high + 52} 290 {high + 14}V{high + 26}Q200 {high + 64} 110 {high + 26}z", 0.14)
    s.body(
        f"M104 {high}V{high + 18}Q104 {high + 46} 200 {high + 46}T296 {high + 18}V{high}z", shade(s.look.colour, -0.05)
    )
    s.ellipse(200, high, 96, 30, s.paint(shade(s.look.colour, 0.04), "soft", "xy"))
    if s.look.pattern:
        s.ellipse(200, high, 96, 30, s.weave(s.look.pattern, s.look.colour))
    s.ellipse(176, high - 6, 48, 11, "#fff", 'opacity=".16"')


def slat(s: Studio) -> None:
    s.stands(200, 118, 440)
    wood = s.look.trim
    s.line("M112 330L96 104M288 330L304 104", shade(wood, -0.05), 12)
    for row in range(4 if s.look.detail % 2 else 3):
        y = 116 + row * (40 if s.look.detail % 2 else 52)
        s.body(
            f"M{97 + row * 2} {y}Q200 {y - 14} {303 - row * 2} {y}V{y + 24}Q200 {y + 10} {97 + row * 2} {y + 24}z",
            shade(s.look.colour, -0.012 * row),
            axis="y",
        )
    for side in (-1, 1):
        s.line(f"M{200 + side * 64} 330L{200 + side * 72} 412", shade(wood, -0.16), 9)
        s.line(f"M{200 + side * 98} 330L{200 + side * 112} 438", shade(wood, -0.03 if side < 0 else -0.09), 12)
    s.body("M96 300Q200 288 304 300Q316 322 306 340Q200 352 94 340Q84 322 96 300z", axis="y")
    s.dark("M94 340Q200 352 306 340L304 351Q200 364 96 351z", 0.26)
    s.seam("M106 308Q200 297 294 308")
