"""Where our templates and static files lie: beside this file in a wheel, at the top of a checkout."""

from __future__ import annotations

from pathlib import Path

from .errors import SetupError

_HERE = Path(__file__).resolve().parent


def templates_folder() -> Path:
    """The folder that holds ``mtp/block.html``.

    :raises SetupError: the installation is not whole
    """
    return _folder("templates")


def static_folder() -> Path:
    """The folder that holds ``mtp/mtp.js`` and ``mtp/mtp.css``.

    :raises SetupError: the installation is not whole
    """
    return _folder("static")


def _folder(name: str) -> Path:
    for parent in (_HERE, _HERE.parent):
        if (parent / name / "mtp").is_dir():
            return parent / name
    raise SetupError(f"the folder {name}/mtp is missing beside {_HERE}: install mtp-plugin again")
