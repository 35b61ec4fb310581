"""Every route of the blueprint as one table: it is registered from here, and ``openapi.json`` is made from here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from flask import Response
from msgspec import Struct

from ..records import Receipt, RuleSet
from . import (
    blocks,
    collect,
    consent,
    experiments,
    health,
    identity,
    propensity,
    recommendations,
    rules,
    subjects,
    webhooks,
)
from .assets import PARTS, TYPES
from .queries import BlockQuery, RecommendationQuery


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One address and method.

    ``query`` and ``body`` are the structs that check what comes in, ``answer`` what goes out (``None``: not JSON, see
    ``content_type``). ``form`` is the field and its words that an HTML form may send instead of JSON. ``errors`` are
    the statuses it may answer besides 200. ``keys`` tells who may call.
    """

    method: str
    rule: str
    name: str
    view: Callable[..., Response]
    summary: str
    query: type[Struct] | None = None
    body: type[Struct] | None = None
    events: str = ""
    form: tuple[str, tuple[str, ...]] | None = None
    answer: type[Any] | None = None
    content_type: str = "application/json"
    errors: tuple[int, ...] = ()
    keys: str = "optional"


READ = (400, 401, 403, 429, 500, 503)
WRITE = (400, 401, 403, 413, 415, 429, 500, 503)


def _segment(kind: str, summary: str) -> Route:
    return Route(
        method="POST",
        rule=f"/v1/{kind}",
        name=kind,
        view=collect.segment_view(kind),
        summary=summary,
        events=kind,
        answer=Receipt,
        errors=WRITE,
    )


def _asset(address: str, name: str, file: str, summary: str) -> Route:
    return Route(
        method="GET",
        rule=f"/{address}",
        name=name,
        view=health.asset_view(file),
        summary=summary,
        content_type=TYPES[PurePath(file).suffix].partition(";")[0],
        keys="none",
    )


def _rules(
    method: str,
    rule: str,
    name: str,
    view: Callable[..., Response],
    summary: str,
    answer: type[Struct],
    body: type[Struct] | None = None,
) -> Route:
    return Route(
        method=method,
        rule=f"/v1/{rule}",
        name=name,
        view=view,
        summary=summary,
        body=body,
        answer=answer,
        errors=(*(WRITE if body else READ), 404, 409),
        keys="secret",
    )


def _openapi() -> Response:
    from .openapi import openapi_json

    return openapi_json()


