"""Every fenced block of README and documentation is run by a test, or stands here with the reason why not."""

from __future__ import annotations

import importlib
from collections import Counter

import pytest

from .fences import PAGES, ROOT, fences

RUN: dict[tuple[str, str], tuple[int, str]] = {
    ("README.md", "sh"): (6, "docs.test_readme.test_no_command_is_passed_over"),
    ("README.md", "python"): (2, "docs.test_readme.test_a_stranger_gets_a_shop"),
    ("README.md", "csv"): (1, "docs.test_readme.test_a_stranger_gets_a_shop"),
    ("alerts.md", "python"): (1, "docs.test_alerts.test_the_targets_shown_are_taken"),
    ("api.md", "http"): (2, "docs.test_api.test_requests_and_answers"),
    ("api.md", "json"): (3, "docs.test_api.test_requests_and_answers"),
    ("api.md", "sh"): (1, "docs.test_api.test_a_server_sends_an_event"),
    ("bandits.md", "python"): (1, "docs.test_bandits.test_the_policies_shown_are_taken"),
    # But for ``make demo``, which tests/docs/test_readme.py looks after.
    ("case-study.md", "sh"): (8, "demo.test_traffic.test_a_day_over_http_by_one_command"),
    ("catalogue.md", "sh"): (1, "docs.test_commands.test_imports"),
    ("catalogue.md", "python"): (4, "catalog.test_docs.test_the_model"),
    ("catalogue.md", "json"): (1, "catalog.test_docs.test_the_mapped_file_gives_what_the_page_says"),
    ("catalogue.md", "csv"): (1, "catalog.test_docs.test_the_mapped_file_gives_what_the_page_says"),
    ("catalogue.md", "text"): (1, "catalog.test_docs.test_the_mapped_file_gives_what_the_page_says"),
    ("conditions.md", "json"): (1, "catalog.test_docs.test_condition_snippets"),
    ("conditions.md", "python"): (1, "catalog.test_docs.test_condition_snippets"),
    ("console.md", "python"): (1, "docs.test_console.test_the_guard_shown"),
    ("edge.md", "html"): (1, "ops.test_edge.test_the_includes_shown_are_those_tried"),
    ("edge.md", "nginx"): (1, "ops.test_edge.test_only_segments_that_there_are_pass_the_map_shown"),
    ("edge.md", "sh"): (1, "ops.test_edge.test_only_segments_that_there_are_pass_the_map_shown"),
    ("enrichment.md", "python"): (2, "docs.test_enrichment.test_the_enricher_and_the_crms_shown"),
    ("enrichment.md", "json"): (1, "docs.test_enrichment.test_the_setting_and_the_commands_shown"),
    ("enrichment.md", "sh"): (1, "docs.test_enrichment.test_the_setting_and_the_commands_shown"),
    ("events.md", "json"): (3, "docs.test_events.test_the_answer_shown_is_the_one_given"),
    ("events.md", "python"): (2, "docs.test_events.test_the_import_shown_says_what_is_shown"),
    ("events.md", "csv"): (1, "docs.test_events.test_the_import_shown_says_what_is_shown"),
    ("events.md", "text"): (1, "docs.test_events.test_the_import_shown_says_what_is_shown"),
    ("events.md", "sh"): (1, "docs.test_commands.test_imports"),
    ("existing-shop.md", "python"): (6, "docs.test_examples.test_the_walk_shows_the_shop_as_it_is"),
    ("existing-shop.md", "html"): (4, "docs.test_examples.test_the_walk_shows_the_shop_as_it_is"),
    ("experiments.md", "python"): (2, "docs.test_experiments.test_what_the_page_shows_works"),
    ("experiments.md", "jinja"): (1, "docs.test_experiments.test_what_the_page_shows_works"),
    ("experiments.md", "sh"): (1, "docs.test_experiments.test_what_the_page_shows_works"),
    ("kpi.md", "sh"): (1, "docs.test_kpi.test_the_command_shown"),
    ("forwarding.md", "python"): (1, "docs.test_forwarding.test_the_targets_shown_are_taken"),
    ("identity.md", "python"): (2, "docs.test_identity.test_what_the_page_shows_works"),
    ("webhooks.md", "python"): (3, "docs.test_webhooks.test_the_sources_shown_are_taken"),
    ("mounting.md", "python"): (7, "docs.test_mounting.test_no_block_is_passed_over"),
    ("mounting.md", "jinja"): (1, "docs.test_mounting.test_three_lines"),
    ("mounting.md", "text"): (1, "docs.test_mounting.test_the_policy_is_enough"),
    ("off-policy.md", "sh"): (1, "docs.test_off_policy.test_the_commands_answer"),
    ("operations.md", "cron"): (1, "docs.test_operations.test_cron_runs_what_is_due"),
    ("operations.md", "yaml"): (1, "docs.test_operations.test_prometheus_may_read"),
    # The last one starts servers, the others are of backups.
    ("operations.md", "sh"): (4, "ops.test_backup.test_sqlite"),
    ("placements.md", "jinja"): (1, "docs.test_placements.test_calls_in_a_page"),
    ("placements.md", "html"): (1, "docs.test_placements.test_a_place_of_the_widget"),
    ("placements.md", "json"): (1, "docs.test_placements.test_changes_and_switches"),
    ("placements.md", "python"): (1, "docs.test_placements.test_changes_and_switches"),
    ("privacy-basics.md", "http"): (1, "docs.test_api.test_a_choice_by_a_consent_manager"),
    ("privacy-basics.md", "json"): (1, "docs.test_api.test_a_choice_by_a_consent_manager"),
    ("privacy.md", "http"): (1, "docs.test_api.test_a_request_of_a_data_subject"),
    ("privacy.md", "json"): (1, "docs.test_api.test_a_request_of_a_data_subject"),
    ("quality.md", "sh"): (2, "docs.test_quality.test_the_commands_measure"),
    # The same two programs, on this machine.
    ("scale.md", "sh"): (1, "ops.test_training_elsewhere.test_a_shop_trains_on_the_cluster_what_it_would_train_alone"),
    ("security.md", "python"): (1, "docs.test_security.test_the_hosts_shown_are_allowed"),
    ("segments.md", "json"): (1, "docs.test_segments.test_the_condition_shown_can_be_counted_and_saved"),
    ("segments.md", "sh"): (1, "docs.test_segments.test_the_condition_shown_can_be_counted_and_saved"),
    ("rules.md", "json"): (1, "docs.test_rules.test_the_rules_shown_do_what_they_say"),
    ("rules.md", "sh"): (1, "docs.test_rules.test_the_rules_shown_do_what_they_say"),
    ("simulation.md", "sh"): (1, "demo.test_traffic.test_a_day_over_http_by_one_command"),
    ("signals.md", "python"): (1, "docs.test_signals.test_the_receiver_hears"),
    ("theming.md", "css"): (3, "docs.test_theming.test_styles_reach_what_is_there"),
    ("theming.md", "jinja"): (1, "docs.test_theming.test_the_template_shown"),
    ("tracker.md", "html"): (3, "browser.test_tracker_page.test_what_the_page_shows_works"),
}
"""Page and language: how many blocks there are, and the test that runs them."""

NOT_RUN = {
    ("performance.md", "sh"): "benchmarks take minutes; test_commands looks whether files and options exist",
}
"""Page and language of what no test runs, and the reason."""


def test_every_block_is_run_or_excused() -> None:
    found = Counter((fence.page, fence.language) for fence in fences())
    for place in NOT_RUN:
        found.pop(place, 0)
    assert dict(found) == {place: count for place, (count, _) in RUN.items()}, (
        "a block is new or gone: let a test run it and count it in RUN, or say in NOT_RUN why none can"
    )


@pytest.mark.parametrize("test", sorted({test for _, test in RUN.values()}))
def test_the_test_named_exists(test: str) -> None:
    module, _, name = test.rpartition(".")
    assert callable(getattr(importlib.import_module(f"tests.{module}"), name))


def test_fences_are_whole() -> None:
    """A fence that is indented or not closed would not be seen."""
    for path in PAGES:
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if "```" in line]
        assert len(lines) == 2 * len(fences(path.name)), path.relative_to(ROOT)
