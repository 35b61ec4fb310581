"""Templates and static files are found in a checkout and in an installed package, and missed aloud."""

from __future__ import annotations

import pytest

from mtp_plugin.assets import _find, static_folder, templates_folder
from mtp_plugin.errors import SetupError


def test_found_here():
    assert (templates_folder() / "mtp").is_dir()
    assert (static_folder() / "mtp").is_dir()


def test_the_packages_own_folder_comes_first(tmp_path):
    package = tmp_path / "site-packages" / "mtp_plugin"
    (package / "templates" / "mtp").mkdir(parents=True)
    (package.parent / "templates" / "mtp").mkdir(parents=True)
    assert _find("templates", package) == package / "templates"


def test_a_checkout_keeps_them_beside_the_package(tmp_path):
    (tmp_path / "mtp_plugin").mkdir()
    (tmp_path / "static" / "mtp").mkdir(parents=True)
    assert _find("static", tmp_path / "mtp_plugin") == tmp_path / "static"


def test_a_folder_of_somebody_else_is_not_taken(tmp_path):
    (tmp_path / "mtp_plugin").mkdir()
    (tmp_path / "static" / "other").mkdir(parents=True)
    with pytest.raises(SetupError, match=r"static are missing.*install the plugin again"):
        _find("static", tmp_path / "mtp_plugin")
