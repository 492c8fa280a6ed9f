"""The Django app. The rule: when the apps are ready, all that can happen is one warning."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import register

from .checks import TAG, settings_check
from .debug_page import hide_dsn
from .lifecycle import begin


class Z4JConfig(AppConfig):
    """Starts the agent of this process with the settings of the project."""

    name = "z4j_django"
    verbose_name = "z4j"

    def ready(self) -> None:
        """Read `Z4J`, find the engines, open nothing.

        Raises:
            ConfigError: only under the setting `STRICT`.
        """
        register(settings_check, TAG)
        hide_dsn()
        begin()
