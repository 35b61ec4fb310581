"""Shoes, from the side, toe to the right."""

from __future__ import annotations

from .colour import lightness, mix, shade
from .studio import Studio


def draw(s: Studio) -> None:
    """``trim`` is the sole."""
    s.frame(1.08, 62)
    {"court": court, "runner": runner, "high-top": high_top, "boot": boot, "loafer": loafer}[s.look.silhouette](s)


def _laces(s: Studio, points: tuple[tuple[float, float], ...], colour: str) -> None:
    for x, y in points:
        s.line(f"M{x} {y}l26 -10", "#000", 6, 'opacity=".16" transform="translate(1 3)"')
        s.line(f"M{x} {y}l26 -10", colour, 5.5)


def _lace_colour(s: Studio) -> str:
    return "#f2ecdd" if lightness(s.look.colour) < 0.75 else shade(s.look.colour, -0.12)


def court(s: Studio) -> None:
    s.stands(200, 158, 402)
    upper = "M66 372C58 320 58 272 74 234Q100 246 132 236L152 222C176 268 214 296 268 310C318 322 342 340 344 372z"
    s.path("M74 236Q104 220 152 224L146 246Q106 252 76 250z", shade(mix(s.look.colour, s.look.trim, 0.5), -0.22))
    s.body(upper)
    s.body(
        "M66 372C60 336 58 300 62 270Q98 276 108 300L112 372z",
        mix(s.look.colour, s.look.trim, 0.4) if s.look.detail % 2 else shade(s.look.colour, -0.07),
        pattern="",
    )
    s.dark("M232 372C236 338 256 318 284 314C322 324 342 342 344 372z", 0.06)
    s.seam("M230 370C234 338 254 318 280 313M112 370C116 330 130 290 150 262M162 372C176 340 204 310 230 302")
    s.path("M146 230C172 276 212 300 262 312L248 330C200 318 158 290 134 244z", shade(s.look.colour, 0.03))
    _laces(s, ((160, 262), (180, 284), (203, 301), (228, 314)), _lace_colour(s))
    if s.look.detail % 3 == 1:
        s.line("M124 352C150 346 168 330 180 308M140 360C166 352 184 338 196 318", s.look.trim, 6)
    s.body("M58 366H346Q354 366 354 376V388Q354 402 336 402H76Q56 402 56 384z", s.look.trim, "matte", "y", "")
    s.line("M62 378H350", shade(s.look.trim, -0.13), 2)


def runner(s: Studio) -> None:
    s.stands(200, 160, 408)
    upper = "M60 362C50 316 54 278 72 242Q96 262 130 244L148 226C176 272 220 300 278 314C326 326 350 342 352 362z"
    s.path("M72 242Q104 224 148 228L140 250Q104 262 76 256z", shade(s.look.colour, -0.26))
    s.body(upper, pattern=s.look.pattern or "mesh")
    s.body("M60 362C54 334 54 310 58 288Q90 290 112 318L128 362z", s.look.trim, "soft", pattern="")
    s.path("M262 362C272 334 292 322 316 326C340 336 352 348 352 362z", s.paint(s.look.trim, "soft"))
    s.path(
        "M132 362C150 340 176 330 190 296L206 306C196 340 184 352 178 362z", s.paint(shade(s.look.trim, 0.1), "soft")
    )
    s.path(
        "M190 362C206 346 224 336 232 312L248 316C240 342 232 352 228 362z", s.paint(shade(s.look.trim, 0.1), "soft")
    )
    s.path("M144 234C172 278 216 304 268 316L256 330C204 318 158 288 132 248z", shade(s.look.colour, -0.08))
    _laces(s, ((156, 264), (178, 286), (203, 303), (230, 316)), _lace_colour(s))
    s.body(
        "M46 360Q120 376 200 366T358 356Q370 368 358 386Q344 396 320 396Q200 388 130 404Q60 410 48 396Q38 380 46 360z",
        "#f1ede4",
        "matte",
        "y",
        "",
    )
    s.body(
        "M50 394Q70 408 130 402Q200 388 320 396Q344 396 356 387Q350 408 318 408H78Q54 408 50 394z",
        shade(s.look.colour, -0.12),
        "soft",
        pattern="",
    )
    s.line("M60 374Q130 386 204 376T350 370", s.look.trim, 4, 'opacity=".8"')


