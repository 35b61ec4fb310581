"""The default placements, and what a shop may lay over them."""

from __future__ import annotations

import json

import pytest

from mtp_plugin.block.placements import DEFAULTS, load_placements
from mtp_plugin.errors import SettingError
from mtp_plugin.records import Placement


def test_defaults_are_the_eight_documented_ones():
    assert list(load_placements({})) == [
        "home-hero",
        "home-trending",
        "product-similar",
        "product-together",
        "cart-complete",
        "category-top",
        "search-empty",
        "recently-viewed",
    ]
    assert load_placements("")["home-hero"].strategies == ("recommended-for-you", "trending-items", "best-sellers")


def test_an_option_is_laid_over_the_default():
    hero = load_placements({"home-hero": {"size": 8, "title": " Für dich "}})["home-hero"]
    assert (hero.size, hero.title, hero.strategies) == (8, "Für dich", DEFAULTS[0].strategies)


def test_a_new_placement_needs_no_more_than_a_strategy():
    made = load_placements({"blog-footer": {"strategy": "on-sale"}})["blog-footer"]
    assert (made.name, made.strategies, made.layout, made.size) == ("blog-footer", ("on-sale",), "grid", 6)


def test_a_whole_placement_may_be_given_in_code():
    given = Placement(name="other", title="Hats", strategies=("best-sellers",), layout="list")
    assert load_placements({"hats": given})["hats"] == Placement(
        name="hats", title="Hats", strategies=("best-sellers",), layout="list"
    )


def test_a_json_file_is_read(tmp_path):
    path = tmp_path / "placements.json"
    path.write_text(json.dumps({"home-hero": {"strategies": ["best-sellers"], "enabled": False}}))
    hero = load_placements(str(path))["home-hero"]
    assert (hero.strategies, hero.enabled) == (("best-sellers",), False)


@pytest.mark.parametrize(
    ("options", "named", "remedy"),
    [
        ({"strategy": "best-seller"}, "['x']['strategy']", "did you mean best-sellers?"),
        ({"strategies": []}, "['x']['strategies']", "use one strategy or a list"),
        ({"strategies": ["on-sale", "on-sale"]}, "['x']['strategies']", "once"),
        ({"strategy": "on-sale", "size": 49}, "['x']['size']", "from 1 to 48"),
        ({"strategy": "on-sale", "size": 0}, "['x']['size']", "from 1 to 48"),
        ({"strategy": "on-sale", "size": True}, "['x']['size']", "from 1 to 48"),
        ({"strategy": "on-sale", "size": "6"}, "['x']['size']", "from 1 to 48"),
        ({"strategy": "on-sale", "layout": "carousell"}, "['x']['layout']", "did you mean carousel?"),
        ({"strategy": "on-sale", "layuot": "grid"}, "['x']['layuot']", "did you mean layout?"),
        ({"strategy": "on-sale", "zzz": 1}, "['x']['zzz']", "there are title, "),
        ({"strategy": "on-sale", "enabled": "no"}, "['x']['enabled']", "true or false"),
        ({"strategy": "on-sale", "title": None}, "['x']['title']", "a string"),
        ({"strategy": "on-sale", "size": 3, "min_items": 4}, "['x']['min_items']", "at most its size, 3"),
        ({"size": 3}, "['x']", "say which strategy"),
        ("best-sellers", "['x']", "give options"),
    ],
)
def test_a_bad_option_is_named_with_its_remedy(options, named, remedy):
    with pytest.raises(SettingError) as caught:
        load_placements({"x": options})
    assert caught.value.key == "MTP_PLACEMENTS" + named
    assert remedy in str(caught.value)


@pytest.mark.parametrize("name", ["", "Home Hero", "../x", 5])
def test_a_name_is_small_letters_digits_and_hyphens(name):
    with pytest.raises(SettingError, match="small letters"):
        load_placements({name: {"strategy": "on-sale"}})


def test_a_whole_placement_is_checked_too():
    with pytest.raises(SettingError, match="from 1 to 48"):
        load_placements({"x": Placement(name="x", title="", strategies=("on-sale",), size=900)})


@pytest.mark.parametrize(
    ("text", "remedy"), [("{", "not JSON"), ("[]", "must hold an object"), (None, "cannot be read")]
)
def test_a_bad_file_is_named(tmp_path, text, remedy):
    path = tmp_path / "placements.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SettingError, match=remedy) as caught:
        load_placements(str(path))
    assert str(path) in str(caught.value)
