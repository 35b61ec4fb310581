"""Webhooks from their arrival to what they change: kept first, then read, and read again when that failed.

A delivery is answered as soon as it is durable. What cannot be done yet (the refund of an order that is not here) is
tried again with growing pauses; what cannot be read is put aside, with its body, until somebody mends the mapping and
retries it.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from .catalog.shopify_json import ID, product_from_shopify
from .errors import InputError, MTPError, NotFoundError, UnavailableError
from .memory import Remembered
from .ports import Webhook
from .records import Event, ProductTable
from .state import State
from .track.contacts import Contacts
from .track.webhooks.reading import Happening, Person, Reading, event_of
from .track.webhooks.signature import digest_of
from .track.webhooks.sources import Source

log = logging.getLogger(__name__)

FIRST_TRY_S = 60.0
"""A delivery that its own request did not finish (the process ended) is taken up after this time."""
PAUSES = (60.0, 240.0, 960.0, 3600.0, 4 * 3600.0, 6 * 3600.0, 12 * 3600.0, 24 * 3600.0)
"""Seconds before each further try; after the last it is given up."""
LIMIT = 500


class _Later(Exception):
    """It cannot be done yet; the argument says why."""


def receive(state: State, source: str, topic: str, delivery_id: str, body: bytes, now: float) -> Webhook | None:
    """Keep a delivery and do what it says; gives what became of it, ``None`` when it came before.

    :raises UnavailableError: it could not be kept; the sender is to send it again
    """
    digest = digest_of(topic, body)
    kept = state.webhooks.add(
        source, topic, delivery_id or digest.hex(), digest, body, now=now, next_try_at=now + FIRST_TRY_S
    )
    return process(state, kept, now) if kept else None


def run_due(state: State) -> str:
    """Try again what waits; the job. Gives a line on what was done."""
    now = time.time()
    done = [process(state, webhook, now) for webhook in state.webhooks.due(now, LIMIT)]
    return f"{len(done)} tried, {sum(one.state == 'done' for one in done)} done"


def retry(state: State, webhook_id: int) -> Webhook:
    """Read a delivery again now, whatever became of it before.

    :raises NotFoundError: there is none, or its body is not kept any more
    """
    webhook = state.webhooks.get(webhook_id)
    if webhook is None or state.webhooks.body(webhook_id) is None:
        raise NotFoundError(f"there is no webhook {webhook_id} with a body", field="webhook_id")
    return process(state, msgspec.structs.replace(webhook, tries=0), time.time())


def process(state: State, webhook: Webhook, now: float) -> Webhook:
    """Do what a kept delivery says; gives what became of it, which is stored."""
    reading = Reading()
    try:
        body = state.webhooks.body(webhook.webhook_id)
        reading = _read(state, webhook, body)
        profile_id, said = _do(state, webhook, reading, now)
        done = _with(webhook, "ignored" if reading.ignored else "done", said or reading.ignored, profile_id=profile_id)
    except InputError as error:
        done = _with(webhook, "dead", f"{error.field}: {error.message}".removeprefix(": "))
    except (_Later, UnavailableError) as error:
        done = _again(webhook, str(error), now)
    except MTPError as error:
        done = _again(webhook, type(error).__name__, now)
    except Exception as error:  # one delivery must not stop the others; its body may be personal, so no text of it
        log.exception("webhook %s of %s failed", webhook.webhook_id, webhook.source)
        done = _again(webhook, type(error).__name__, now)
    acted = bool(reading.act) and done.state == "done"
    state.webhooks.finish(done, keep_body=not acted)
    return done


def _with(webhook: Webhook, state: str, message: str, **more: Any) -> Webhook:
    return msgspec.structs.replace(webhook, state=state, message=message[:300], **more)


def _again(webhook: Webhook, message: str, now: float) -> Webhook:
    tries = webhook.tries + 1
    if tries > len(PAUSES):
        return _with(webhook, "dead", message, tries=tries)
    return _with(webhook, "waiting", message, tries=tries, next_try_at=now + PAUSES[tries - 1])


def _read(state: State, webhook: Webhook, body: bytes | None) -> Reading:
    source = state.sources.get(webhook.source)
    if source is None:
        raise InputError(f"there is no source {webhook.source!r} in MTP_WEBHOOKS any more")
    if body is None:
        raise InputError("its body is not kept any more")
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        raise InputError("the body is not JSON") from None
    if not isinstance(told, dict):
        raise InputError("the body must be a JSON object")
    return source.read(webhook.topic, told, webhook.received_at, webhook.delivery_id)


def _do(state: State, webhook: Webhook, reading: Reading, now: float) -> tuple[str, str]:
    """Gives whom it was about, if anybody, and a word on what was done."""
    if reading.act:
        return "", _act(state, webhook, reading, now)
    if reading.product is not None or reading.gone:
        return "", _catalogue(state, reading)
    if reading.ignored or not reading.happenings:
        return "", "there was nothing to keep"
    return _record(state, webhook, reading, now)


# ----------------------------------------------------------------------------------------------- events


def _record(state: State, webhook: Webhook, reading: Reading, now: float) -> tuple[str, str]:
    source = state.sources[webhook.source]
    hashes = hashes_of(state, reading.person)
    user_id, anonymous_id = _named(source, webhook.source, reading.person, hashes)
    events = []
    for happening in reading.happenings:
        user, anonymous = user_id, anonymous_id
        if happening.of_order and not user:
            user, anonymous = _owner(state, happening.of_order)
        events.append(event_of(webhook.source, _in_our_words(state, happening), user, anonymous, webhook.received_at))
    if hashes and not any(event.name == "Identify" for event in events):
        told = Happening(name="Identify", key=f"{events[0].event_id}:contacts", timestamp=events[0].timestamp)
        events.append(event_of(webhook.source, told, user_id, anonymous_id, webhook.received_at))
    events = [_with_hashes(event, hashes) for event in events]
    profile_id = events[0].profile_id
    if has_refused(state, profile_id):
        return "", "the customer refused, nothing was kept"
    new = state.pipeline.ingest(events)
    return profile_id, f"{sum(new)} new events"


def _with_hashes(event: Event, hashes: Mapping[str, str]) -> Event:
    if event.name != "Identify" or not hashes:
        return event
    return msgspec.structs.replace(event, properties={**event.properties, **hashes})


def hashes_of(state: State, person: Person) -> dict[str, str]:
    """The keyed hashes of a person's addresses, by the names of traits."""
    contacts = Contacts({"email": state.hasher.email, "phone": state.hasher.phone})
    return contacts(person.contacts)


