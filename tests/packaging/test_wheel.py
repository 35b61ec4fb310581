"""A wheel built from the tree holds all that the plugin needs and nothing of the rest, and works away from the tree."""

from __future__ import annotations

import configparser
import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

ASK = """
import json, pathlib, sys
import mtp_plugin
from mtp_plugin.assets import static_folder, templates_folder
from mtp_plugin.store import migrate
from flask import Flask, render_template
app = Flask("shop", template_folder=str(templates_folder()))
with app.app_context():
    rendered = app.jinja_env.get_template("mtp/block.html").name
print(json.dumps({
    "package": str(pathlib.Path(mtp_plugin.__file__).parent),
    "templates": str(templates_folder()),
    "static": str(static_folder()),
    "rendered": rendered,
    "head": migrate.head(),
    "wanted": migrate.HEAD,
    "demo": any(pathlib.Path(entry, "demo_store").exists() for entry in sys.path if entry),
}))
"""


def configured_packages():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    return set(config["options"]["packages"].split())


def package_folders():
    """Every folder of the package that holds Python files, as a package name."""
    files = (ROOT / "mtp_plugin").rglob("*.py")
    return {".".join(file.parent.relative_to(ROOT).parts) for file in files}


def data_files():
    """What the tree has and a wheel must have, by its path inside the wheel."""
    wanted = {str(file.relative_to(ROOT)) for file in (ROOT / "mtp_plugin").rglob("*.py")}
    wanted |= {str(file.relative_to(ROOT)) for file in (ROOT / "mtp_plugin").rglob("*.mako")}
    for name in ("templates", "static"):
        files = (file for file in (ROOT / name).rglob("*") if file.is_file())
        wanted |= {str(Path("mtp_plugin") / file.relative_to(ROOT)) for file in files}
    return wanted | {"mtp_plugin/py.typed"}


def test_every_package_is_listed():
    # setuptools finds packages by folder and would not find the two that package_dir puts elsewhere, so setup.cfg
    # lists all of them by hand.
    assert configured_packages() == package_folders() | {"mtp_plugin.templates", "mtp_plugin.static"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel built from a copy of what is needed, so that a build folder of the tree cannot slip in."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("mtp_plugin", "templates", "static", "demo_store", "tests", "docs"):
        if (ROOT / name).exists():
            (source / name).symlink_to(ROOT / name)
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        (source / name).write_bytes((ROOT / name).read_bytes())
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(out), str(source)]
    done = subprocess.run([*pip, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = out.glob("mtp_plugin-*.whl")
    return built


def test_it_holds_all_files_and_no_others(wheel):
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == data_files()


@pytest.fixture(scope="module")
def answer(wheel, tmp_path_factory):
    """What the installed wheel says of itself, asked from a folder that has nothing to do with the tree."""
    home = tmp_path_factory.mktemp("environment")
    venv.create(home / "venv", with_pip=False, symlinks=True)
    python = home / "venv" / "bin" / "python"
    site = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--no-index",
    ]
    subprocess.run([*install, "--target", site, str(wheel)], check=True, capture_output=True)
    # The dependencies are those of this environment, without its editable install of the tree: a .pth file is not
    # followed in a folder that is merely on the path.
    Path(site, "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "FLASK", "MTP"))}
    done = subprocess.run([python, "-c", ASK], cwd=home, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) | {"site": site}


def test_it_works_away_from_the_tree(answer):
    assert answer["package"] == os.path.join(answer["site"], "mtp_plugin")
    assert answer["templates"] == os.path.join(answer["package"], "templates")
    assert answer["static"] == os.path.join(answer["package"], "static")
    assert answer["rendered"] == "mtp/block.html"


def test_migrations_came_along(answer):
    assert answer["head"] == answer["wanted"]


def test_the_demo_stays_at_home(answer):
    assert answer["demo"] is False
