"""Watches, lying face up."""

from __future__ import annotations

from .colour import lightness, mix, shade
from .studio import Studio

STEEL, GOLD, NIGHT = "#b4b9bd", "#c8a566", "#3b3d41"


def draw(s: Studio) -> None:
    """Strap, case, dial, hands; ``trim`` is the metal."""
    look = s.look
    square = look.silhouette == "square"
    half = {"dress": 80, "square": 80, "field": 86, "diver": 92, "chronograph": 94}[look.silhouette]
    strap(s, half)
    case = _square(half) if square else _round(half)
    s.lies(case, 10)
    metal = look.trim
    s.rect(200 + half - 4, 240, 15, 22, 4, s.paint(metal, "metal", "y"))
    if look.silhouette == "chronograph":
        for y in (196, 286):
            s.rect(200 + half - 16, y, 20, 16, 4, s.paint(metal, "metal", "y"))
    s.path(case, s.paint(metal, "metal", "xy"))
    dial_colour = dial(s)
    inner = half - (20 if look.silhouette == "diver" else 11)
    face = _square(inner) if square else _round(inner)
    if look.silhouette == "diver":
        bezel(s, half)
    s.path(face, shade(metal, -0.2))
    face = _square(inner - 2.5) if square else _round(inner - 2.5)
    s.path(face, s.paint(dial_colour, "matte", "xy"))
    marks(s, inner, dial_colour)
    hands(s, inner, dial_colour)
    s.path(
        f"M{200 - inner} 250A{inner} {inner} 0 0 1 {200 + inner * 0.5} {250 - inner * 0.86}Q{190} 210"
        f" {200 - inner} 250z",
        "#fff",
        'opacity=".1"',
    )


def dial(s: Studio) -> str:
    """The dial suits the strap: pale, dark or a deep shade of it."""
    pale, dark = "#f3efe6", "#24282c"
    colour = s.look.colour
    deep = mix(colour, "#1b2530", 0.35) if lightness(colour) > 0.3 else dark
    return (pale, deep, pale, dark)[s.look.detail % 4]


def strap(s: Studio, half: float) -> None:
    wide = half * 0.62
    kind = ("leather", "canvas", "bracelet", "leather", "mesh")[s.look.detail % 5]
    if s.look.silhouette == "dress":
        kind = "leather" if kind in ("canvas", "bracelet") else kind
    top = f"M{200 - wide} 230L{200 - wide * 0.76} -10H{200 + wide * 0.76}L{200 + wide} 230z"
    bottom = f"M{200 - wide} 270L{200 - wide * 0.72} 510H{200 + wide * 0.72}L{200 + wide} 270z"
    metal = kind in ("bracelet", "mesh")
    colour = s.look.trim if metal else s.look.colour
    s.lies(top + bottom, 9)
    s.path(top + bottom, s.paint(colour, "metal" if metal else "leather"))
    if kind == "mesh":
        s.path(top + bottom, s.weave("knit", colour))
    if kind == "bracelet":
        links = "".join(f"M{200 - wide * 0.86} {y}h{wide * 1.72}" for y in (*range(20, 170, 30), *range(350, 500, 30)))
        s.line(f"{links}M{200 - wide * 0.3} -5V505M{200 + wide * 0.3} -5V505", shade(colour, -0.24), 1.8)
    if kind == "leather":
        for side in (-1, 1):
            s.seam(
                f"M{200 + side * wide * 0.67} -5L{200 + side * wide * 0.84} 170M{200 + side * wide * 0.84} 330"
                f"L{200 + side * wide * 0.64} 505",
                colour,
            )
        s.path(
            "M200 438h.1M200 466h.1M200 494h.1",
            "none",
            f'stroke="{shade(colour, -0.25)}" stroke-width="9" stroke-linecap="round"',
        )
    if kind == "canvas":
        s.path(top + bottom, s.weave("rib", colour), 'opacity=".7"')
        stripe = "M200 -10V510" if s.look.silhouette != "square" else ""
        if stripe:
            s.line(stripe, shade(colour, 0.24 if lightness(colour) < 0.6 else -0.25), wide * 0.34, 'opacity=".8"')
    for side in (-1, 1):
        s.path(
            f"M{200 + side * wide * 1.04} 175l{side * 12} 0l{side * 4} 150l{-side * 16} 0z",
            s.paint(s.look.trim, "metal"),
        )


