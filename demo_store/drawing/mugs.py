"""Mugs and cups."""

from __future__ import annotations

from .colour import shade
from .studio import Studio

COFFEE = "#4a3021"


def draw(s: Studio) -> None:
    """``trim`` is the bare clay or the rim."""
    s.frame(1.08, 48)
    {"straight": straight, "round": round_, "camp": camp, "espresso": espresso, "tumbler": tumbler}[s.look.silhouette](
        s
    )


def rim(s: Studio, y: float, wide: float, high: float, full: bool, colour: str = "") -> None:
    colour = colour or s.look.colour
    s.ellipse(190, y, wide, high, s.paint(shade(colour, 0.07), "soft"))
    s.ellipse(190, y + 1, wide - 6, high - 4, s.paint(shade(colour, -0.16), "soft"))
    if full:
        s.ellipse(190, y + 7, wide - 15, high - 8, s.paint(COFFEE, "soft"))


def handle(s: Studio, d: str, wide: float = 18, colour: str = "") -> None:
    colour = colour or s.look.colour
    s.line(d, shade(colour, -0.13), wide)
    s.line(d, shade(colour, -0.02), wide * 0.55, 'transform="translate(-2 -2)"')


def straight(s: Studio) -> None:
    s.stands(196, 108)
    handle(
        s,
        ("M284 248C344 240 350 366 282 372", "M284 254H322Q338 254 338 272V340Q338 360 318 360H284")[s.look.detail % 2],
    )
    s.body("M92 216H288V392Q288 424 256 424H124Q92 424 92 392z")
    if s.look.detail % 3 == 1:
        s.body("M92 366H288V392Q288 424 256 424H124Q92 424 92 392z", s.look.trim, "matte", pattern="speckle")
        s.line("M92 366Q140 371 190 367T288 366", shade(s.look.colour, -0.05), 2)
    rim(s, 216, 98, 24, s.look.detail % 2 == 0)
    s.light("M112 252Q110 330 114 398L128 404Q122 330 126 254z", 0.34)


def round_(s: Studio) -> None:
    s.stands(196, 96)
    handle(s, "M296 268C352 262 346 372 272 372")
    s.body("M90 226C78 330 108 424 160 424H220C272 424 302 330 290 226z")
    if s.look.detail % 3 != 2:
        s.body(
            "M104 346C118 396 136 424 160 424H220C244 424 262 396 276 346Q190 372 104 346z",
            s.look.trim,
            "matte",
            pattern="speckle",
        )
    rim(s, 226, 100, 24, True)
    s.light("M108 262C108 318 120 366 142 400L154 398C134 356 124 312 124 264z", 0.34)


def camp(s: Studio) -> None:
    s.stands(196, 104)
    handle(s, "M276 262C338 252 336 356 270 366", 15)
    s.body("M98 236H282L274 402Q272 424 250 424H130Q108 424 106 402z", finish="gloss")
    rim(s, 236, 93, 21, s.look.detail % 2 == 1)
    s.ellipse(190, 236, 93, 21, "none", f'stroke="{s.look.trim}" stroke-width="6"')
    if s.look.detail % 3 == 0:
        s.line("M150 356L176 312L196 340L212 318L236 356z", shade(s.look.trim, 0.02), 4)
    elif s.look.detail % 3 == 1:
        s.circle(190, 332, 26, "none", f'stroke="{s.look.trim}" stroke-width="4"')
        s.line("M170 340Q190 326 210 340", s.look.trim, 4)


def espresso(s: Studio) -> None:
    s.stands(196, 132, 420)
    s.ellipse(190, 412, 128, 22, s.paint(shade(s.look.trim, -0.03), "ceramic"))
    s.ellipse(190, 405, 126, 20, s.paint(s.look.trim, "ceramic"))
    s.ellipse(190, 406, 60, 9, "#10131a", 'opacity=".2"')
    handle(s, "M258 320C302 314 300 372 248 374", 13)
    s.body("M116 300C116 370 136 406 164 408H216C244 406 264 370 264 300z")
    s.ellipse(190, 300, 74, 17, s.paint(shade(s.look.colour, 0.07), "soft"))
    s.ellipse(190, 302, 68, 13, s.paint(COFFEE, "soft"))
    s.ellipse(184, 303, 42, 7, s.paint("#a9713f", "soft"), 'opacity=".75"')
    s.light("M132 326C134 360 142 382 154 396L164 394C150 374 144 350 144 326z", 0.34)
    s.line("M170 262Q160 244 172 228T170 194M206 262Q196 244 208 228T206 194", "#fff", 5, 'opacity=".45"')


def tumbler(s: Studio) -> None:
    s.stands(190, 88)
    tall = 204 - 22 * (s.look.detail % 2)
    s.body(f"M104 {tall}H276L256 404Q254 424 234 424H146Q126 424 124 404z")
    if s.look.detail % 3 != 0:
        s.body(
            "M116 330Q190 350 264 330L256 404Q254 424 234 424H146Q126 424 124 404z",
            s.look.trim,
            "matte",
            pattern="speckle",
        )
    for y in (tall + 60, tall + 84) if s.look.detail % 3 == 0 else ():
        s.line(f"M110 {y}Q190 {y + 20} 270 {y}", shade(s.look.trim, -0.05), 5)
    rim(s, tall, 87, 21, s.look.detail % 2 == 0)
    s.light(f"M124 {tall + 34}Q128 330 140 404L152 406Q140 330 138 {tall + 36}z", 0.34)
