"""``docs/settings.md`` from the rows of settings; ``python -m tests.docs.settings_page`` writes it."""

from __future__ import annotations

from pathlib import Path

from mtp_plugin.config import rows

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
HEAD = """# Settings

Keys of `app.config`. A key that does not exist or a value that cannot work stops the start and says what to write
instead. `flask mtp settings` prints this table.

| setting | default | unit | what for |
|---|---|---|---|
"""


def page() -> str:
    """The page as it should be."""
    return HEAD + "".join(f"| `{r['name']}` | `{r['default']!r}` | {r['unit']} | {r['help']} |\n" for r in rows())


if __name__ == "__main__":
    PAGE.write_text(page())
