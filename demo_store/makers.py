"""The makers whose things the shop sells: how each works, and what it may cost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Maker:
    """A brand: *dear* multiplies the usual price, *style* is its hand, *voice* one sentence it would sign."""

    name: str
    dear: float
    style: str
    voice: str


_ALL = (
    Maker("Aldermoor", 1.9, "classic", "Made by nine people in one long room, and signed on the inside."),
    Maker("Ebbe & Lund", 1.35, "minimal", "Nothing to add, and we did try taking more away."),
    Maker("Carrow", 0.7, "everyday", "Honest things at a price that leaves room for lunch."),
    Maker("Solvane", 2.6, "classic", "Finished by hand under a north window, then left alone for a week."),
    Maker("Pikkala", 0.95, "playful", "Colours first. The rest took us years."),
    Maker("Fernbank", 1.0, "natural", "Grown slowly, packed in paper, sent on a Monday."),
    Maker("Odd Hours", 0.85, "playful", "For the desk you keep for yourself."),
    Maker("Tunnock Works", 1.15, "utility", "Built for the van, kept for the weekend."),
    Maker("Marram", 1.2, "outdoor", "Tested on a beach in February by people who complain."),
    Maker("Kestrel Audio", 1.5, "technical", "Tuned by ear, measured afterwards."),
    Maker("Studio Halle", 1.6, "minimal", "Drawn once at full size before anything is cut."),
    Maker("Common Thread", 0.75, "everyday", "The one you reach for without thinking."),
    Maker("Velo Nord", 1.05, "technical", "Light where it can be, strong where it must."),
    Maker("Lehm", 1.1, "natural", "Thrown, trimmed and glazed in the same kiln since 1987."),
    Maker("Hollis & Daughter", 1.7, "classic", "A bench, two pairs of hands, no hurry."),
    Maker("Plain Paper Co.", 0.8, "minimal", "Sewn to lie flat on the first page and on the last."),
)

MAKERS = {maker.name: maker for maker in _ALL}
