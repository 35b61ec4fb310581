"""Product pictures, drawn: a :class:`Look` in, one small SVG out, always the same for the same look."""

from .gallery import draw, version
from .studio import Look

__all__ = ["Look", "draw", "version"]
