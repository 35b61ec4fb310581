"""Lamps, all of them on: mushroom, dome, task, globe, tripod."""

from __future__ import annotations

from .colour import shade
from .studio import Studio

WARM = "#ffe2a8"


def draw(s: Studio) -> None:
    """``trim`` is the stem and foot."""
    s.frame(1.0, 10)
    {"mushroom": mushroom, "pendant": pendant, "task": task, "globe": globe, "tripod": tripod}[s.look.silhouette](s)


def halo(s: Studio, x: float, y: float, size: float, opacity: float = 0.75) -> None:
    s.ellipse(x, y, size, size, s.glow(WARM, opacity))


def mushroom(s: Studio) -> None:
    wide = (108, 122, 96)[s.look.detail % 3]
    s.stands(200, 84)
    halo(s, 200, 300, 190)
    s.body(
        "M170 270H230C228 340 236 380 262 410Q262 424 246 424H154Q138 424 138 410C164 380 172 340 170 270z",
        s.look.trim,
        pattern="",
    )
    s.ellipse(200, 274, wide * 0.86, 18, s.paint(WARM, "soft"))
    cap = (
        f"M{200 - wide} 268C{200 - wide} 176 {200 - wide * 0.5} 132 200 132S{200 + wide} 176 {200 + wide}"
        f" 268Q200 296 {200 - wide} 268z"
    )
    s.body(cap)
    s.path(f"M{200 - wide + 6} 266Q200 292 {200 + wide - 6} 266Q200 272 {200 - wide + 6} 266z", WARM, 'opacity=".75"')
    s.light(
        f"M{200 - wide * 0.72} 232C{200 - wide * 0.66} 186 {200 - wide * 0.4} 160 {200 - wide * 0.16} 152"
        f"C{200 - wide * 0.46} 176 {200 - wide * 0.54} 204 {200 - wide * 0.58} 240z",
        0.3,
    )


def pendant(s: Studio) -> None:
    s.line("M200 0V150", shade(s.look.trim, -0.1), 4)
    shape = s.look.detail % 3
    outline = (
        "M178 150H222C300 170 320 230 324 290H76C80 230 100 170 178 150z",
        "M182 150H218L306 300Q200 314 94 300z",
        "M170 150H230Q286 166 286 230V306Q200 318 114 306V230Q114 166 170 150z",
    )[shape]
    bottom = (290, 302, 308)[shape]
    halo(s, 200, bottom + 40, 210, 0.85)
    s.path(f"M100 {bottom}L20 500H380L300 {bottom}z", s.fade(WARM, 0.55, 0))
    s.rect(184, 128, 32, 28, 6, s.paint(s.look.trim, "metal"))
    s.body(outline)
    s.ellipse(200, bottom, (124, 104, 86)[shape], 11, s.paint(WARM, "soft"))
    s.circle(200, bottom + 4, 13, "#fff8e6")
    s.light("M172 166C120 190 106 232 102 276L124 276C128 234 140 196 184 164z", 0.26)


def task(s: Studio) -> None:
    s.stands(166, 80)
    halo(s, 292, 280, 150, 0.9)
    metal = s.paint(s.look.trim, "metal")
    s.ellipse(160, 414, 72, 13, s.paint(shade(s.look.colour, -0.05)))
    s.body("M88 410Q88 400 110 398H210Q232 400 232 410Q232 416 160 416T88 410z", pattern="")
    s.line("M160 402L112 246", s.look.trim, 8)
    s.line("M168 402L120 246", shade(s.look.trim, -0.2), 3)
    s.line("M114 244L242 140", s.look.trim, 8)
    s.circle(115, 245, 13, metal)
    s.circle(160, 402, 12, metal)
    with s.group('transform="rotate(-34 250 150)"'):
        s.path("M208 214L160 330H340L292 214z", s.fade(WARM, 0.6, 0))
        s.body("M226 128H274Q284 128 286 140L308 216H192L214 140Q216 128 226 128z")
        s.ellipse(250, 216, 58, 10, s.paint(WARM, "soft"))
        s.light("M224 140L206 208H222L236 140z", 0.3)
        s.rect(230, 108, 40, 24, 8, metal)


def globe(s: Studio) -> None:
    size = (88, 100, 78)[s.look.detail % 3]
    middle = 404 - 54 - size
    s.stands(200, 76)
    halo(s, 200, middle, size * 2.1, 0.95)
    s.body(f"M138 424Q134 408 150 396L178 {middle + size - 14}H222L250 396Q266 408 262 424z", pattern="")
    s.rect(166, middle + size - 22, 68, 24, 8, s.paint(s.look.trim, "metal"))
    s.circle(
        200,
        middle,
        size,
        s._define(
            '<radialGradient cx=".45" cy=".5" r=".56"><stop stop-color="#fffdf5"/><stop offset=".6"'
            ' stop-color="#fff1cf"/>'
            f'<stop offset="1" stop-color="{shade(WARM, -0.1)}"/></radialGradient>'
        ),
    )
    s.ellipse(
        200 - size * 0.36,
        middle - size * 0.42,
        size * 0.24,
        size * 0.15,
        "#fff",
        f'opacity=".85" transform="rotate(-38 {200 - size * 0.36} {middle - size * 0.42})"',
    )


def tripod(s: Studio) -> None:
    s.stands(200, 96, 446)
    halo(s, 200, 170, 190)
    for d, by in (("M204 220L206 446", -0.12), ("M192 220L118 446", 0.04), ("M210 220L290 446", -0.05)):
        s.line(d, shade(s.look.trim, by), 9)
    s.circle(201, 318, 8, s.paint("#c2a15a", "metal"))
    top, foot = ((70, 104), (92, 92), (54, 100))[s.look.detail % 3]
    shade_ = f"M{200 - top} 74H{200 + top}L{200 + foot} 226Q200 240 {200 - foot} 226z"
    s.body(shade_)
    s.path(
        shade_,
        s._define(
            f'<radialGradient cx=".48" cy=".62" r=".6"><stop stop-color="{WARM}" stop-opacity=".85"/><stop'
            f' offset="1" stop-color="{WARM}" stop-opacity="0"/></radialGradient>'
        ),
    )
    s.path(f"M{200 - top} 74H{200 + top}Q200 64 {200 - top} 74z", "#fff4d4")
