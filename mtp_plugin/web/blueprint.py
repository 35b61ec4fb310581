"""The blueprint: every route of the table, our templates, headers and errors."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Flask, Response, request
from flask.sansio.app import App

from ..assets import templates_folder
from ..config import Settings
from ..patience import hurry, rest
from ..state import State
from ..track.bots import is_bot
from .admin.console import install_console
from .admin.panels import add_console
from .blocks import template_globals
from .consent import gpc
from .errors import handle_errors, handle_unrouted
from .figures import StoreFigures
from .kept import kept
from .logs import answer_with_id, write_json
from .parts import KEY, build_parts, get_parts, get_state, signing_keys
from .routes import ROUTES
from .sender import allow_origin
from .visitor import finish_response

Mount = Callable[[Flask, str], None]
"""Called with the application and the prefix when the blueprint is registered, before any of its routes."""


class MountingBlueprint(Blueprint):
    """A blueprint whose registration mounts the plugin first, so that a refusal leaves the application as it was."""

    mount: Mount

    def register(self, app: App, options: dict[str, Any]) -> None:
        assert isinstance(app, Flask)  # noqa: S101  Flask calls it
        prefix = options.setdefault("url_prefix", app.config.get("MTP_URL_PREFIX", Settings.url_prefix))
        self.mount(app, prefix)
        super().register(app, options)


def create_blueprint(mount: Mount, name: str = "mtp") -> Blueprint:
    """A blueprint with all routes, a new one each time.

    :param mount: sets the plugin up on the application it is registered on
    :param name: prefix of the endpoints
    """
    blueprint = MountingBlueprint(name, __name__, template_folder=str(templates_folder()))
    blueprint.mount = mount
    for route in ROUTES:
        blueprint.add_url_rule(route.rule, route.name, route.view, methods=[route.method], strict_slashes=True)
    add_console(blueprint)
    blueprint.before_request(_start)
    blueprint.after_request(_count)
    blueprint.after_request(allow_origin)
    blueprint.after_request(_with_request_id)
    handle_errors(blueprint)
    return blueprint


def install(app: Flask, state: State, url_prefix: str) -> None:
    """What lies outside of the blueprint: template functions, cookies, ``gpc.json``, errors of unknown addresses.

    :param url_prefix: where the blueprint is registered
    :raises mtp_plugin.errors.SettingError: a setting of this layer cannot work
    """
    if state.settings.log_format:
        write_json()
    is_bot("Mozilla/5.0")  # compiles its patterns now and not in a visitor's request
    parts = app.extensions[KEY] = build_parts(app, state.settings, url_prefix)
    parts.money(1.0, state.settings.currency)  # loads words of its locale now, too
    state.pipeline.observe = parts.metrics.answered
    state.slates.watch(parts.metrics.slate_queue)
    parts.metrics.also(StoreFigures(app.name, state))
    install_console(app, url_prefix, signing_keys(app))
    app.jinja_env.globals.update(template_globals(state, parts))
    app.before_request(hurry)
    app.after_request(finish_response)
    app.teardown_request(lambda error: rest())
    app.add_url_rule("/.well-known/gpc.json", "mtp_gpc", gpc)
    handle_unrouted(app, url_prefix)


def _start() -> None:
    kept().started = time.perf_counter()


def _with_request_id(response: Response) -> Response:
    return answer_with_id(response) if get_state().settings.log_format else response


def _count(response: Response) -> Response:
    started = kept().started
    if started is not None:  # a hook of the shop may have answered before we were asked
        route = (request.endpoint or "").rpartition(".")[2]
        get_parts().metrics.request(route, response.status_code, time.perf_counter() - started)
    return response