def _named(source: Source, name: str, person: Person, hashes: Mapping[str, str]) -> tuple[str, str]:
    """Account and browser under which a person's events are kept; a guest is one and the same by e-mail."""
    if source.customer == "email" and "email_hash" in hashes:
        return hashes["email_hash"], ""
    if person.user_id and source.customer == "id":
        return person.user_id, ""
    guest = hashes.get("email_hash") or person.anonymous_id
    if not guest and not person.order_ids:
        raise InputError("the body names nobody", field="customer")
    return "", f"{name}/{guest}" if guest and source.kind == "shopify" else guest


def _owner(state: State, order_id: str) -> tuple[str, str]:
    """Whose order it was, by the link that the order made.

    :raises _Later: the order is not here yet
    """
    node = f"o:{order_id}"
    for link in state.people.identity.links_of(node):
        owner = link.left if link.right == node else link.right
        if owner.startswith("u:"):
            return owner[2:], ""
        if owner.startswith("a:"):
            return "", owner[2:]
    raise _Later("the order it speaks of is not known yet")


def has_refused(state: State, profile_id: str) -> bool:
    """Whether the latest decision on record of this person is a refusal."""
    decisions = [one for one in state.consents.of(profile_id) if one.purpose == "personalisation"]
    return bool(decisions) and not decisions[-1].granted


# --------------------------------------------------------------------------------------------- products

