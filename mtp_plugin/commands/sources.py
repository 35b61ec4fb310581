"""``import-orders``: orders from the shop's own systems, now instead of when their job is due."""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from ..errors import NotFoundError, SetupError
from ..sources import pull
from .base import answer, command, mounted


def register(mtp: click.Group) -> None:
    """Add this command to the group."""

    @command(mtp, "import-orders")
    @click.argument("source", required=False, default="")
    @click.option("--anew", is_flag=True, help="Ask for all orders again; what is known already counts once.")
    @with_appcontext
    def import_orders(source: str, anew: bool, as_json: bool) -> None:
        """Ask SOURCE, or all that mtp.order_source declared, for orders changed since the last time."""
        state = mounted()
        if not state.order_sources:
            raise SetupError("no source is declared: see mtp.order_source")
        if source and source not in state.order_sources:
            raise NotFoundError(
                f"there is no source {source!r}; there are {', '.join(state.order_sources)}", field="source"
            )
        wanted = [state.order_sources[source]] if source else list(state.order_sources.values())
        done = {one.name: pull(state, one, anew=anew) for one in wanted}
        answer({"sources": done}, as_json, "\n".join(f"{name}: {result.line()}" for name, result in done.items()))
