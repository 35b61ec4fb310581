"""Writes the table of ``docs/segments-features.md``: ``python -m tests.docs.features_page``."""

from __future__ import annotations

from pathlib import Path

from mtp_plugin.profile.features import FEATURES, WORDS

PAGE = Path(__file__).parents[2] / "docs" / "segments-features.md"
START, END = "<!-- features -->", "<!-- /features -->"


def table() -> str:
    """The rows of the registry, as Markdown."""
    lines = ["| feature | group | unit | what it says |", "|---|---|---|---|"]
    for feature in (*FEATURES, *WORDS):
        name = f"`{feature.name}.<value>`" if feature.family else f"`{feature.name}`"
        lines.append(f"| {name} | {feature.group} | {feature.unit} | {feature.help} |")
    return "\n".join(lines)


def page(text: str) -> str:
    """The page with the table as it is now."""
    before, _, rest = text.partition(START)
    return f"{before}{START}\n{table()}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