ROUTES: tuple[Route, ...] = (
    _segment("track", "Something happened"),
    _segment("page", "A page was looked at"),
    _segment("identify", "Who the visitor is"),
    _segment("alias", "Two ids are one visitor"),
    _segment("batch", "Several events, each judged by itself"),
    _segment("group", "Accepted and ignored"),
    _segment("screen", "Accepted and ignored"),
    Route(
        method="POST",
        rule="/v1/ga4",
        name="ga4",
        view=collect.ga4,
        summary="Events in GA4's shape",
        events="ga4",
        answer=Receipt,
        errors=WRITE,
    ),
    Route(
        method="GET",
        rule="/v1/recommendations",
        name="recommendations",
        view=recommendations.recommendations,
        summary="A slate for a placement",
        query=RecommendationQuery,
        answer=recommendations.Recommendations,
        errors=(*READ, 404),
    ),
    Route(
        method="POST",
        rule="/v1/recommendations",
        name="recommendations_post",
        view=recommendations.recommendations,
        summary="A slate for a placement",
        body=RecommendationQuery,
        answer=recommendations.Recommendations,
        errors=(*WRITE, 404),
    ),
    Route(
        method="GET",
        rule="/v1/blocks/<placement>",
        name="block",
        view=blocks.block,
        summary="A slate as an HTML fragment",
        query=BlockQuery,
        content_type="text/html",
        errors=(*READ, 404),
    ),
    Route(
        method="GET",
        rule="/v1/propensity",
        name="propensity",
        view=propensity.read_propensity,
        summary="How probable it is that a visitor buys within a week",
        query=propensity.PropensityQuery,
        answer=propensity.Propensities,
        errors=READ,
    ),
    Route(
        method="GET",
        rule="/v1/privacy/consent",
        name="read_consent",
        view=consent.read_consent,
        summary="What the visitor decided",
        answer=consent.ConsentState,
        errors=READ,
    ),
    Route(
        method="POST",
        rule="/v1/privacy/consent",
        name="write_consent",
        view=consent.write_consent,
        summary="Decide",
        body=consent.ConsentChoice,
        form=("choice", (*consent.WORDS, consent.CHOSEN)),
        answer=consent.ConsentState,
        errors=(*WRITE, 303),
    ),
    _rules("GET", "rules", "read_rules", rules.read_rules, "The merchant's rules", rules.Rules),
    _rules("PUT", "rules", "write_rules", rules.write_rules, "Other rules", rules.RulesSaved, rules.RulesChange),
    _rules("GET", "rules/history", "rules_history", rules.rules_history, "Versions", rules.RulesHistory),
    _rules("POST", "rules/check", "check_rules", rules.check_rules, "What is wrong", rules.RulesChecked, RuleSet),
    _rules("POST", "rules/rollback", "roll_back", rules.roll_back, "Roll back", rules.RulesSaved, rules.RollBack),
    _rules("PUT", "rule/<rule_id>", "write_rule", rules.write_rule, "Write one", rules.RulesSaved, rules.RuleChange),
    _rules("DELETE", "rule/<rule_id>", "delete_rule", rules.delete_rule, "Delete one", rules.RulesSaved),
    _rules("POST", "rule/<rule_id>/enable", "enable_rule", rules.enable_rule, "Switch one on", rules.RulesSaved),
    _rules("POST", "rule/<rule_id>/disable", "disable_rule", rules.disable_rule, "Switch one off", rules.RulesSaved),
    Route(
        method="GET",
        rule="/v1/experiments",
        name="read_experiments",
        view=experiments.read_experiments,
        summary="What is tested",
        answer=experiments.ExperimentList,
        errors=READ,
        keys="secret",
    ),
    Route(
        method="GET",
        rule="/v1/experiments/<key>",
        name="read_experiment",
        view=experiments.read_experiment,
        summary="What an experiment says by now",
        query=experiments.ExperimentQuery,
        answer=experiments.ExperimentReport,
        errors=(*READ, 404),
        keys="secret",
    ),
    Route(
        method="POST",
        rule="/v1/webhooks/<source>",
        name="webhook",
        view=webhooks.webhook,
        summary="A signed delivery of another system",
        body=webhooks.AnyBody,
        answer=webhooks.WebhookAnswer,
        errors=(400, 401, 404, 413, 429, 500, 503),
        keys="none",
    ),
    Route(
        method="GET",
        rule="/v1/identity",
        name="read_identity",
        view=identity.read_identity,
        summary="Which profiles are one person's",
        query=identity.IdentityQuery,
        answer=identity.Links,
        errors=READ,
        keys="secret",
    ),
    Route(
        method="POST",
        rule="/v1/identity",
        name="claim_identity",
        view=identity.claim_identity,
        summary="Two profiles are one person's",
        body=identity.IdentityClaim,
        answer=identity.Links,
        errors=WRITE,
        keys="secret",
    ),
    Route(
        method="POST",
        rule="/v1/identity/decisions",
        name="decide_identity",
        view=identity.decide_identity,
        summary="Accept or reject a suggested link, undo a merge",
        body=identity.IdentityDecision,
        answer=identity.Links,
        errors=(*WRITE, 404),
        keys="secret",
    ),
    Route(
        method="GET",
        rule="/v1/privacy/subject",
        name="export_subject",
        view=subjects.export_subject,
        summary="Everything that is kept of the visitor",
        query=subjects.SubjectQuery,
        answer=dict[str, Any],
        errors=READ,
    ),
    Route(
        method="DELETE",
        rule="/v1/privacy/subject",
        name="erase_subject",
        view=subjects.erase_subject,
        summary="Erase the visitor",
        query=subjects.SubjectQuery,
        answer=subjects.SubjectReceipt,
        errors=READ,
    ),
    Route(
        method="GET",
        rule="/v1/privacy/requests",
        name="read_requests",
        view=subjects.read_requests,
        summary="What the visitor asked for, and how far it is",
        query=subjects.SubjectQuery,
        answer=subjects.SubjectRequests,
        errors=READ,
    ),
    Route(
        method="POST",
        rule="/v1/privacy/requests",
        name="ask_subject",
        view=subjects.ask_subject,
        summary="Ask for erasure, restriction, objection, correction",
        body=subjects.SubjectAsk,
        form=("kind", subjects.BY_FORM),
        answer=subjects.SubjectReceipt,
        errors=(*WRITE, 303, 404),
    ),
    _asset("widget.js", "widget", "mtp.js", "Tracker, consent and block loader"),
    *(_asset(f"widget-{part}.js", f"widget_{part}", f"mtp-{part}.js", summary) for part, summary in PARTS.items()),
    _asset("mtp.css", "style", "mtp.css", "The style of blocks"),
    Route(
        method="GET",
        rule="/health/live",
        name="live",
        view=health.live,
        summary="The process answers",
        answer=health.Health,
        keys="none",
    ),
    Route(
        method="GET",
        rule="/health/ready",
        name="ready",
        view=health.ready,
        summary="The database answers; 200 and degraded when only Redis or models are away",
        answer=health.Health,
        errors=(503,),
        keys="none",
    ),
    Route(
        method="GET",
        rule="/metrics",
        name="metrics",
        view=health.metrics,
        summary="Figures for Prometheus",
        content_type="text/plain",
        errors=(401, 429),
        keys="secret",
    ),
    Route(
        method="GET",
        rule="/openapi.json",
        name="openapi",
        view=_openapi,
        summary="This description",
        answer=dict[str, Any],
        keys="none",
    ),
)
