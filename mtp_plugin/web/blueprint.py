"""The blueprint: every route of the table, our templates, headers and errors."""

from __future__ import annotations

import time

from flask import Blueprint, Flask, Response, g, request

from ..assets import templates_folder
from ..state import State
from .blocks import template_globals
from .consent import gpc
from .errors import handle_errors, handle_unrouted
from .parts import KEY, build_parts, get_parts
from .routes import ROUTES
from .sender import allow_origin
from .visitor import finish_response


def create_blueprint(name: str = "mtp", url_prefix: str | None = None) -> Blueprint:
    """A blueprint with all routes, a new one each time.

    :param name: prefix of the endpoints
    :param url_prefix: where it is mounted, unless that is said when it is registered
    """
    blueprint = Blueprint(name, __name__, url_prefix=url_prefix, template_folder=str(templates_folder()))
    for route in ROUTES:
        blueprint.add_url_rule(route.rule, route.name, route.view, methods=[route.method], strict_slashes=True)
    blueprint.before_request(_start)
    blueprint.after_request(_count)
    blueprint.after_request(allow_origin)
    handle_errors(blueprint)
    return blueprint


def install(app: Flask, state: State, url_prefix: str) -> None:
    """What lies outside of the blueprint: template functions, cookies, ``gpc.json``, errors of unknown addresses.

    :param url_prefix: where the blueprint is registered
    :raises mtp_plugin.errors.SettingError: a setting of this layer cannot work
    """
    parts = app.extensions[KEY] = build_parts(app, state.settings, url_prefix)
    app.jinja_env.globals.update(template_globals(state, parts))
    app.after_request(finish_response)
    app.add_url_rule("/.well-known/gpc.json", "mtp_gpc", gpc)
    handle_unrouted(app, url_prefix)


def _start() -> None:
    g._mtp_started = time.perf_counter()


def _count(response: Response) -> Response:
    route = (request.endpoint or "").rpartition(".")[2]
    get_parts().metrics.request(route, response.status_code, time.perf_counter() - g._mtp_started)
    return response