Names = dict[str, str]
_names: Remembered[int, tuple[ProductTable, Names]] = Remembered(4)


def _in_our_words(state: State, happening: Happening) -> Happening:
    """With the ids of our catalogue: senders name products by numbers or stock-keeping units."""
    table = state.pipeline.live.get().table
    names = _names_of(table) if any(product.product_id not in table.index for product in happening.products) else {}
    products = tuple(
        product
        if product.product_id in table.index
        else msgspec.structs.replace(
            product, product_id=names.get(product.product_id) or names.get(product.variant_id) or product.product_id
        )
        for product in happening.products
    )
    return msgspec.structs.replace(happening, products=products)


def _names_of(table: ProductTable) -> Names:
    """Our product by the sender's number of it and by the ids of its variants; made once a catalogue."""
    known = _names.get(id(table))
    if known is not None and known[0] is table:
        return known[1]
    names: Names = {}
    for product in table.products:
        names |= {variant.variant_id: product.product_id for variant in product.variants}
        if number := product.attributes.get(ID):
            names[str(number)] = product.product_id
    return _names.keep(id(table), (table, names))[1]


def _catalogue(state: State, reading: Reading) -> str:
    if state.catalog is not None:
        return "the shop's own catalogue rules"
    if reading.gone:
        name = _names_of(state.pipeline.live.get().table).get(reading.gone, reading.gone)
        known = state.catalog_store.get([name]).get(name)
        products = [msgspec.structs.replace(known, hidden=True)] if known else []
    else:
        products = [product_from_shopify(reading.product or {}, state.settings.currency)]
    result = state.catalog_store.import_products(products, hide_missing=False)
    return result.line()


# --------------------------------------------------------------------------------------- what the law asks


def _act(state: State, webhook: Webhook, reading: Reading, now: float) -> str:
    """Do what a privacy topic demands, as if the visitor had asked here; the audit log says so, without a name."""
    actor = f"webhook:{webhook.source}"
    if reading.act == "erase-source":
        return _erase_source(state, webhook, actor)
    profile_ids = subjects_of(state, webhook.source, reading.person)
    if reading.act == "erase":
        if profile_ids:
            state.subjects.erase(profile_ids, actor, models=False, linked=False)
        return f"{len(profile_ids)} profiles erased"
    if not profile_ids:
        state.audit.append(actor, "subject.export-asked", "", {"webhook": webhook.webhook_id, "profiles": 0}, at=now)
        return "nothing is kept of this customer"
    asked = state.subjects.ask_export(profile_ids, actor)
    return f"{len(profile_ids)} profiles to be exported: request {asked.request_id}"


def subjects_of(state: State, source: str, person: Person) -> list[str]:
    """All profiles of a person that a privacy topic names: accounts, browsers and guests, but nobody else's."""
    known = state.sources[source]
    hashes = hashes_of(state, person)
    user = hashes.get("email_hash", "") if known.customer == "email" else person.user_id
    nodes = {f"u:{user}"} if user else set()
    if guest := hashes.get("email_hash"):
        nodes |= {f"a:{source}/{guest}", f"e:{guest}"}
    nodes |= {f"o:{order}" for order in person.order_ids}
    found: set[str] = set()
    for node in sorted(nodes):
        cluster = set(state.people.identity.cluster(node))
        strangers = {name for name in cluster if name.startswith("u:")} - {f"u:{user}"}
        found |= {node} if strangers else cluster
    return sorted(name for name in found if name[:2] in ("u:", "a:"))


def _erase_source(state: State, webhook: Webhook, actor: str) -> str:
    """Everybody whom this source told of, and all its bodies."""
    gone = set()
    for events in state.journal.scan():
        gone |= {
            event.profile_id
            for event in events
            if event.source == "webhook" and event.properties.get("via") == webhook.source
        }
    for profile_id in sorted(gone):
        state.subjects.erase([profile_id], actor, models=False)
    bodies = state.webhooks.erase_source(webhook.source)
    return f"{len(gone)} profiles and {bodies} bodies erased"
