"""Jackets, hung flat against the wall."""

from __future__ import annotations

from .colour import mix, shade
from .studio import Studio


def draw(s: Studio) -> None:
    """``trim`` is the lining, zips and buttons."""
    s.frame(1.03, -18)
    {"bomber": bomber, "parka": parka, "chore": chore, "shell": shell, "overshirt": overshirt}[s.look.silhouette](s)


def _sleeves(s: Studio, length: float, cuff: float = 0) -> None:
    for side in (-1, 1):
        arm = (
            f"M{200 + side * 74} 112C{200 + side * 126} 122 {200 + side * 138} 168 {200 + side * 146} {length - 60}"
            f"L{200 + side * 152} {length}Q{200 + side * 130} {length + 10} {200 + side * 106} {length + 2}"
            f"L{200 + side * 84} 214z"
        )
        s.lies(arm, 8)
        s.body(arm, shade(s.look.colour, -0.015 if side < 0 else -0.055))
        s.dark(
            f"M{200 + side * 84} 214L{200 + side * 106} {length + 2}L{200 + side * 116} {length + 2}"
            f"Q{200 + side * 96} 260 {200 + side * 88} 190z",
            0.12,
        )
        if cuff:
            s.body(
                f"M{200 + side * 150} {length - 8}L{200 + side * 153} {length + cuff}Q{200 + side * 130}"
                f" {length + cuff + 9} {200 + side * 107} {length + cuff}L{200 + side * 105} {length - 8}"
                f"Q{200 + side * 130} {length + 2} {200 + side * 150} {length - 8}z",
                mix(s.look.colour, s.look.trim, 0.35),
                pattern="rib",
            )
        else:
            s.seam(
                f"M{200 + side * 148} {length - 14}Q{200 + side * 130} {length - 5} {200 + side * 104} {length - 12}"
            )


def _trunk(s: Studio, hem: float, flare: float = 0) -> str:
    return (
        f"M140 102Q200 122 260 102L286 122Q296 160 290 232L{288 + flare} {hem}Q200 {hem + 10}"
        f" {112 - flare} {hem}L110 232Q104 160 114 122z"
    )


def _collar(s: Studio, height: float, colour: str, inside: str) -> None:
    s.path(
        f"M152 {104 - height * 0.4}Q200 {88 - height * 0.5} 248 {104 - height * 0.4}L244 124Q200 142 156 124z",
        s.paint(shade(inside, -0.12), "soft"),
    )
    for side in (-1, 1):
        s.path(
            f"M{200 + side * 50} {106 - height * 0.45}Q{200 + side * 40} {92 - height * 0.2} {200 + side * 36}"
            f" {100 - height * 0.3}L{200 + side * 3} 146L{200 + side * 26} {158 + height * 0.2}"
            f"L{200 + side * 62} 116z",
            s.paint(colour if side < 0 else shade(colour, -0.04)),
        )


def _folds(s: Studio, hem: float) -> None:
    s.dark(f"M262 150Q276 250 266 {hem}L288 {hem}Q300 240 288 140z", 0.09)
    s.dark("M126 150Q148 190 132 250Q142 190 120 156z", 0.14)
    s.light(f"M132 140Q122 230 134 {hem - 20}L124 {hem - 18}Q112 230 122 146z", 0.13)


def bomber(s: Studio) -> None:
    _sleeves(s, 356, 18)
    trunk = _trunk(s, 352, -4)
    s.lies(trunk)
    s.body(trunk)
    _folds(s, 352)
    ribbing = mix(s.look.colour, s.look.trim, 0.35)
    s.body("M114 348Q200 360 286 348L282 382Q200 394 118 382z", ribbing, pattern="rib")
    s.body("M148 96Q200 128 252 96L262 112Q200 152 138 112z", ribbing, pattern="rib")
    s.line("M200 138V386", shade(s.look.colour, -0.2), 7)
    s.line("M200 138V386", s.look.trim, 2.6, 'stroke-dasharray="3 2"')
    s.line("M142 300L160 252M258 300L240 252", shade(s.look.colour, -0.2), 3.4)


