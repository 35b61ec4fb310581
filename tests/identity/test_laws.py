"""The ledger under random claims, words and erasures: what is one person is what the active links hold together."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from mtp_plugin.errors import InputError
from mtp_plugin.identity.evidence import claims_of
from mtp_plugin.identity.ledger import components
from mtp_plugin.profile.read import merge
from mtp_plugin.records import Claim, Event, Profile
from mtp_plugin.store.memory import MemoryIdentity

ACCOUNTS, BROWSERS, MAILS = ("u:1", "u:2", "u:3"), ("a:w", "a:x", "a:y", "a:z"), ("e:m", "e:n")
NODES = (*ACCOUNTS, *BROWSERS, *MAILS)
MOST = 5
kinds = st.sampled_from(("sign-in", "email", "alias", "likeness"))
claims = st.builds(
    Claim,
    left=st.sampled_from(NODES),
    right=st.sampled_from(NODES),
    kind=kinds,
    confidence=st.floats(0, 1),
    suggest=st.booleans(),
)
words = st.tuples(st.integers(1, 12), st.sampled_from(("active", "rejected", "undone")))
shares = st.tuples(st.sampled_from(BROWSERS), st.booleans())
steps = st.lists(st.one_of(claims, words, shares), max_size=40)


def act(ledger: MemoryIdentity, step: object, now: float) -> None:
    if isinstance(step, Claim):
        ledger.claim([step], now, "somebody")
        return
    assert isinstance(step, tuple)
    if isinstance(step[0], str):
        ledger.share(step[0], step[1], now, "somebody")
        return
    with contextlib.suppress(InputError):
        ledger.decide(step[0], step[1], now, "somebody")


def after(steps: Sequence[object]) -> MemoryIdentity:
    ledger = MemoryIdentity(MOST)
    for now, step in enumerate(steps, 1):
        act(ledger, step, float(now))
    return ledger


def partition(ledger: MemoryIdentity) -> dict[str, tuple[str, ...]]:
    return {node: ledger.cluster(node) for node in NODES}


def view(ledger: MemoryIdentity) -> object:
    """All that anybody can see of who is who."""
    people = [ledger.resolve([*account, browser]) for account in ([], *([a] for a in ACCOUNTS)) for browser in BROWSERS]
    return partition(ledger), people


@given(steps)
def test_clusters_are_what_active_links_hold_together(steps: list[object]) -> None:
    ledger = after(steps)
    held = components(NODES, [(link.left, link.right) for link in ledger.links("active", 1000)])
    for node in NODES:
        assert set(ledger.cluster(node)) == {other for other in NODES if held[other] == held[node]}


@given(steps)
def test_no_guard_is_ever_passed(steps: list[object]) -> None:
    for nodes in partition(after(steps)).values():
        assert sum(node in ACCOUNTS for node in nodes) <= 1
        assert len(nodes) <= MOST


@given(steps, claims)
def test_undoing_a_merge_restores_everything(steps: list[object], claim: Claim) -> None:
    ledger = after(steps)
    before, known = view(ledger), {link.link_id for link in ledger.links("", 1000)}
    (link,) = ledger.claim([claim], 100.0, "somebody")
    if link.link_id in known or link.state != "active":
        return
    ledger.decide(link.link_id, "undone", 101.0, "anna")
    assert view(ledger) == before


@given(steps, st.data())
def test_undoing_all_leaves_everybody_alone(steps: list[object], data: st.DataObject) -> None:
    ledger = after(steps)
    active = ledger.links("active", 1000)
    for link in data.draw(st.permutations(active)):
        ledger.decide(link.link_id, "undone", 200.0, "anna")
    assert all(nodes == (node,) for node, nodes in partition(ledger).items())


@given(steps)
def test_the_ledger_tells_how_it_came_about(steps: list[object]) -> None:
    ledger = after(steps)
    for link in ledger.links("", 1000):
        entries = ledger.history(link.link_id)
        assert entries[-1].state == link.state
        assert entries[-1].reason == link.reason
        assert [entry.at for entry in entries] == sorted(entry.at for entry in entries)
        assert 0 <= link.confidence <= 1


@given(steps, st.sampled_from(NODES))
def test_an_erased_node_leaves_no_trace(steps: list[object], node: str) -> None:
    ledger = after(steps)
    ledger.erase(node)
    assert ledger.cluster(node) == (node,)
    assert not [link for link in ledger.links("", 1000) if node in (link.left, link.right)]
    held = components(NODES, [(link.left, link.right) for link in ledger.links("active", 1000)])
    for other in NODES:
        assert set(ledger.cluster(other)) == {one for one in NODES if held[one] == held[other]}


@given(steps, st.sampled_from(ACCOUNTS), st.sampled_from(BROWSERS))
def test_profiles_read_after_an_undo_are_those_before(steps: list[object], account: str, browser: str) -> None:
    profiles = {node: Profile(profile_id=node, events=1 + place, orders=place) for place, node in enumerate(NODES)}

    def read(ledger: MemoryIdentity) -> Profile | None:
        return merge([profiles[name] for name in ledger.resolve([account, browser]).profile_ids], 86400.0)

    ledger = after(steps)
    before, known = read(ledger), len(ledger.links("", 1000))
    (link,) = ledger.claim([Claim(left=account, right=browser, kind="manual")], 100.0, "anna")
    if link.state == "active" and len(ledger.links("", 1000)) > known:
        ledger.decide(link.link_id, "undone", 101.0, "anna")
    assert read(ledger) == before


def event(name: str = "Page Viewed", **more: object) -> Event:
    values = {"profile_id": "u:1", "timestamp": 1.0, "received_at": 1.0, "dedupe_key": "k", "event_id": "0" * 32}
    return Event(name=name, **{**values, **more})


def test_events_tell_who_is_who() -> None:
    signed_in = event(user_id="1", anonymous_id="x")
    order = event("Order Completed", source="server", properties={"order_id": "77"})
    mail = event("Identify", source="shop", properties={"email_hash": "k1:00", "phone_hash": "k1:11"})
    alias = event("Alias", source="server", properties={"previous_id": "old"})
    found = claims_of([signed_in, signed_in, order, mail, alias])
    assert [(claim.right, claim.kind) for claim in found] == [
        ("a:x", "sign-in"),
        ("o:77", "order"),
        ("e:k1:00", "email"),
        ("p:k1:11", "phone"),
        ("a:old", "alias"),
    ]
    assert {claim.left for claim in found} == {"u:1"}


def test_what_a_browser_says_of_orders_links_nobody() -> None:
    claimed = event("Order Completed", profile_id="a:x", anonymous_id="x", properties={"order_id": "77"})
    assert claims_of([claimed]) == []
    assert claims_of([event(user_id="undefined", anonymous_id="x")]) == []
