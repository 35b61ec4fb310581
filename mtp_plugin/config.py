"""Settings as rows: each has a name, default, unit, help and check; read once, checked, frozen."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .errors import SettingError

PREFIX = "MTP_"
MIN_SECRET = 6
"""Characters of a key of servers: fewer are a typing error."""
MIN_PII_KEY = 16
"""Bytes of the key of personal data; :class:`mtp_plugin.privacy.pii.Hasher` takes no shorter one."""
_HIDDEN = {
    "MTP_SECRET_KEYS", "MTP_PII_KEY", "MTP_PII_KEY_FALLBACKS", "MTP_WEATHER_URL", "MTP_CRM", "MTP_WEBHOOKS",
    "MTP_FORWARD", "MTP_ALERTS",
}  # fmt: skip
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_PLACE = re.compile(r"[A-Z]{2}(?:-[A-Z0-9]{1,3})?")
_DAY = "(?:mon|tue|wed|thu|fri|sat|sun)"
_SPAN = re.compile(rf"{_DAY}(?:-{_DAY})? [0-2]\d:[0-5]\d-[0-2]\d:[0-5]\d")
_PASSWORD = re.compile(r"(?<=://)([^/@\s:]*):.*@", re.DOTALL)


class _Wrong(Exception):
    """A check's verdict; the text is the remedy."""