def high_top(s: Studio) -> None:
    s.stands(196, 150, 408)
    upper = "M74 376C66 300 66 220 76 150Q116 164 164 146L172 236C190 280 226 302 272 314C318 326 338 346 340 376z"
    s.path("M76 152Q118 136 164 146L162 168Q116 178 78 170z", shade(s.look.colour, -0.24))
    s.body(upper)
    s.seam("M70 300Q112 296 128 372M82 172Q92 260 88 300M154 376C164 330 196 306 226 300")
    s.path(
        "M150 160L160 240C180 290 220 310 262 318L246 334C190 324 150 290 138 240L130 166z", shade(s.look.colour, 0.035)
    )
    _laces(s, ((132, 182), (136, 206), (140, 230), (150, 256), (168, 282), (194, 302), (222, 316)), _lace_colour(s))
    if s.look.detail % 2:
        s.circle(104, 226, 23, s.paint("#f2ecdd", "soft"))
        s.circle(104, 226, 16, "none", f'stroke="{mix(s.look.colour, "#222222", 0.3)}" stroke-width="3"')
    s.path("M258 376C260 346 280 326 300 324C326 332 339 350 340 376z", s.paint("#f2ecdd", "soft"))
    s.body("M64 370H342Q350 370 350 380V392Q350 408 332 408H82Q62 408 62 390z", s.look.trim, "matte", "y", "")
    s.line("M66 384H346", shade(s.look.colour, -0.05), 3)


def boot(s: Studio) -> None:
    s.stands(200, 152, 412)
    upper = (
        "M90 384C82 300 82 220 86 134Q130 144 176 132C180 190 176 236 186 268C214 300 262 304 300 322C334"
        " 336 344 356 346 384z"
    )
    s.path("M86 136Q130 118 176 133L174 152Q128 162 88 154z", shade(s.look.colour, -0.26))
    s.body(upper)
    if s.look.detail % 2:
        s.path(
            "M122 154L154 150C158 220 158 262 134 296C118 256 116 210 122 154z",
            s.paint(shade(s.look.colour, -0.13), "soft"),
        )
        s.path(
            "M122 154L154 150C158 220 158 262 134 296C118 256 116 210 122 154z",
            s.weave("rib", shade(s.look.colour, -0.13)),
        )
        s.line("M96 134V112Q104 104 110 112V136", shade(s.look.colour, -0.1), 6)
    else:
        _laces(s, ((154, 172), (156, 196), (158, 220), (160, 244), (168, 268), (188, 288)), shade(s.look.trim, 0.18))
        s.seam("M140 142C146 220 150 276 176 306M90 330Q140 330 158 384M214 384C222 350 246 326 272 318")
    s.light("M104 160Q98 240 104 330L94 330Q90 240 94 160z", 0.2)
    s.ellipse(292, 344, 30, 9, "#fff", 'opacity=".16" transform="rotate(20 292 344)"')
    s.body(
        "M82 378H350Q356 378 356 386V396H174L166 412H84Q78 412 78 404V386Q78 378 82 378z", s.look.trim, "matte", "y", ""
    )
    s.path("M174 396H356V402Q354 412 342 412H186z", shade(s.look.trim, -0.13))


def loafer(s: Studio) -> None:
    s.stands(200, 156, 404)
    upper = "M58 376C54 336 58 306 72 282Q108 300 152 290L176 280C224 288 262 304 300 322C338 338 350 354 352 376z"
    s.path("M72 284Q120 262 178 280Q160 306 110 306Q84 304 74 300z", shade(s.look.colour, -0.28))
    s.body(upper)
    s.path("M176 280C224 288 262 304 296 320Q262 336 222 334Q180 326 152 300z", s.paint(shade(s.look.colour, 0.05)))
    s.line("M152 302Q184 330 224 336Q264 338 298 321", shade(s.look.colour, -0.17), 3)
    s.path("M140 304Q162 288 186 282L222 296Q190 318 172 350L148 352z", s.paint(shade(s.look.colour, -0.04)))
    if s.look.detail % 2:
        s.line("M164 314Q182 302 204 294", "#c2a15a", 8)
    else:
        s.path("M170 306L196 294L202 302L178 316z", shade(s.look.colour, -0.2))
    s.seam("M64 330Q104 336 140 332", s.look.colour)
    s.ellipse(296, 344, 34, 8, "#fff", 'opacity=".2" transform="rotate(18 296 344)"')
    s.body(
        "M54 372H354Q360 372 360 379V388H150L146 404H58Q50 404 50 396V379Q50 372 54 372z", s.look.trim, "matte", "y", ""
    )
    s.path("M150 388H360Q358 398 344 398H152z", shade(s.look.trim, -0.12))
