"""Where the templates and static files are: inside the installed package, or at the top of a checkout.

A wheel holds them as ``mtp_plugin/templates`` and ``mtp_plugin/static``. A checkout and an editable install keep them
beside the package, where a shop's developer looks for them; there the package folder has none.
"""

from __future__ import annotations

from pathlib import Path

from .errors import SetupError

_PACKAGE = Path(__file__).resolve().parent


def templates_folder() -> Path:
    """The folder that holds ``mtp/block.html`` and the partials.

    :raises SetupError: it is neither in the package nor in a checkout
    """
    return _find("templates")


def static_folder() -> Path:
    """The folder that holds ``mtp/mtp.js`` and ``mtp/mtp.css``.

    :raises SetupError: it is neither in the package nor in a checkout
    """
    return _find("static")


def _find(name: str, package: Path = _PACKAGE) -> Path:
    # A folder counts only with our own namespace in it: beside an installed package, site-packages/templates may be
    # anybody's.
    places = (package / name, package.parent / name)
    for place in places:
        if (place / "mtp").is_dir():
            return place
    raise SetupError(
        f"the plugin's {name} are missing: neither {places[0]} nor {places[1]} holds a folder mtp; "
        "install the plugin again (pip install --force-reinstall mtp-plugin), or run it from a whole checkout"
    )
