"""Kettles, tea and coffee pots."""

from __future__ import annotations

from .colour import shade
from .studio import Studio


def draw(s: Studio) -> None:
    """``trim`` is the handle and knob."""
    s.frame(1.0, 34)
    {"gooseneck": gooseneck, "teapot": teapot, "moka": moka, "press": press}[s.look.silhouette](s)


def gooseneck(s: Studio) -> None:
    s.stands(190, 112)
    s.line("M128 384C56 392 92 262 44 232", shade(s.look.colour, -0.06), 17)
    s.line("M126 380C62 386 96 262 46 230", shade(s.look.colour, 0.1), 5)
    s.line("M262 262C340 240 352 330 316 384", s.paint(s.look.trim, "wood"), 19)
    s.line("M250 258L284 252", shade(s.look.colour, -0.12), 10)
    s.body("M128 246H256L290 404Q292 424 272 424H112Q92 424 94 404z")
    s.ellipse(192, 246, 64, 13, s.paint(shade(s.look.colour, 0.05), "metal"))
    s.ellipse(192, 242, 50, 9, s.paint(shade(s.look.colour, -0.06), "metal"))
    s.rect(184, 216, 16, 22, 4, s.paint("#b4b9bd", "metal"))
    s.circle(192, 208, 16, s.ball(s.look.trim, "matte"))
    s.light("M138 266H156L130 404H108z", 0.22)


def teapot(s: Studio) -> None:
    s.stands(196, 118)
    arch = s.look.detail % 2
    if arch:
        s.line("M128 262C110 120 290 120 268 262", s.paint(s.look.trim, "wood", "y"), 13)
    else:
        s.line("M280 290C366 262 372 392 282 382", shade(s.look.colour, -0.1), 18)
        s.line("M280 288C362 262 368 388 282 380", shade(s.look.colour, 0.02), 8)
    s.body("M116 300C80 300 82 250 48 236L34 250C60 284 56 360 126 376z", shade(s.look.colour, -0.02))
    s.body("M96 330C96 262 140 238 198 238S300 262 300 330C300 392 260 424 238 424H158C136 424 96 392 96 330z")
    s.ellipse(198, 250, 58, 13, s.paint(shade(s.look.colour, -0.12), "soft"))
    s.body("M142 248C146 224 170 218 198 218S250 224 254 248Q198 262 142 248z", shade(s.look.colour, 0.03))
    s.circle(198, 206, 14, s.ball(s.look.trim if arch else s.look.colour, "ceramic"))
    s.ellipse(142, 302, 15, 36, "#fff", 'opacity=".34" transform="rotate(16 142 302)"')


def moka(s: Studio) -> None:
    s.stands(194, 92)
    s.line("M250 192C342 178 330 250 316 300", s.paint(s.look.trim, "matte"), 19)
    s.path("M132 182L86 172L120 236z", s.paint(s.look.colour, "metal"))
    s.body("M122 176H258L242 300H144z", finish="metal")
    s.path(
        "M150 176L164 300M190 176V300M230 176L222 300",
        "none",
        f'stroke="{shade(s.look.colour, -0.16)}" stroke-width="2.4" opacity=".7"',
    )
    s.rect(134, 296, 118, 20, 4, s.paint(shade(s.look.colour, -0.1), "metal"))
    s.body("M140 316H246L270 408Q272 424 256 424H130Q114 424 116 408z", finish="metal")
    s.path(
        "M160 316L150 424M194 316V424M228 316L238 424",
        "none",
        f'stroke="{shade(s.look.colour, -0.16)}" stroke-width="2.4" opacity=".7"',
    )
    s.circle(166, 352, 7, s.ball("#b4b9bd", "metal"))
    s.path("M120 176L190 142L260 176z", s.paint(shade(s.look.colour, 0.03), "metal"))
    s.rect(181, 116, 18, 30, 6, s.paint(s.look.trim, "matte"))
    s.light("M134 182H150L154 296H148z", 0.26)


def press(s: Studio) -> None:
    s.stands(190, 92)
    s.line("M190 100V214", "#b4b9bd", 6)
    s.circle(190, 96, 16, s.ball(s.look.trim, "matte"))
    s.line("M270 218H306Q326 218 326 240V350Q326 372 306 372H270", s.paint(s.look.trim, "matte"), 18)
    s.path("M112 196H268V408H112z", s.paint("#dfe8e8", "soft"), 'opacity=".65"')
    s.path("M118 278H262V408H118z", s.paint("#432c1d", "gloss"), 'opacity=".92"')
    s.path("M118 270H262V284H118z", s.paint("#8d6a46", "soft"))
    s.rect(116, 262, 148, 9, 3, s.paint("#b4b9bd", "metal"))
    s.line("M190 200V262", "#8d9296", 4)
    s.body("M106 176Q106 160 124 160H256Q274 160 274 176V204H106z")
    s.path("M108 186L82 176L106 204z", s.paint(s.look.colour))
    s.body("M106 388H274V408Q274 424 258 424H122Q106 424 106 408z")
    for x in (106, 258):
        s.path(f"M{x} 200h16v192h-16z", s.paint(s.look.colour))
    s.light("M132 208H144V384H132z", 0.5)