def _row(default: Any, help: str, *, unit: str = "", check: Callable[[Any], Any] | None = None) -> Any:
    metadata = {"help": help, "unit": unit, "check": check}
    if isinstance(default, dict):
        return dataclasses.field(default_factory=lambda: dict(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def _flag(value: Any) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in words:
        return words[value.strip().lower()]
    raise _Wrong("use True or False")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _Wrong("use a string")
    return value.strip()


def _one_of(*choices: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value not in choices:
            raise _Wrong("use one of " + ", ".join(choices))
        return str(value)

    return check


def _number(low: float, high: float, kind: type[int] | type[float] = float) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        try:
            number = kind(value)
        except (TypeError, ValueError):
            raise _Wrong(f"use a number from {low} to {high}") from None
        if isinstance(value, bool) or not low <= number <= high:
            raise _Wrong(f"use a number from {low} to {high}")
        return number

    return check


def _url(*schemes: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        text = _text(value)
        if text and not text.startswith(tuple(scheme + ":" for scheme in schemes)):
            raise _Wrong("use a URL that begins with " + " or ".join(scheme + "://" for scheme in schemes))
        return text

    return check


def _workers(value: Any) -> str:
    text = str(value) if type(value) is int else _text(value)
    if text and not text.startswith(("tcp://", "tls://")) and not (text.isdigit() and 1 <= int(text) <= 256):
        raise _Wrong("use a number of processes from 1 to 256, or a scheduler such as tcp://10.0.0.5:8786")
    return text


def _prefix(value: Any) -> str:
    text = _text(value).rstrip("/")
    if not text.startswith("/"):
        raise _Wrong("use a path that begins with a slash, such as /mtp")
    return text


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    if isinstance(value, (list, tuple, set, frozenset)) and all(isinstance(part, str) for part in value):
        return tuple(value)
    raise _Wrong("use a list of strings, or one string with commas")


def _secret_keys(value: Any) -> tuple[str, ...]:
    keys = tuple(key.strip() for key in _texts(value))
    if not all(len(key) >= MIN_SECRET for key in keys):
        remedy = "python -c 'import secrets; print(secrets.token_urlsafe())'"
        raise _Wrong(f"each key needs at least {MIN_SECRET} characters, an empty one would let everybody in: {remedy}")
    return keys


def _pii_key(value: Any) -> str:
    text = _text(value)
    if text and len(text.encode()) < MIN_PII_KEY:
        remedy = "python -c 'import secrets; print(secrets.token_hex())'"
        raise _Wrong(f"use at least {MIN_PII_KEY} bytes, or leave it empty: {remedy}")
    return text


def _pii_keys(value: Any) -> tuple[str, ...]:
    return tuple(_pii_key(key) for key in _texts(value))


def _cookie(value: Any) -> str:
    text = _text(value)
    if not _TOKEN.fullmatch(text):
        raise _Wrong("use a cookie name of letters, digits, - and _, such as mtp_visitor")
    return text


def _optional_cookie(value: Any) -> str:
    return _cookie(value) if value else ""


def _write_keys(value: Any) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, Mapping):
        raise _Wrong('use a mapping of key to its allowed origins, such as {"pk_site": ["https://blog.example"]}')
    keys = {str(key): _texts(origins) for key, origins in value.items()}
    for key, origins in keys.items():
        if (
            not key
            or not origins
            or not all(o.startswith(("http://", "https://")) and o.count("/") == 2 for o in origins)
        ):
            raise _Wrong('list full origins for each key, such as "https://blog.example", without a path')
    return keys


def _weights(value: Any) -> dict[str, float]:
    if not isinstance(value, Mapping) or set(value) - {"view", "cart", "purchase"}:
        raise _Wrong('use {"view": 1, "cart": 3, "purchase": 5}')
    return {"view": 1.0, "cart": 3.0, "purchase": 5.0} | {k: _number(0, 1000)(v) for k, v in value.items()}


def _bounds(value: Any) -> dict[str, float]:
    if not isinstance(value, Mapping) or set(value) - {"coverage", "popularity", "diversity", "latency"}:
        raise _Wrong('use {"coverage": 0.8, "popularity": 1.2, "diversity": 0.8, "latency": 2}, or some of it')
    return {str(key): _number(0, 1000)(part) for key, part in value.items()}


def _named_parts(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(part, Mapping) for part in value.values()):
        raise _Wrong("use a mapping of a name to its options, each a mapping")
    return {str(name): dict(part) for name, part in value.items()}


TAKEN_BACK = ("rule", "model", "experiment", "placement", "fallback")
"""What alerts may do about a figure."""


def _actions(value: Any) -> dict[str, tuple[str, ...]]:
    kpis = ("slates", "ctr", "carts", "conversion", "revenue", "fallback")
    if not isinstance(value, Mapping) or not set(map(str, value)) <= set(kpis):
        raise _Wrong(f'use a mapping such as {{"ctr": ["rule"]}}; the KPIs are {", ".join(kpis)}')
    actions = {str(kpi): _texts(kinds) for kpi, kinds in value.items()}
    if not all(set(kinds) <= set(TAKEN_BACK) for kinds in actions.values()):
        raise _Wrong(f"what may be done is {', '.join(TAKEN_BACK)}")
    return actions


def _time_zone(value: Any) -> str:
    try:
        ZoneInfo(_text(value))
    except (ZoneInfoNotFoundError, ValueError):
        raise _Wrong("use an IANA time zone, such as Europe/Berlin") from None
    return str(value)


def _commuting(value: Any) -> tuple[str, ...]:
    spans = _texts(value)
    if not all(_SPAN.fullmatch(span) for span in spans):
        raise _Wrong('use days and hours such as "mon-fri 07:00-09:30", several in a list, or an empty list')
    return spans


def _web_template(value: Any) -> str:
    text = _url("http", "https")(value)
    try:
        text.format(latitude=0.0, longitude=0.0)
    except (KeyError, IndexError, ValueError):
        raise _Wrong("only {latitude} and {longitude} may stand in braces") from None
    return str(text)


def _names(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(part, str) for row in value.items() for part in row):
        raise _Wrong('use a mapping of names to dotted paths, such as {"temperature": "main.temp"}')
    return dict(value)


def _crm(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(part, Mapping) for part in value.values()):
        raise _Wrong('use a mapping such as {"hubspot": {"csv": "contacts.csv", "id": "customer"}}')
    return {str(name): dict(part) for name, part in value.items()}


def _currency(value: Any) -> str:
    text = _text(value).upper()
    if len(text) != 3 or not text.isalpha():
        raise _Wrong("use an ISO 4217 code, such as EUR")
    return text


def _params(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise _Wrong('use a mapping of names to values, such as {"learning_rate": 0.05}')
    return dict(value)


def _placements(value: Any) -> Any:
    if not isinstance(value, (str, Mapping)):
        raise _Wrong("use a mapping of placement name to its options, or the path of a JSON file with one")
    return value


def _regimes(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or set(value.values()) - {"opt-in", "opt-out"}:
        raise _Wrong('use a mapping of places to opt-in or opt-out, such as {"US-CA": "opt-out", "DE": "opt-in"}')
    if not all(isinstance(place, str) and _PLACE.fullmatch(place) for place in value):
        raise _Wrong("write places as ISO 3166 codes in capitals, such as DE or US-CA")
    return dict(value)


def _purposes(value: Any) -> tuple[str, ...]:
    known, asked = ("functional", "analytics", "personalisation", "advertising"), _texts(value)
    if set(asked) - set(known) or "personalisation" not in asked:
        raise _Wrong(f"use some of {', '.join(known)}, personalisation among them")
    return tuple(purpose for purpose in known if purpose in asked)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings; ``app.config["MTP_<NAME>"]`` sets ``<name>``."""

    enabled: bool = _row(True, "The whole plugin; off, every block is empty and nothing is collected.", check=_flag)
    url_prefix: str = _row("/mtp", "Where the blueprint is mounted.", check=_prefix)
    database_url: str = _row(
        "",
        "SQLAlchemy URL of the durable store; empty is a SQLite file in the instance folder.",
        check=_url("sqlite", "postgresql", "postgresql+psycopg"),
    )
    replica_url: str = _row(
        "",
        "SQLAlchemy URL of a read replica of MTP_DATABASE_URL, a PostgreSQL, for training and reports.",
        check=_url("postgresql", "postgresql+psycopg"),
    )
    redis_url: str = _row(
        "",
        "Redis or Valkey for hot state and the shared cache; empty keeps both in the database and the process.",
        check=_url("redis", "rediss", "unix", "redis+cluster"),
    )
    stream_url: str = _row(
        "",
        "Redis or Valkey for a stream in which events of servers wait for `flask mtp worker`; empty: they are recorded "
        "at once.",
        check=_url("redis", "rediss", "unix", "redis+cluster"),
    )
    stream_max: int = _row(
        1_000_000,
        "Most events that may wait in the stream; more are refused with 503, and servers send them again.",
        check=_number(10_000, 10**9, int),
    )
    broker_url: str = _row(
        "",
        "RabbitMQ, or another broker as kombu takes it, such as amqp://host; for `flask mtp consume` and targets of "
        "kind broker.",
        check=_text,
    )
    broker_queue: str = _row("mtp.events", "The queue that `flask mtp consume` takes events from.", check=_text)
    model_folder: str = _row(
        "", "Folder or fsspec URL of model bundles; empty is mtp_models in the instance folder.", check=_text
    )
    secret_keys: tuple[str, ...] = _row(
        (), "Keys of servers: they may name a userId and read profiles.", check=_secret_keys
    )
    write_keys: dict[str, tuple[str, ...]] = _row(
        {}, "Public keys of pages of other origins, each with the origins it is good for.", check=_write_keys
    )
    currency: str = _row("USD", "Currency of products that name none.", check=_currency)
    locale: str = _row("en", "Language of the plugin's own words and number format, such as en or de-DE.", check=_text)
    time_zone: str = _row("UTC", "The shop's time zone.", check=_time_zone)
    regime: str = _row(
        "opt-in",
        "opt-in keeps nothing before a visitor agrees; opt-out keeps until a visitor objects.",
        check=_one_of("opt-in", "opt-out"),
    )
    regimes: dict[str, str] = _row(
        {},
        "Regimes of places, by ISO 3166 codes, such as US-CA or DE; elsewhere, and where the place is unknown, "
        "MTP_REGIME holds.",
        check=_regimes,
    )
    consent_purposes: tuple[str, ...] = _row(
        ("functional", "analytics", "personalisation"),
        "What visitors are asked for; advertising belongs here when events are forwarded for it.",
        check=_purposes,
    )
    policy_version: str = _row("1", "Version of the privacy policy; a new one asks visitors again.", check=_text)
    cookie_name: str = _row("mtp_visitor", "First-party cookie with the signed visitor id.", check=_cookie)
    consent_cookie_name: str = _row("mtp_consent", "First-party cookie with the visitor's choice.", check=_cookie)
    segment_cookie_name: str = _row(
        "", "First-party cookie with the visitor's segment, for includes at the edge; empty sets none.",
        check=_optional_cookie,
    )  # fmt: skip
    cookie_days: int = _row(180, "How long these cookies live.", unit="days", check=_number(1, 400, int))
    placements: Any = _row({}, "Placements to add or change: a mapping, or the path of a JSON file.", check=_placements)
    placements_off: tuple[str, ...] = _row((), "Placements switched off at once.", check=_texts)
    latency_budget_ms: float = _row(
        50.0, "Time one block may take before it falls back.", unit="ms", check=_number(1, 10_000)
    )
    action_weights: dict[str, float] = _row(
        {"view": 1.0, "cart": 3.0, "purchase": 5.0}, "What each action adds to affinities.", check=_weights
    )
    half_life_days: float = _row(
        14.0, "Time after which an affinity counts half.", unit="days", check=_number(0.01, 3650)
    )
    attribution_days: float = _row(
        7.0,
        "How long after a touch what a visitor puts into the cart or buys is owed to the slate.",
        unit="days",
        check=_number(0.01, 365),
    )
    attribution_touch: str = _row(
        "click",
        "What a touch is: click, or seen, when a slate that was merely seen is one, too.",
        check=_one_of("click", "seen"),
    )
    attribution_match: str = _row(
        "product",
        "What is owed to a slate: product, the touched product alone, or any, whatever is bought after the touch.",
        check=_one_of("product", "any"),
    )
    session_idle_minutes: float = _row(30.0, "Idle time that ends a session.", unit="minutes", check=_number(1, 1440))
    recent_items: int = _row(50, "Recent products kept in a profile.", check=_number(5, 1000, int))
    body_max_kb: int = _row(512, "Largest body of a request with events.", unit="kB", check=_number(1, 10_240, int))
    event_max_kb: int = _row(32, "Largest single event.", unit="kB", check=_number(1, 1024, int))
    browser_orders: bool = _row(
        False, "Believe what browsers say of orders and refunds; they are the server's to tell.", check=_flag
    )
    batch_max_events: int = _row(500, "Most events in one batch.", check=_number(1, 10_000, int))
    dedupe_hours: float = _row(
        48.0, "How long a repeated messageId is recognised.", unit="hours", check=_number(1, 720)
    )
    rate_limit: str = _row("600 per minute", "Requests one visitor or address may send to the API.", check=_text)
    key_rate_limit: str = _row(
        "", "Requests that all pages of one public write key may send together, such as 500 per second.", check=_text
    )
    cache_seconds: int = _row(
        60, "How long a slate that is not personal may be reused.", unit="s", check=_number(0, 3600, int)
    )
    slate_days: int = _row(
        30, "How long slates and their replay inputs are kept.", unit="days", check=_number(1, 3650, int)
    )
    outcome_days: int = _row(
        400,
        "How long is kept what came of slates: clicks, carts and purchases.",
        unit="days",
        check=_number(1, 3650, int),
    )
    model_metric: str = _row(
        "mrr",
        "What a new model must win by, over later sessions, before it serves: mrr (rank of the next product) or hr "
        "(whether it was found).",
        check=_one_of("mrr", "hr"),
    )
    model_confidence: float = _row(
        0.9,
        "How probable it has to be that a new model is better in that before it serves, by a paired bootstrap over "
        "the same later sessions.",
        check=_number(0.5, 0.999),
    )
    model_bounds: dict[str, float] = _row(
        {},
        "Bounds of a new model, as multiples of the serving one's: least coverage and diversity (0.8), most popularity "
        "(1.2) and latency (2).",
        check=_bounds,
    )
    new_days: float = _row(
        14.0,
        "How long after its `created` a product is new, for the option exploration of placements.",
        unit="days",
        check=_number(0.01, 3650),
    )
    segment_method: str = _row(
        "auto",
        "How segments are found: auto compares and chooses, or kmeans, dbscan, hdbscan, agglomerative.",
        check=_one_of("auto", "kmeans", "dbscan", "hdbscan", "agglomerative"),
    )
    segment_count: int = _row(0, "Number of segments to find; 0 chooses it.", check=_number(0, 200, int))
    segment_min_size: int = _row(
        20, "Fewest visitors of a segment: smaller ones are merged and never shown.", check=_number(2, 100_000, int)
    )
    segment_features: tuple[str, ...] = _row(
        (),
        "Features that segments are found by, all if empty; a name with a minus is left out, of names too.",
        check=_texts,
    )
    segment_exclude_categories: tuple[str, ...] = _row(
        (),
        "Sensitive categories, as whole paths, that segments and propensities know nothing of, nor of those below. "
        "After a change run `flask mtp rebuild`.",
        check=_texts,
    )
    segment_min_age: int = _row(
        18,
        "Visitors who say to be younger are in no segment, and no propensity is told of them; 0 sorts all.",
        unit="years",
        check=_number(0, 120, int),
    )
    train_on: str = _row(
        "",
        "Where trainings work out what need not wait for each other: empty is their own process, a number so many "
        "processes, tcp://host:port or tls://host:port a Dask scheduler (extra scale).",
        check=_workers,
    )
    propensity_estimator: str = _row(
        "sklearn.ensemble.HistGradientBoostingClassifier",
        "What tells purchases: an estimator in scikit-learn's style, by dotted name.",
        check=_text,
    )
    propensity_params: dict[str, Any] = _row({}, "Its parameters; empty: they are searched for.", check=_params)
    propensity_traits: tuple[str, ...] = _row(
        (), "Traits that may tell purchases, such as age or plan; empty: none.", check=_texts
    )
    rule_engine: str = _row(
        "auto",
        "What evaluates rules: durable (needs Python below 3.13), native, or auto: durable where it can be had.",
        check=_one_of("auto", "durable", "native"),
    )
    scheduler: bool = _row(False, "Run due jobs in a thread of this process.", check=_flag)
    console_note: str = _row(
        "", "A line over every page of the console, such as that this is the shop for trying things.", check=_text
    )
    commuting: tuple[str, ...] = _row(
        ("mon-fri 07:00-09:30", "mon-fri 16:30-19:00"),
        "When people are on their way to and from work, by the visitor's clock, in quarters of an hour.",
        check=_commuting,
    )
    place_database: str = _row(
        "", "File of a MaxMind city or country database (.mmdb); empty: places are unknown.", check=_text
    )
    urban_population: int = _row(
        100_000,
        "A city with this many people is urban; MTP_CITIES says how many each has.",
        check=_number(1, 10**8, int),
    )
    cities: str = _row(
        "", "File of cities with their population: GeoNames' cities15000.txt, or a CSV of ours.", check=_text
    )
    urban_cities: tuple[str, ...] = _row(
        (),
        "Cities that are urban whatever is known of them, such as GB/London; decides alone without MTP_CITIES.",
        check=_texts,
    )
    weather_url: str = _row(
        "",
        "Address that tells the weather, with {latitude} and {longitude}; empty: weather is unknown.",
        check=_web_template,
    )
    weather_fields: dict[str, str] = _row(
        {}, "Where the answer has weather and temperature, as dotted paths; empty knows two common forms.", check=_names
    )
    weather_minutes: float = _row(
        30.0, "How long the weather of a place holds.", unit="minutes", check=_number(1, 1440)
    )
    weather_timeout: float = _row(
        3.0, "How long the weather's server may take; no visitor waits for it.", unit="s", check=_number(0.1, 60)
    )
    crm: dict[str, Any] = _row(
        {}, "Systems that know customers by name: where each one's rows are and how they join.", check=_crm
    )
    crm_hours: float = _row(24.0, "How often traits are taken from CRMs.", unit="hours", check=_number(0.1, 8760))
    webhooks: dict[str, Any] = _row({}, "Who may post webhooks: a name, its kind, secrets and map.", check=_named_parts)
    webhook_days: int = _row(
        7, "How long bodies of webhooks are kept to be read again.", unit="days", check=_number(1, 365, int)
    )
    log_format: str = _row(
        "",
        "Write the plugin's log to standard error as lines of JSON with request ids (json); empty: as the shop says.",
        check=_one_of("", "json"),
    )
    outbound_allow: tuple[str, ...] = _row(
        (),
        "Hosts and networks that forwarding, alerts, CRMs and the weather may reach though they are not public.",
        check=_texts,
    )
    forward: dict[str, Any] = _row(
        {}, "To whom events are forwarded: a name, its kind and options.", check=_named_parts
    )
    alerts: dict[str, Any] = _row({}, "Who is told of alerts: a name, its kind and options.", check=_named_parts)
    alert_actions: dict[str, tuple[str, ...]] = _row(
        {},
        "What alerts may do about a KPI: take back rule, model, experiment, placement; fallback.",
        check=_actions,
    )
    alert_threshold: float = _row(
        2.75,
        "How far a figure of an hour must be off its season to be an alert.",
        unit="standard deviations",
        check=_number(1, 20),
    )
    alert_threshold_day: float = _row(
        2.25,
        "The same of a figure of a day.",
        unit="standard deviations",
        check=_number(1, 20),
    )
    alert_model_days: float = _row(
        3.0, "Age from which the serving model counts as stale.", unit="days", check=_number(0.01, 3650)
    )
    alert_days: int = _row(
        400,
        "How long alerts that are over, and the hours they are found in, are kept.",
        unit="days",
        check=_number(70, 3650, int),
    )
    experiments: dict[str, Any] = _row(
        {}, "What is tested: a key, its variations and what they are judged by.", check=_named_parts
    )
    bandits: dict[str, Any] = _row(
        {}, "Policies that learn what to show: a name, its placement, what it chooses and how.", check=_named_parts
    )
    cart_abandoned_minutes: float = _row(
        60.0, "Time after which a cart left alone counts as abandoned.", unit="minutes", check=_number(1, 10_080)
    )
    identity_max_nodes: int = _row(50, "Most ids that may be linked to one person.", check=_number(2, 500, int))
    identity_suggest_above: float = _row(
        0.5, "Probability from which two alike profiles are suggested as one person's.", check=_number(0.01, 1)
    )
    identity_link_above: float = _row(
        0.0, "Probability from which two alike profiles are linked unasked; 0 links nobody.", check=_number(0, 1)
    )
    pii_key_fallbacks: tuple[str, ...] = _row(
        (),
        "Keys of personal data from before rotations, the oldest first: hashes made under them are still found.",
        check=_pii_keys,
    )
    erase_on_revoke: bool = _row(
        False, "Whether a permission taken back erases what was kept under it, too.", check=_flag
    )
    event_days: int = _row(
        0,
        "How long events are kept; 0: as long as their visitor.",
        unit="days",
        check=_number(0, 36_500, int),
    )
    profile_days: int = _row(
        0,
        "After how long without an event a visitor is deleted, events, profile, slates and all; 0 never.",
        unit="days",
        check=_number(0, 36_500, int),
    )
    consent_days: int = _row(
        1095, "How long choices are kept that a later one replaced.", unit="days", check=_number(1, 36_500, int)
    )
    request_days: int = _row(
        1095, "How long requests of data subjects are kept, without a name.", unit="days", check=_number(1, 36_500, int)
    )
    pii_key: str = _row("", "Key of the hashes of e-mail and phone; empty derives one from SECRET_KEY.", check=_pii_key)

    @classmethod
    def read(cls, config: Mapping[str, Any]) -> Settings:
        """Take the ``MTP_*`` rows of a Flask configuration.

        :raises SettingError: an unknown key, or a value that cannot work, with the remedy
        """
        known = {PREFIX + row.name.upper(): row for row in dataclasses.fields(cls)}
        values: dict[str, Any] = {}
        for key, value in config.items():
            if not key.startswith(PREFIX):
                continue
            if key not in known:
                raise _error(key, value, _nearest(key, known))
            row = known[key]
            try:
                values[row.name] = row.metadata["check"](value)
            except _Wrong as wrong:
                raise _error(key, value, str(wrong)) from None
        # A small body alone is said clearly enough: no event in it can be larger.
        if "body_max_kb" in values and "event_max_kb" not in values:
            values["event_max_kb"] = min(cls.event_max_kb, values["body_max_kb"])
        settings = cls(**values)
        _check_together(settings)
        return settings


def _check_together(settings: Settings) -> None:
    """Values that are good alone and not beside each other."""
    both = set(settings.secret_keys) & set(settings.write_keys)
    if both:
        remedy = "a key of MTP_WRITE_KEYS stands in pages for all to read; make another one for servers"
        raise _error("MTP_SECRET_KEYS", settings.secret_keys, remedy)
    if settings.cookie_name == settings.consent_cookie_name:
        raise _error("MTP_CONSENT_COOKIE_NAME", settings.consent_cookie_name, "use another name than MTP_COOKIE_NAME")
    if settings.segment_cookie_name in (settings.cookie_name, settings.consent_cookie_name):
        raise _error(
            "MTP_SEGMENT_COOKIE_NAME", settings.segment_cookie_name, "use a name of its own, or leave it empty"
        )
    if not settings.broker_url and any(target.get("kind") == "broker" for target in settings.forward.values()):
        raise _error("MTP_FORWARD", settings.forward, "a target of kind broker needs MTP_BROKER_URL")
    if settings.replica_url and not settings.database_url.startswith("postgresql"):
        raise _error("MTP_REPLICA_URL", settings.replica_url, "it has to follow MTP_DATABASE_URL, a PostgreSQL")
    if settings.event_max_kb > settings.body_max_kb:
        remedy = f"use at most MTP_BODY_MAX_KB, which is {settings.body_max_kb}"
        raise _error("MTP_EVENT_MAX_KB", settings.event_max_kb, remedy)


def _error(key: str, value: Any, remedy: str) -> SettingError:
    """The error, whose text (it goes to logs) shows neither keys nor the passwords of URLs."""
    error = SettingError(key, _masked(value, key in _HIDDEN), remedy)
    error.value = value
    return error


def _masked(value: Any, hidden: bool) -> Any:
    if hidden and isinstance(value, Mapping):
        return dict.fromkeys(value, "***")
    if isinstance(value, str):
        return "***" if hidden and value.strip() else without_password(value)
    if hidden and isinstance(value, Mapping):
        return "***"
    if isinstance(value, (list, tuple)):
        return type(value)(_masked(part, hidden) for part in value)
    return value


def without_password(url: str) -> str:
    """A URL as it may be shown."""
    return _PASSWORD.sub(r"\1:***@", url)


def _nearest(key: str, known: Mapping[str, Any]) -> str:
    import difflib

    close = difflib.get_close_matches(key, known, n=1)
    return f"there is no such setting; did you mean {close[0]}?" if close else "there is no such setting; remove it"


def rows() -> list[dict[str, Any]]:
    """Every setting as ``{"name", "default", "unit", "help"}``, for documentation and ``doctor``."""
    defaults = Settings()
    return [
        {
            "name": PREFIX + row.name.upper(),
            "default": getattr(defaults, row.name),
            "unit": row.metadata["unit"],
            "help": row.metadata["help"],
        }
        for row in dataclasses.fields(Settings)
    ]