def bezel(s: Studio, half: float) -> None:
    ring = mix(s.look.colour, "#14181d", 0.55)
    s.circle(200, 250, half - 5, s.paint(ring, "gloss", "xy"))
    s.circle(
        200,
        250,
        half - 12,
        "none",
        'stroke="#f3efe6" stroke-width="7" pathLength="60" stroke-dasharray=".35 4.65" opacity=".85"'
        ' transform="rotate(-91 200 250)"',
    )
    s.path(f"M200 {250 - half + 9}l6 11h-12z", "#f3efe6")


def marks(s: Studio, inner: float, face: str) -> None:
    ink = "#f3efe6" if lightness(face) < 0.6 else "#24282c"
    kind, turn = s.look.silhouette, 'transform="rotate(-90 200 250)"'
    if kind == "square":
        for angle in range(0, 180, 30):
            far = inner - 14
            s.stamp(
                f"M-1 {-far}h2v10h-2zM-1 {far}h2v-10h-2z",
                ink,
                f"translate(200 250) rotate({angle}) scale({1.6 if angle % 90 == 0 else 1} 1)",
            )
        return
    ring = inner - 14
    long = {"dress": 12, "field": 9, "diver": 14, "chronograph": 11}[kind]
    thick = {"dress": 0.05, "field": 0.07, "diver": 0.16, "chronograph": 0.07}[kind]
    s.circle(
        200,
        250,
        ring,
        "none",
        f'stroke="{ink}" stroke-width="{long}" pathLength="12" stroke-dasharray="{thick} {1 - thick}"'
        f' stroke-dashoffset="{thick / 2}" {turn}',
    )
    if kind in ("field", "chronograph"):
        s.circle(
            200,
            250,
            inner - 7,
            "none",
            f'stroke="{ink}" stroke-width="3.5" pathLength="60" stroke-dasharray=".12 .88" opacity=".7" {turn}',
        )
    if kind == "field":
        with s.group(
            f'fill="{ink}" font-family="Helvetica,Arial,sans-serif" font-size="19" font-weight="600"'
            ' text-anchor="middle"'
        ):
            for x, y, text in (
                (200, 250 - inner + 39, "12"),
                (200 + inner - 29, 257, "3"),
                (200, 250 + inner - 24, "6"),
                (200 - inner + 29, 257, "9"),
            ):
                s._parts.append(f'<text x="{x}" y="{y}">{text}</text>')
    if kind == "chronograph":
        for x, y in ((164, 250), (236, 250), (200, 288)):
            s.circle(x, y, 19, s.paint(shade(face, -0.07 if lightness(face) > 0.6 else 0.09), "soft", "xy"))
            s.circle(x, y, 16, "none", f'stroke="{ink}" stroke-width="3" pathLength="24" stroke-dasharray=".2 .8"')
        s.line("M164 250l6 -9M236 250l3 -11M200 288l-8 7", ink, 1.6)
    if kind == "dress" and s.look.detail % 2:
        s.circle(200, 284, 16, s.paint(shade(face, -0.05), "soft", "xy"))
        s.line("M200 284v-11", ink, 1.3)


def hands(s: Studio, inner: float, face: str) -> None:
    ink = "#f3efe6" if lightness(face) < 0.6 else "#24282c"
    thick = {"dress": 3, "square": 3.4, "field": 5.5, "diver": 7.5, "chronograph": 5}[s.look.silhouette]
    for colour, dx, opacity in (("#000", 2.5, 0.2), (ink, 0, 1)):
        s.line(
            f"M{200 + dx} {250 + dx}L{200 + dx - inner * 0.42} {250 + dx - inner * 0.3}",
            colour,
            thick,
            f'opacity="{opacity}"',
        )
        s.line(
            f"M{200 + dx} {250 + dx}L{200 + dx + inner * 0.38} {250 + dx - inner * 0.6}",
            colour,
            thick * 0.8,
            f'opacity="{opacity}"',
        )
    second = "#c8553d" if s.look.silhouette in ("field", "diver", "chronograph") else ink
    s.line(f"M{200 - inner * 0.06} {250 - inner * 0.2}L{200 + inner * 0.22} {250 + inner * 0.68}", second, 1.6)
    s.circle(200, 250, thick * 0.95, second)


def _round(radius: float) -> str:
    return f"M{200 - radius} 250a{radius} {radius} 0 1 1 {radius * 2} 0a{radius} {radius} 0 1 1 {-radius * 2} 0z"


def _square(half: float) -> str:
    r = half * 0.3
    return (
        f"M{200 - half + r} {250 - half}h{2 * (half - r)}q{r} 0 {r} {r}v{2 * (half - r)}q0 {r} {-r} {r}"
        f"h{-2 * (half - r)}q{-r} 0 {-r} {-r}v{-2 * (half - r)}q0 {-r} {r} {-r}z"
    )
