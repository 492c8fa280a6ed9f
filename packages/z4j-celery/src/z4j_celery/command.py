"""`celery z4j`, loaded by each `celery` process before the app. The rule: inert without a DSN."""

from __future__ import annotations

from importlib import import_module

import click


def _autostart() -> None:
    """Let the agent attach to the apps of this process, if one is configured."""
    import_module("z4j_core.agent").autostart()


@click.command("z4j")
@click.pass_context
def z4j(ctx: click.Context) -> None:
    """Show whether z4j observes this app."""
    status = import_module("z4j_core.agent").status
    click.echo(status())
    ctx.exit(0)


_autostart()
