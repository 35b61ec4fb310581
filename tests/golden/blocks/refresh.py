"""The golden blocks and the one way to change them: ``python -m tests.golden.blocks.refresh``, then read the diff."""

from __future__ import annotations

from pathlib import Path

from mtp_plugin.block.cards import CardPages
from mtp_plugin.block.page import Banner, Scripts, banner_variables, block_variables, scripts_variables
from mtp_plugin.block.words import Words
from mtp_plugin.records import ConsentLevel
from tests.block.catalog import FRIENDLY, HOSTILE, dress, slate
from tests.block.pages import environment

HERE = Path(__file__).resolve().parent


def golden() -> dict[str, str]:
    """File name to what is rendered for it now."""
    templates = environment()

    def block(made, products, locale="en", heading_level=2, **options):
        variables = block_variables(
            dress(made, products, locale=locale, **options), Words(locale), templates, CardPages(),
            heading_level=heading_level,
        )  # fmt: skip
        return templates.get_template("mtp/block.html").render(variables)

    trending = slate(
        FRIENDLY,
        placement="home-trending",
        strategy="trending-items",
        level=ConsentLevel.NON_PERSONAL,
        codes=("trending",),
        because="",
    )
    cart = slate(
        FRIENDLY[1:3],
        placement="cart-complete",
        strategy="frequently-bought-together",
        level=ConsentLevel.CONTEXTUAL,
        codes=("bought-together",),
    )
    banner = Banner(action="/mtp/v1/privacy/consent", next="/p/1?a=1&b=2", policy_url="/privacy")
    scripts = Scripts(
        script_url="/mtp/widget.js", style_url="/mtp/static/mtp.css", consent_level=ConsentLevel.FULL, nonce="r4nd0m"
    )
    return {
        "grid.html": block(slate(FRIENDLY), FRIENDLY),
        "carousel.html": block(trending, FRIENDLY, layout="carousel"),
        "list-de.html": block(cart, FRIENDLY, locale="de-DE", layout="list", heading_level=3),
        "hostile.html": block(slate(HOSTILE), HOSTILE, title="</section><script>alert(0)</script>"),
        "empty.html": block(slate(()), ()),
        "consent.html": templates.get_template("mtp/_consent.html").render(banner_variables(banner, Words("en"))),
        "scripts.html": templates.get_template("mtp/_scripts.html").render(scripts_variables(scripts)),
    }


if __name__ == "__main__":
    for name, text in golden().items():
        (HERE / name).write_text(text + "\n", encoding="utf-8")
        print(name)
