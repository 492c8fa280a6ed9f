"""The extension. The rule: making it opens no socket; the first request makes a web process.

With the reloader of `flask run --debug` only the half that answers is seen.
"""

from __future__ import annotations

from flask import Flask
from z4j_core.agent import web
from z4j_core.config.declared import NAME

from .command import command


class Z4J:
    """The agent of an app's processes, under `app.config["Z4J"]` and the environment."""

    def __init__(self, app: Flask | None = None) -> None:
        """Observe an app now; without one, `init_app` does it later.

        Raises:
            ConfigError: only under the setting `STRICT`.
        """
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Read the settings of an app and find its engines; starts no thread.

        Raises:
            ConfigError: only under the setting `STRICT`.
        """
        if "z4j" in app.extensions:
            return
        app.extensions["z4j"] = self
        app.cli.add_command(command)
        if web.begin("flask", app.config.get(NAME)).is_active:
            app.before_request(web.serve)
