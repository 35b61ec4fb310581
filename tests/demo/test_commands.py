"""``demo build``: imports, simulates, learns; and does it once."""

from __future__ import annotations

from pathlib import Path

from demo_store import create_app
from demo_store.learning import A_DAY, BANDITS, DAYS


def test_build_once(instance: Path) -> None:
    app = create_app({"TESTING": True, "DEMO_INSTANCE": str(instance)})
    runner = app.test_cli_runner()
    first = runner.invoke(args=["demo", "build", "--visitors", "60", "--seed", "3"])
    assert first.exit_code == 0, first.output
    assert "264 unchanged" in first.output
    assert "built in" in first.output
    state = app.extensions["mtp"]
    assert state.journal.count() > 300
    assert {info.kind for info in state.registry.list()} == {"behaviour", "content", "propensity", "segments"}
    for name in BANDITS:
        impressions = sum(one.value for one in state.bandit_state.sums(name) if one.cell == 0)
        assert impressions >= DAYS * A_DAY  # visits to the shop's blocks add to the bandits' own
    told = app.test_client().get("/mtp/admin/figures/", base_url="http://localhost").get_data(as_text=True)
    assert "every figure here are simulated" in told
    assert "No blocks shown" not in told
    assert sum(one.ok for one in state.leases.last_runs().values()) == len(state.leases.last_runs()) > 10
    count = state.journal.count()
    second = runner.invoke(args=["demo", "build", "--visitors", "60", "--seed", "3"])
    assert "already" in second.output
    assert state.journal.count() == count
    third = runner.invoke(args=["demo", "build", "--visitors", "60", "--seed", "4"])
    assert "built in" in third.output
    assert state.journal.count() > count
    state.close()
