"""Bags: tote, backpack, satchel, weekender, sling."""

from __future__ import annotations

from .colour import shade
from .studio import Studio

BRASS = "#c2a15a"


def draw(s: Studio) -> None:
    """``trim`` is the leather of handles and patches."""
    s.frame(1.0, 20)
    {"tote": tote, "backpack": backpack, "satchel": satchel, "weekender": weekender, "sling": sling}[s.look.silhouette](
        s
    )


def tote(s: Studio) -> None:
    body = "M96 190H304L318 408Q318 424 300 424H100Q82 424 82 408z"
    s.stands(200, 124)
    for dx, by in ((10, -0.14), (0, 0)):
        s.line(f"M{148 + dx} 204C{144 + dx} 60 {256 - dx} 60 {252 - dx} 204", shade(s.look.trim, by), 13)
    s.body(body)
    s.dark("M270 190H304L318 408Q318 424 300 424H262Q290 330 270 190z", 0.1)
    s.dark("M96 190H304L305 204H95z", 0.16)
    s.seam("M95 212H305")
    for x in (148, 252):
        s.rect(x - 10, 190, 20, 46, 3, s.paint(s.look.trim, "leather"))
        s.circle(x, 226, 3, BRASS)
    if s.look.detail % 3 == 0:
        s.body("M140 282H260V372Q260 382 250 382H150Q140 382 140 372z", shade(s.look.colour, -0.03))
        s.seam("M146 290H254V370Q254 376 248 376H152Q146 376 146 370z")
    elif s.look.detail % 3 == 1:
        s.rect(172, 300, 56, 34, 3, s.paint(s.look.trim, "leather"))
    s.light("M112 232Q104 320 104 404L96 404Q98 310 104 232z", 0.16)


def backpack(s: Studio) -> None:
    body = "M104 210C104 130 150 102 200 102S296 130 296 210V392Q296 424 264 424H136Q104 424 104 392z"
    s.stands(200, 116)
    s.line("M176 108C176 72 224 72 224 108", shade(s.look.colour, -0.14), 11)
    s.line("M106 250C78 300 82 360 108 400M294 250C322 300 318 360 292 400", shade(s.look.colour, -0.16), 15)
    s.body(body)
    if s.look.detail % 2:
        s.body(
            "M104 214C104 130 150 102 200 102S296 130 296 214Q296 262 262 268H138Q104 262 104 214z",
            shade(s.look.colour, 0.03),
        )
        s.dark("M106 250Q118 270 138 272H262Q282 270 294 250L295 262Q282 284 262 284H138Q118 284 105 262z", 0.16)
        for x in (156, 244):
            s.rect(x - 8, 240, 16, 74, 3, s.paint(s.look.trim, "leather"))
            s.rect(x - 11, 290, 22, 18, 3, s.paint(BRASS, "metal"))
    else:
        s.line("M120 236C122 158 160 128 200 128S278 158 280 236", shade(s.look.colour, -0.2), 4)
        s.line("M276 214v22", BRASS, 6)
    s.body("M130 312H270V392Q270 406 256 406H144Q130 406 130 392z", shade(s.look.colour, -0.025))
    s.dark("M130 312H270V320H130z", 0.22)
    s.seam("M138 328H262V390Q262 398 254 398H146Q138 398 138 390z")
    s.rect(182, 344, 36, 22, 3, s.paint(s.look.trim, "leather"))
    s.light("M118 210C118 156 140 130 172 120C134 142 130 170 130 296L118 296z", 0.16)


def satchel(s: Studio) -> None:
    s.stands(200, 138)
    s.line("M84 254C60 40 340 40 316 254", shade(s.look.trim, -0.1), 10)
    s.body(
        "M72 246Q72 230 88 230H312Q328 230 328 246V404Q328 424 308 424H92Q72 424 72 404z", shade(s.look.colour, -0.05)
    )
    flap = "M66 240Q66 222 84 222H316Q334 222 334 240V322Q334 352 304 352H96Q66 352 66 322z"
    s.dark("M70 330Q74 362 96 362H304Q326 362 330 330L330 352Q322 376 300 374H100Q78 376 70 352z", 0.2)
    s.body(flap)
    s.seam("M76 240Q76 232 86 232H314Q324 232 324 240V320Q324 342 302 342H98Q76 342 76 320z")
    for x in (132, 268) if s.look.detail % 2 else (200,):
        s.rect(x - 13, 314, 26, 74, 4, s.paint(s.look.trim, "leather"))
        s.rect(x - 17, 348, 34, 22, 4, s.paint(BRASS, "metal"))
        s.line(f"M{x} 352v14", shade(BRASS, -0.25), 3)
    s.light("M76 246Q76 234 90 234H200L178 244H96Q86 246 86 262V316Q78 310 76 300z", 0.18)


def weekender(s: Studio) -> None:
    body = "M70 266C72 226 96 212 130 210H270C304 212 328 226 330 266L338 392Q338 424 304 424H96Q62 424 62 392z"
    s.stands(200, 148)
    for dx, by in ((12, -0.16), (0, -0.02)):
        s.line(f"M{136 + dx} 262C{132 + dx} 110 {268 - dx} 110 {264 - dx} 262", shade(s.look.trim, by), 13)
    s.body(body)
    s.line("M84 226H316", shade(s.look.colour, -0.2), 4)
    s.body(
        "M62 382Q64 360 66 344H334Q336 360 338 392Q338 424 304 424H96Q62 424 62 392z",
        s.look.trim,
        "leather",
        pattern="",
    )
    s.seam("M68 352H332", s.look.trim)
    for x in (136, 264):
        s.rect(x - 11, 250, 22, 98, 3, s.paint(s.look.trim, "leather"))
        s.circle(x, 262, 4, BRASS)
    s.rect(180, 214, 40, 14, 4, s.paint(BRASS, "metal"))
    s.light("M80 268C82 240 98 224 122 222C96 240 94 262 90 336L76 336z", 0.2)
    s.dark("M296 214C318 224 328 240 330 266L338 392Q338 424 304 424H286Q312 340 296 214z", 0.1)


def sling(s: Studio) -> None:
    s.lies("M92 262Q92 212 142 212H264Q312 212 312 262V330Q312 376 262 376H142Q92 376 92 330z")
    s.line("M112 240C60 130 150 44 226 52S344 160 296 240", shade(s.look.colour, -0.12), 15)
    s.rect(222, 42, 44, 24, 5, s.paint(s.look.trim, "matte"), 'transform="rotate(14 244 54)"')
    s.body("M92 262Q92 212 142 212H264Q312 212 312 262V330Q312 376 262 376H142Q92 376 92 330z")
    s.line("M122 250H282", shade(s.look.colour, -0.22), 5)
    s.line("M282 250v24", BRASS, 6)
    s.body("M112 292H292V328Q292 358 262 358H142Q112 358 112 328z", shade(s.look.colour, -0.03))
    s.dark("M112 292H292V299H112z", 0.2)
    s.rect(232, 322, 40, 16, 3, s.paint(s.look.trim, "leather"))
    s.light("M104 262Q104 224 142 224H190Q126 228 122 282H104z", 0.2)