def parka(s: Studio) -> None:
    s.path("M142 110C132 40 268 40 258 110Q200 144 142 110z", s.paint(shade(s.look.colour, -0.05)))
    s.path("M154 106C150 62 250 62 246 106Q200 132 154 106z", s.paint(shade(s.look.trim, -0.1), "soft"))
    _sleeves(s, 366)
    trunk = _trunk(s, 436, 8)
    s.lies(trunk)
    s.body(trunk)
    _folds(s, 436)
    s.line("M148 104Q150 132 200 140Q250 132 252 104", shade(s.look.colour, 0.03), 15)
    s.body("M188 138H216V440H188z", shade(s.look.colour, -0.025), pattern="")
    for y in (168, 232, 296, 360, 412):
        s.circle(202, y, 4.5, s.ball(s.look.trim, "metal"))
    s.line("M112 288Q200 298 288 288", shade(s.look.colour, -0.14), 3)
    for x in (122, 226):
        s.body(
            f"M{x} 318H{x + 52}V374Q{x + 52} 382 {x + 44} 382H{x + 8}Q{x} 382 {x} 374z",
            shade(s.look.colour, -0.02),
            pattern="",
        )
        s.dark(f"M{x} 318H{x + 52}V334L{x + 26} 342L{x} 334z", 0.12)


def chore(s: Studio) -> None:
    _sleeves(s, 366)
    trunk = _trunk(s, 400)
    s.lies(trunk)
    s.body(trunk)
    _folds(s, 400)
    _collar(s, 6, shade(s.look.colour, 0.02), s.look.trim)
    s.line("M200 148V404", shade(s.look.colour, -0.16), 2.6)
    s.seam("M190 158V402M210 158V402")
    for y in (176, 230, 284, 338):
        s.circle(200, y, 6, s.ball(s.look.trim, "gloss"))
    for x, y, w, h in ((124, 306, 60, 72), (216, 306, 60, 72), (226, 190, 46, 52)):
        s.body(
            f"M{x} {y}H{x + w}V{y + h - 10}L{x + w - 10} {y + h}H{x + 10}L{x} {y + h - 10}z",
            shade(s.look.colour, -0.02),
            pattern="",
        )
        s.seam(f"M{x + 5} {y + 8}H{x + w - 5}V{y + h - 13}L{x + w - 13} {y + h - 5}H{x + 13}L{x + 5} {y + h - 13}z")


def shell(s: Studio) -> None:
    s.path("M146 112C138 46 262 46 254 112Q200 146 146 112z", s.paint(shade(s.look.colour, -0.03), "gloss"))
    s.path("M158 108C156 68 244 68 242 108Q200 132 158 108z", mix(s.look.colour, "#15161a", 0.5))
    _sleeves(s, 364)
    trunk = _trunk(s, 404)
    s.lies(trunk)
    s.body(trunk)
    if s.look.detail % 2:
        s.body(
            "M140 102Q200 122 260 102L286 122Q296 160 291 214Q200 238 109 214Q104 160 114 122z", s.look.trim, pattern=""
        )
    _folds(s, 404)
    s.line("M200 120V408", shade(s.look.colour, -0.24), 6)
    s.line("M200 120V408", shade(s.look.trim, 0.08), 2)
    s.line("M200 134l-3 18", shade(s.look.trim, 0.1), 5)
    s.line("M140 330L152 262M260 330L248 262", shade(s.look.colour, -0.24), 4)
    s.line("M150 96Q152 120 200 130Q248 120 250 96", shade(s.look.colour, 0.05), 10)


def overshirt(s: Studio) -> None:
    _sleeves(s, 372)
    trunk = (
        "M140 102Q200 122 260 102L286 122Q296 160 290 232L288 372Q280 412 236 414Q200 404 164 414Q120 412"
        " 112 372L110 232"
        "Q104 160 114 122z"
    )
    s.lies(trunk)
    s.body(trunk)
    _folds(s, 396)
    _collar(s, 8, shade(s.look.colour, 0.025), shade(s.look.colour, -0.1))
    s.body("M190 148H211V406L200 405L190 407z", shade(s.look.colour, 0.015), pattern="")
    for y in range(172, 396, 44):
        s.circle(200, y, 4.6, s.ball(s.look.trim, "gloss"))
    for x in (128, 222):
        s.body(f"M{x} 196H{x + 50}V250L{x + 25} 262L{x} 250z", shade(s.look.colour, -0.01))
        s.dark(f"M{x} 196H{x + 50}V209H{x}z", 0.13)
        s.circle(x + 25, 216, 3.4, s.look.trim)
