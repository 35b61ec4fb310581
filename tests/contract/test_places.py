"""Places of networks: good databases, broken ones, none."""

from __future__ import annotations

import logging
import os
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mtp_plugin.profile.enrich.null import NoPlaces
from mtp_plugin.store.maxmind import MaxMindPlaces

GOOD = "GeoIP2-City-Test.mmdb"
BROKEN = ("GeoIP2-City-Test-Broken-Double-Format.mmdb", "GeoIP2-City-Test-Invalid-Node-Count.mmdb")


@pytest.fixture
def geo(test_data):
    return test_data / "geo"


@pytest.fixture(params=["none", "good", *BROKEN, "missing", "no database", "folder"])
def places(request, geo, tmp_path):
    """Every implementation, and every state of a database."""
    if request.param == "none":
        return NoPlaces()
    if request.param == "no database":
        (tmp_path / "x.mmdb").write_text("hello")
    path = {"good": geo / GOOD, "missing": tmp_path / "none.mmdb", "folder": tmp_path}.get(request.param)
    return MaxMindPlaces(path or (geo / request.param if request.param in BROKEN else tmp_path / "x.mmdb"))


@pytest.mark.data
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    address=st.text(max_size=60) | st.ip_addresses().map(str) | st.sampled_from(["81.2.69.142", "::1", "fe80::1%eth0"])
)
def test_it_never_raises(places, address):
    found = places.find(address)
    assert found is None or found.country or found.city


@pytest.mark.data
def test_a_good_database(geo, caplog):
    places = MaxMindPlaces(geo / GOOD)
    london = places.find("81.2.69.142")
    assert (london.country, london.region, london.city, london.city_id) == ("GB", "ENG", "London", 2643743)
    assert (london.time_zone, round(london.latitude), round(london.longitude)) == ("Europe/London", 52, 0)
    assert places.find("2001:220::7").country == "KR"
    assert places.find("::ffff:81.2.69.142") == london
    assert (places.find("127.0.0.1"), places.find(""), places.find("81.2.69.7")) == (None, None, None)
    assert (places.probe(), caplog.records) == ("", [])


@pytest.mark.data
def test_what_is_remembered_holds_for_its_whole_network_and_is_no_address(geo):
    places = MaxMindPlaces(geo / GOOD)
    for address in ("81.2.69.142", "175.16.199.9", "2001:220::7"):
        places.find(address)
    # 81.2.69.142/31 is narrower than a network that may be kept, so nothing of it is.
    assert set(places._known._entries) == {"175.16.199", "2001:220:0"}
    assert places.find("175.16.199.200") == places.find("175.16.199.9")


@pytest.mark.data
@pytest.mark.parametrize("name", [*BROKEN, "missing.mmdb"])
def test_a_broken_database_is_a_clear_message_and_no_crash(geo, tmp_path, caplog, name):
    path = geo / name if name in BROKEN else tmp_path / name
    places = MaxMindPlaces(path)
    with caplog.at_level(logging.WARNING):
        assert {places.find(address) for address in ("81.2.69.142", "2001:220::7", "175.16.199.9")} == {None}
    said = places.probe()
    assert str(path) in said
    assert ("is not there" in said) is (name == "missing.mmdb")
    assert [record.message for record in caplog.records] == [f"{said}; places are unknown where it fails"]
    assert "81.2" not in caplog.text


@pytest.mark.data
def test_a_file_that_is_replaced_is_read_anew(geo, tmp_path):
    seconds = [0.0]
    path = tmp_path / "city.mmdb"
    places = MaxMindPlaces(path, clock=lambda: seconds[0])
    assert places.find("81.2.69.142") is None
    shutil.copy(geo / GOOD, tmp_path / "new")
    os.replace(tmp_path / "new", path)
    assert places.find("81.2.69.142") is None
    seconds[0] = 61.0
    assert places.find("81.2.69.142").city == "London"
    path.unlink()
    seconds[0] = 122.0
    assert places.find("81.2.69.142") is None
    assert "is not there" in places.probe()
