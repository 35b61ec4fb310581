"""What every merge ledger promises."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest

from mtp_plugin.config import Settings
from mtp_plugin.errors import InputError, NotFoundError
from mtp_plugin.ports import Identity
from mtp_plugin.records import Claim, Person
from mtp_plugin.store.memory import MemoryIdentity
from mtp_plugin.store.open import Stores

from .conftest import DATABASES, settings_of

MOST = 16
"""Nodes of one person."""


@pytest.fixture(params=("memory", *DATABASES))
def ledgers(request: pytest.FixtureRequest, open_again: Callable[[Settings], Stores]) -> Callable[[], Identity]:
    """Gives the ledger as each worker has it."""
    if request.param == "memory":
        only = MemoryIdentity(MOST)
        return lambda: only
    settings = replace(settings_of(request.param, request), identity_max_nodes=MOST)
    return lambda: open_again(settings).identity


def signs_in(user: str, browser: str) -> Claim:
    return Claim(left=f"u:{user}", right=f"a:{browser}", kind="sign-in")


def test_nobody_is_linked_at_first(ledgers: Callable[[], Identity]) -> None:
    ledger = ledgers()
    assert ledger.resolve(["u:1", "a:x"]) == Person(("u:1", "a:x"), "a:x")
    assert ledger.resolve(["a:x"]) == Person(("a:x",), "a:x")
    assert ledger.resolve(["u:1"]) == Person(("u:1",), "u:1")
    assert ledger.resolve([]) == Person((), "")
    assert ledger.resolve(["u:\0", "a:x"]).profile_ids == ("u:\0", "a:x")
    assert ledger.links_of("u:1") == []
    assert ledger.cluster("u:1") == ("u:1",)


def test_all_devices_of_an_account_are_one_person(ledgers: Callable[[], Identity]) -> None:
    ledger, other = ledgers(), ledgers()
    assert other.resolve(["u:1", "a:y"]).unit == "a:y"
    ledger.claim([signs_in("1", "x"), signs_in("1", "y")], 5.0, "events")
    assert ledger.resolve(["u:1", "a:y"]) == Person(("u:1", "a:y", "a:x"), "a:x")
    assert ledger.resolve(["u:1"]) == Person(("u:1", "a:x", "a:y"), "a:x")
    assert ledger.resolve(["a:y"]) == Person(("a:y",), "a:y"), "nobody is signed in"
    assert ledger.cluster("a:y") == ("a:x", "a:y", "u:1")


def test_another_worker_soon_knows(ledgers: Callable[[], Identity], monkeypatch: pytest.MonkeyPatch) -> None:
    ledger, other = ledgers(), ledgers()
    monkeypatch.setattr("mtp_plugin.store.sql_identity.UNTOLD", 0.0)
    assert len(other.resolve(["u:1"]).profile_ids) == 1
    (link,) = ledger.claim([signs_in("1", "x")], 5.0, "events")
    assert other.resolve(["u:1"]).profile_ids == ("u:1", "a:x")
    ledger.decide(link.link_id, "undone", 6.0, "anna")
    assert other.resolve(["u:1"]).profile_ids == ("u:1",)


def test_a_claim_told_again_changes_nothing(ledgers: Callable[[], Identity]) -> None:
    ledger = ledgers()
    (link,) = ledger.claim([signs_in("1", "x")], 5.0, "events")
    assert (link.state, link.left, link.right, link.confidence) == ("active", "a:x", "u:1", 1.0)
    assert ledger.claim([signs_in("1", "x")], 9.0, "events") == [link]
    assert [(entry.state, entry.at) for entry in ledger.history(link.link_id)] == [("active", 5.0)]
    assert ledger.links_of("a:x") == ledger.links() == ledger.links("active") == [link]


def test_a_merge_is_undone_and_stays_so(ledgers: Callable[[], Identity]) -> None:
    ledger = ledgers()
    first, second = ledger.claim([signs_in("1", "x"), signs_in("1", "y")], 5.0, "events")
    before = ledger.resolve(["u:1", "a:x"])
    ledger.decide(second.link_id, "undone", 7.0, "anna")
    assert ledger.cluster("a:y") == ("a:y",)
    assert ledger.cluster("u:1") == ("a:x", "u:1")
    assert ledger.claim([signs_in("1", "y")], 8.0, "events")[0].state == "undone"
    again = ledger.claim([Claim(left="u:1", right="a:y", kind="alias")], 8.0, "events")[0]
    assert (again.state, again.reason) == ("refused", "settled")
    ledger.decide(second.link_id, "active", 9.0, "anna")
    assert ledger.resolve(["u:1", "a:x"]) == before
    states = [(entry.state, entry.actor) for entry in ledger.history(second.link_id)]
    assert states == [("active", "events"), ("undone", "anna"), ("active", "anna")]
    assert ledger.history(first.link_id)[0].state == "active"


def test_a_suggestion_waits_for_a_word(ledgers: Callable[[], Identity]) -> None:
    ledger = ledgers()
    likely = Claim(left="a:x", right="a:y", kind="likeness", confidence=0.8, suggest=True, evidence={"products": 3})
    other = Claim(left="a:x", right="a:z", kind="likeness", confidence=0.7, suggest=True)
    first, second = ledger.claim([likely, other], 5.0, "job")
    assert [link.state for link in (first, second)] == ["suggested"] * 2
    assert ledger.cluster("a:x") == ("a:x",)
    assert ledger.links("suggested") == [second, first]
    assert first.evidence == {"products": 3}
    assert ledger.decide(first.link_id, "active", 6.0, "anna").state == "active"
    assert ledger.decide(second.link_id, "rejected", 6.0, "anna").state == "rejected"
    assert ledger.cluster("a:x") == ("a:x", "a:y")
    assert ledger.claim([other], 7.0, "job")[0].state == "rejected"
    with pytest.raises(InputError):
        ledger.decide(second.link_id, "undone", 8.0, "anna")
    with pytest.raises(NotFoundError):
        ledger.decide(999, "undone", 8.0, "anna")


def test_certainty_makes_a_suggestion_a_link(ledgers: Callable[[], Identity]) -> None:
    ledger = ledgers()
    claim = Claim(left="a:x", right="a:y", kind="likeness", confidence=0.8, suggest=True)
    (first,) = ledger.claim([claim], 5.0, "job")
    (link,) = ledger.claim([Claim(left="a:y", right="a:x", kind="likeness", confidence=0.99)], 6.0, "job")
    assert (link.link_id, link.state, link.confidence) == (first.link_id, "active", 0.99)


def test_two_accounts_are_never_one_person(ledgers: Callable[[], Identity]) -> None:
    ledger = ledgers()
    by_mail = [Claim(left=f"u:{user}", right="e:k1:00", kind="email") for user in "12"]
    ledger.claim([signs_in("1", "x"), signs_in("2", "y"), by_mail[0]], 5.0, "events")
    (refused,) = ledger.claim([by_mail[1]], 6.0, "events")
    assert (refused.state, refused.reason) == ("refused", "two-accounts")
    (likely,) = ledger.claim([Claim(left="a:x", right="a:y", kind="likeness", confidence=0.99)], 7.0, "job")
    assert (likely.state, likely.reason) == ("refused", "two-accounts")
    with pytest.raises(InputError, match="two-accounts"):
        ledger.decide(likely.link_id, "active", 8.0, "anna")


def test_a_shared_browser_tells_of_nobody(ledgers: Callable[[], Identity]) -> None:
    ledger = ledgers()
    ledger.claim([signs_in("1", "x"), signs_in("1", "y")], 5.0, "events")
    (refused,) = ledger.claim([signs_in("2", "x")], 6.0, "events")
    assert refused.state == "refused"
    assert ledger.resolve(["u:1", "a:y"]).profile_ids == ("u:1", "a:y")
    assert ledger.resolve(["u:1", "a:x"]).profile_ids == ("u:1", "a:y")
    assert ledger.resolve(["u:2", "a:x"]).profile_ids == ("u:2",)
    assert ledger.resolve(["a:x"]).profile_ids == ("a:x",)
    assert ledger.claim([signs_in("3", "x")], 7.0, "events")[0].reason == "shared"
    suspended = next(link for link in ledger.links_of("a:x") if link.state == "suspended")
    assert suspended.reason == "shared"
    ledger.share("a:x", False, 8.0, "anna")
    ledger.decide(suspended.link_id, "active", 9.0, "anna")
    assert ledger.resolve(["u:1", "a:x"]).profile_ids == ("u:1", "a:x", "a:y")
    ledger.share("a:x", True, 10.0, "anna")
    assert ledger.resolve(["u:1", "a:x"]).profile_ids == ("u:1", "a:y")


def test_an_id_that_many_give_tells_of_nobody(ledgers: Callable[[], Identity]) -> None:
    ledger = ledgers()
    for number in range(4):
        ledger.claim([Claim(left=f"u:{number}", right="p:k1:00", kind="phone")], 5.0 + number, "events")
    assert ledger.cluster("p:k1:00") == ("p:k1:00",)
    assert {link.state for link in ledger.links_of("p:k1:00")} == {"suspended", "refused"}
    assert ledger.claim([Claim(left="u:null", right="a:x", kind="sign-in")], 9.0, "events")[0].reason == "no-id"


def test_clusters_do_not_grow_without_end(ledgers: Callable[[], Identity]) -> None:
    ledger = ledgers()
    made = ledger.claim([signs_in("1", f"{number:03d}") for number in range(20)], 5.0, "events")
    assert [link.reason for link in made] == [""] * 15 + ["too-many"] * 5
    found = ledger.resolve(["u:1", "a:014"])
    assert len(found.profile_ids) == 12
    assert found.unit == "a:000"
    assert {"u:1", "a:014", "a:000"} <= set(found.profile_ids)


def test_a_withdrawn_permission_parts_until_it_is_given_again(ledgers: Callable[[], Identity]) -> None:
    ledger = ledgers()
    ledger.claim([signs_in("1", "x")], 5.0, "events")
    (parted,) = ledger.detach("a:x", "consent", 6.0, "consent")
    assert (parted.state, parted.reason) == ("suspended", "consent")
    assert ledger.resolve(["u:1"]).profile_ids == ("u:1",)
    assert ledger.claim([signs_in("1", "x")], 7.0, "events")[0].state == "active"
    assert ledger.resolve(["u:1"]).profile_ids == ("u:1", "a:x")


def test_what_is_older_than_the_withdrawal_does_not_give_the_permission(ledgers: Callable[[], Identity]) -> None:
    """Such as an event that waited, or one that is sent again."""
    ledger = ledgers()
    ledger.claim([signs_in("1", "x")], 5.0, "events")
    ledger.detach("a:x", "consent", 6.0, "consent")
    before, after = (msgspec.structs.replace(signs_in("1", "x"), at=at) for at in (5.5, 6.5))
    assert ledger.claim([before], 7.0, "events")[0].state == "suspended"
    assert ledger.resolve(["u:1"]).profile_ids == ("u:1",)
    assert ledger.claim([after], 7.0, "events")[0].state == "active"


def test_an_erased_node_was_never_there(ledgers: Callable[[], Identity]) -> None:
    ledger = ledgers()
    links = ledger.claim([signs_in("1", "x"), signs_in("1", "y")], 5.0, "events")
    assert ledger.erase("u:1") == 2
    assert ledger.links_of("a:x") == ledger.links() == ledger.history(links[0].link_id) == []
    assert ledger.cluster("a:x") == ("a:x",)
    assert ledger.erase("u:1") == 0
    assert ledger.claim([signs_in("1", "x")], 6.0, "events")[0].state == "active"


def test_many_workers_at_once_make_one_person(ledgers: Callable[[], Identity]) -> None:
    workers = [ledgers() for _ in range(3)]
    threads = [
        threading.Thread(target=worker.claim, args=([signs_in("1", f"{n}{m}") for m in range(4)], 5.0, "events"))
        for n, worker in enumerate(workers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ledgers().cluster("u:1")) == 13
