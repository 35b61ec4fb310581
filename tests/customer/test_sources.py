"""Orders of the shop's own systems: incremental, each once, and the same whichever way they came."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mtp_plugin.errors import SetupError
from mtp_plugin.extension import standard_jobs_of
from mtp_plugin.records import Profile
from mtp_plugin.sources import pull
from mtp_plugin.state import OrderSource

from ..web.shop import Shop, build_shop

T0 = 1_770_000_000.0
DAY = 86400.0


class Erp:
    """Orders as a table: each row with when it was changed."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.asked: list[float] = []

    def put(self, number: int, day: float, user: str = "ada", **more: Any) -> None:
        placed = self.rows.get(str(number), {}).get("placed_at", datetime.fromtimestamp(T0 + day * DAY, UTC))
        lines = [{"product_id": f"p{number % 100:03d}", "quantity": 2, "price": Decimal("9.50")}]
        row = {"order_id": number, "user_id": user, "placed_at": placed, "products": lines, "total": Decimal("19.00")}
        self.rows[str(number)] = {**row, "changed_at": datetime.fromtimestamp(T0 + day * DAY, UTC), **more}

    def __call__(self, since: float) -> Iterator[dict[str, Any]]:
        self.asked.append(since)
        changed = [row for row in self.rows.values() if row["changed_at"].timestamp() >= since]
        yield from sorted(changed, key=lambda row: (row["changed_at"], str(row["order_id"])))


@pytest.fixture
def make_shop(tmp_path: Path) -> Iterator[Callable[[], Shop]]:
    made: list[Shop] = []

    def make() -> Shop:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(build_shop(folder))
        return made[-1]

    yield make
    for shop in made:
        shop.state.close()


def profile(shop: Shop, profile_id: str = "u:ada") -> Profile:
    (found,) = shop.state.journal.profiles([profile_id])
    assert found is not None
    return msgspec.structs.replace(found, revision=0)


def test_only_what_changed_is_asked_for_and_counts_once(make_shop: Callable[[], Shop]) -> None:
    shop, erp = make_shop(), Erp()
    source = OrderSource("erp", erp)
    erp.put(1, 0.0)
    erp.put(2, 1.0)
    assert pull(shop.state, source).added == 2
    assert pull(shop.state, source).added == 0
    erp.put(3, 2.0)
    erp.put(1, 3.0, status="cancelled")
    done = pull(shop.state, source)
    assert (done.added, done.wrong) == (2, 0)
    assert erp.asked[0] == 0.0
    assert erp.asked[2] == T0 + DAY - 600
    assert (profile(shop).orders, profile(shop).revenue) == (2, 38.0)
    assert pull(shop.state, source, anew=True).added == 0


def test_rebuilding_gives_the_profile_that_came_in_bit_by_bit(make_shop: Callable[[], Shop]) -> None:
    shop, erp = make_shop(), Erp()
    for number in range(12):
        erp.put(number, float(number), user=("ada", "ben")[number % 2])
        if number % 4 == 3:
            erp.put(number - 2, number + 0.5, user="ben", status="refunded", refund=9.5)
        pull(shop.state, OrderSource("erp", erp))
    before = [profile(shop, f"u:{user}") for user in ("ada", "ben")]
    shop.state.pipeline.rebuild()
    assert [profile(shop, f"u:{user}") for user in ("ada", "ben")] == before


changes = st.lists(st.tuples(st.integers(1, 5), st.sampled_from(["", "cancelled", "paid"])), max_size=12)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(changes)
def test_bit_by_bit_or_at_once_is_the_same(make_shop: Callable[[], Shop], steps: list[tuple[int, str]]) -> None:
    slowly, at_once, erp = make_shop(), make_shop(), Erp()
    for day, (number, status) in enumerate(steps):
        erp.put(number, float(day), status=status)
        pull(slowly.state, OrderSource("erp", erp))
    pull(at_once.state, OrderSource("erp", erp))
    for shop in (slowly, at_once):
        (found,) = shop.state.journal.profiles(["u:ada"])
        cancelled = {n for n, row in erp.rows.items() if row["status"] == "cancelled"}
        told = {number: {status for n, status in steps if n == number} for number, _ in steps}
        still = [n for n in erp.rows if "cancelled" not in told[int(n)]]
        if found is not None and shop is at_once:
            assert found.orders == len(erp.rows) - len(cancelled)
        if found is not None and shop is slowly:
            assert found.orders == len(still)


def test_a_guest_is_found_by_the_address(make_shop: Callable[[], Shop]) -> None:
    shop, erp = make_shop(), Erp()
    erp.put(1, 0.0, user="", email="Ada@example.com")
    erp.put(2, 1.0, user="ada", email="ada@example.com ")
    pull(shop.state, OrderSource("erp", erp))
    guest = f"a:erp/{shop.state.hasher.email('ada@example.com')}"
    assert set(shop.state.people.resolve(["u:ada"]).profile_ids) == {"u:ada", guest}
    assert b"ada@example" not in b"".join(
        path.read_bytes() for path in Path(shop.app.instance_path).glob("mtp.sqlite*")
    )


def test_wrong_rows_are_named_and_the_others_kept(make_shop: Callable[[], Shop]) -> None:
    shop, erp = make_shop(), Erp()
    erp.put(1, 0.0)
    erp.put(2, 1.0, status="lost at sea")
    erp.put(3, 2.0, products=[])
    done = pull(shop.state, OrderSource("erp", erp))
    assert (done.read, done.added, done.wrong) == (3, 1, 2)
    assert "status" in done.line()


def test_a_source_that_fails_is_asked_the_same_again(make_shop: Callable[[], Shop]) -> None:
    shop = make_shop()

    def broken(since: float) -> Iterator[dict[str, Any]]:
        raise RuntimeError("password=hunter2")
        yield {}

    with pytest.raises(SetupError, match="RuntimeError") as caught:
        pull(shop.state, OrderSource("erp", broken))
    assert "hunter2" not in str(caught.value)
    assert shop.state.cursors.get("source:erp") == ""


def test_who_refused_is_left_out(make_shop: Callable[[], Shop]) -> None:
    shop, erp = make_shop(), Erp()
    browser = shop.browser()
    browser.get("/sign-in/ada")
    browser.agree(False)
    erp.put(1, 0.0)
    assert pull(shop.state, OrderSource("erp", erp)).line() == (
        "1 rows read, 0 events added, 1 of customers who refused"
    )


def test_declared_it_has_a_job_and_a_command(tmp_path: Path) -> None:
    shop, erp = build_shop(tmp_path, mount=False), Erp()
    shop.mtp.order_source("erp", hours=2)(erp)
    with pytest.raises(SetupError):
        shop.mtp.order_source("erp")
    shop.mtp.init_app(shop.app)
    erp.put(1, 0.0)
    job = standard_jobs_of(shop.state).all["orders-erp"]
    assert job.every == 7200
    assert job.run() == "1 rows read, 1 events added, 0 of customers who refused"
    run = shop.app.test_cli_runner().invoke
    said = json.loads(run(args=["mtp", "import-orders", "erp", "--anew", "--json"]).stdout)
    assert said["sources"]["erp"] == {"read": 1, "added": 0, "refused": 0, "wrong": 0, "reasons": []}
    assert run(args=["mtp", "import-orders", "crm"]).exit_code == 1
    shop.state.close()
