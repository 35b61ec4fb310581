"""Every picture: valid, small, self-contained, its own colour, and always the same."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from flask.testing import FlaskClient

from demo_store.catalogue import Catalogue
from demo_store.drawing import Look, draw, version
from demo_store.drawing.colour import lightness, mix, shade, to_hex, to_lab
from demo_store.drawing.gallery import ARTISTS
from demo_store.drawing.scene import hero
from demo_store.ranges import RANGES

LIMIT = 6000
SVG = "{http://www.w3.org/2000/svg}"


def picture(catalogue: Catalogue, name: str) -> str:
    text = catalogue.picture(name)
    assert text is not None
    return text


def test_every_picture_is_valid_and_small(catalogue: Catalogue) -> None:
    assert len(catalogue.looks) > 500
    for name in catalogue.looks:
        text = picture(catalogue, name)
        root = ElementTree.fromstring(text)
        assert root.tag == f"{SVG}svg"
        assert root.get("viewBox") == "0 0 400 500"
        assert len(text.encode()) < LIMIT, f"{name}: {len(text.encode())} bytes"


def test_no_picture_reaches_outside_or_runs_anything(catalogue: Catalogue) -> None:
    for name in catalogue.looks:
        text = picture(catalogue, name)
        root = ElementTree.fromstring(text)
        ids = [element.get("id") for element in root.iter() if element.get("id")]
        assert len(ids) == len(set(ids)), name
        assert not {element.tag for element in root.iter()} & {f"{SVG}script", f"{SVG}image", f"{SVG}foreignObject"}
        links = re.findall(r'href="([^"]*)"', text) + re.findall(r"url\(([^)]*)\)", text)
        assert all(link.startswith("#") and link[1:] in ids for link in links), name


def test_pictures_are_deterministic(catalogue: Catalogue) -> None:
    for name in list(catalogue.looks)[::7]:
        assert picture(catalogue, name) == picture(catalogue, name)
    assert hero() == hero()


def test_pictures_differ(catalogue: Catalogue) -> None:
    pictures = {picture(catalogue, name) for name in catalogue.looks}
    assert len(pictures) > 0.95 * len(catalogue.looks)


def test_each_variant_shows_its_colour(catalogue: Catalogue) -> None:
    product = next(p for p in catalogue.products.values() if len(p.colors) > 2)
    names = {variant.image.removeprefix("/pictures/").partition(".svg")[0] for variant in product.variants}
    drawn = {picture(catalogue, name) for name in names}
    assert len(drawn) == len(product.colors)


@pytest.mark.parametrize("range_", RANGES, ids=lambda range_: range_.key)
def test_each_category_has_three_to_five_silhouettes(range_) -> None:
    silhouettes = {piece.silhouette for piece in range_.pieces}
    assert 3 <= len(silhouettes) <= 5
    assert range_.key in ARTISTS
    looks = [Look(silhouette, "#5b6770") for silhouette in silhouettes]
    assert len({draw(range_.key, look) for look in looks}) == len(silhouettes)
    for look in looks:
        changed = (replace(look, colour="#c9952f"), replace(look, finish="gloss"), replace(look, scale=0.9))
        assert len({draw(range_.key, other) for other in (look, *changed)}) >= 3, look.silhouette


def test_colours_mix_as_they_look() -> None:
    assert to_hex(to_lab("#a7532f")) == "#a7532f"
    assert lightness(shade("#a7532f", 0.1)) == pytest.approx(lightness("#a7532f") + 0.1, abs=0.01)
    assert mix("#000000", "#ffffff", 0.0) == "#000000"
    assert lightness("#000000") < lightness("#27466b") < lightness("#f1efe9")


def test_served_to_be_kept_for_ever(client: FlaskClient, catalogue: Catalogue) -> None:
    name = next(iter(catalogue.looks))
    answer = client.get(f"/pictures/{name}.svg?v={version()}")
    assert answer.status_code == 200
    assert answer.mimetype == "image/svg+xml"
    assert answer.cache_control.immutable
    assert answer.cache_control.max_age == 31_536_000
    assert "Set-Cookie" not in answer.headers
    assert not client.get(f"/pictures/{name}.svg?v=old").cache_control.immutable
    assert client.get("/pictures/nothing.svg").status_code == 404
    assert ElementTree.fromstring(client.get("/pictures/room.svg").text).tag == f"{SVG}svg"


def test_the_policy_knows_the_one_style_of_a_picture(client: FlaskClient, catalogue: Catalogue) -> None:
    answer = client.get(f"/pictures/{next(iter(catalogue.looks))}.svg")
    style = ElementTree.fromstring(answer.text).find(f".//{SVG}style")
    assert style is not None
    digest = base64.b64encode(hashlib.sha256((style.text or "").encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in answer.headers["Content-Security-Policy"]
