"""Bottles and flasks."""

from __future__ import annotations

from .colour import shade
from .studio import Studio


def draw(s: Studio) -> None:
    """``trim`` is the lid."""
    s.frame(1.1, 8)
    {"flask": flask, "wide": wide, "thermos": thermos, "sport": sport}[s.look.silhouette](s)


def _lit(s: Studio, d: str) -> None:
    s.body(d)
    s.path(
        d,
        s._define(
            '<linearGradient><stop offset=".08" stop-color="#fff" stop-opacity="0"/><stop offset=".17"'
            ' stop-color="#fff" '
            'stop-opacity=".42"/><stop offset=".26" stop-color="#fff" stop-opacity="0"/><stop offset=".86"'
            ' stop-opacity="0"/>'
            '<stop offset=".96" stop-opacity=".14"/></linearGradient>'
        ),
    )


def _label(s: Studio, y: float) -> None:
    ink = shade(s.look.colour, 0.3 if s.look.detail % 2 else -0.22)
    if s.look.detail % 3 == 0:
        s.circle(200, y, 15, "none", f'stroke="{ink}" stroke-width="2.4"')
        s.line(f"M188 {y + 4}Q200 {y - 5} 212 {y + 4}", ink, 2.4)
    elif s.look.detail % 3 == 1:
        s.line(f"M140 {y - 8}H260M140 {y + 8}H260", ink, 4, 'opacity=".8"')
    else:
        s.line(f"M200 {y - 34}V{y + 34}", ink, 2.6)


def flask(s: Studio) -> None:
    s.stands(200, 68)
    s.rect(172, 82, 56, 52, 9, s.paint(s.look.trim, "metal"))
    if s.look.detail % 2:
        s.line("M180 84C176 44 224 44 220 84", shade(s.look.trim, -0.1), 8)
    s.rect(178, 130, 44, 12, 2, s.paint("#b4b9bd", "metal"))
    _lit(s, "M178 140H222C224 176 262 182 262 226V398Q262 424 236 424H164Q138 424 138 398V226C138 182 176 176 178 140z")
    s.dark("M138 402Q200 412 262 402V408Q260 424 236 424H164Q140 424 138 408z", 0.14)
    _label(s, 300)


def wide(s: Studio) -> None:
    s.stands(200, 84)
    s.line("M150 152C140 74 260 74 250 152", shade(s.look.trim, -0.06), 13)
    s.rect(142, 132, 116, 48, 11, s.paint(s.look.trim, "matte"))
    for x in range(154, 256, 12):
        s.line(f"M{x} 142V170", shade(s.look.trim, -0.1), 2)
    s.rect(150, 178, 100, 12, 2, s.paint("#b4b9bd", "metal"))
    _lit(s, "M150 188H250Q278 200 278 232V396Q278 424 250 424H150Q122 424 122 396V232Q122 200 150 188z")
    _label(s, 310)


def thermos(s: Studio) -> None:
    s.stands(200, 74)
    s.path("M146 74H254Q262 74 262 84V162H138V84Q138 74 146 74z", s.paint(s.look.trim, "metal"))
    s.dark("M138 154H262V162H138z", 0.2)
    s.rect(132, 162, 136, 14, 3, s.paint("#b4b9bd", "metal"))
    _lit(s, "M134 176H266V402Q266 424 244 424H156Q134 424 134 402z")
    if s.look.detail % 2:
        s.line("M266 220H292Q304 220 304 234V330Q304 346 290 346H266", shade(s.look.trim, -0.05), 12)
    s.rect(134, 384, 132, 8, 0, s.paint("#b4b9bd", "metal"))
    _label(s, 282)


def sport(s: Studio) -> None:
    s.stands(200, 72)
    s.path("M178 76Q178 66 190 66H210Q222 66 222 76V110H178z", s.paint(shade(s.look.trim, 0.1), "gloss"))
    s.path("M156 160Q158 108 184 104H216Q242 108 244 160z", s.paint(s.look.trim, "gloss"))
    s.rect(146, 156, 108, 22, 6, s.paint(shade(s.look.trim, -0.05), "gloss"))
    _lit(
        s,
        "M146 178H254Q262 250 246 282Q262 320 262 396Q262 424 236 424H164Q138 424 138 396Q138 320 154 282"
        "Q138 250 146 178z",
    )
    s.dark("M153 274Q200 288 247 274L246 290Q200 304 154 290z", 0.1)
    _label(s, 356)
