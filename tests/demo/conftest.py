"""The demo store on an instance folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from demo_store import create_app
from demo_store.catalogue import Catalogue, build_catalogue

NOW = 1_780_000_000.0
"""A day for catalogues and histories; pages use the real one."""

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return build_catalogue(NOW)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The shop as it is before ``demo build``: a catalogue and no shoppers."""
    folder = tmp_path_factory.mktemp("instance")
    app = create_app({"TESTING": True, "DEMO_INSTANCE": str(folder), "WTF_CSRF_ENABLED": False})
    yield app
    app.extensions["mtp"].close()


@pytest.fixture
def client(shop: Flask) -> FlaskClient:
    """A visitor who has decided nothing."""
    client = shop.test_client()
    client.environ_base["HTTP_USER_AGENT"] = BROWSER
    return client


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    return tmp_path / "instance"
