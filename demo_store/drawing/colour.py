"""Colours mixed as the eye mixes them: in OKLab (https://bottosson.github.io/posts/oklab/), so that a shade of a
yellow is as much darker as a shade of a blue."""

from __future__ import annotations

from functools import lru_cache

Lab = tuple[float, float, float]


def to_lab(colour: str) -> Lab:
    """``#rrggbb`` as lightness (0 to 1) and the two opponent axes."""
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    middle = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def to_hex(lab: Lab) -> str:
    """The nearest ``#rrggbb``."""
    light, a, b = lab
    long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
    channels = (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )
    return "#" + "".join(f"{round(255 * _gamma(channel)):02x}" for channel in channels)


@lru_cache(maxsize=4096)
def shade(colour: str, by: float) -> str:
    """The colour lighter (*by* above 0) or darker; 0.1 is a clear step. Very light and very dark lose their hue."""
    light, a, b = to_lab(colour)
    lifted = min(0.99, max(0.08, light + by))
    fade = 1 - max(0.0, lifted - 0.9) * 4
    return to_hex((lifted, a * fade, b * fade))


@lru_cache(maxsize=4096)
def mix(first: str, second: str, part: float) -> str:
    """*part* (0 to 1) of the second in the first."""
    one, two = to_lab(first), to_lab(second)
    light, a, b = (x + (y - x) * part for x, y in zip(one, two, strict=True))
    return to_hex((light, a, b))


def lightness(colour: str) -> float:
    """How light it looks, 0 black to 1 white."""
    return to_lab(colour)[0]


@lru_cache(maxsize=1024)
def backdrop(colour: str, light: float) -> str:
    """A quiet paper of this lightness that leans towards the colour."""
    _, a, b = to_lab(colour)
    chroma = (a * a + b * b) ** 0.5
    keep = min(1.0, 0.015 / chroma) if chroma else 0.0
    return to_hex((light, a * keep + 0.001, b * keep + 0.005))


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def _gamma(channel: float) -> float:
    channel = min(1.0, max(0.0, channel))
    return 12.92 * channel if channel <= 0.0031308 else 1.055 * channel ** (1 / 2.4) - 0.055
