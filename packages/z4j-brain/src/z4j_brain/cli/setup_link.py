"""`z4j setup-link`: a fresh link for the first account, for who reads this machine's files."""

from __future__ import annotations

from collections.abc import Sequence

from ..auth import service as auth
from ..web.context import Brain
from .on_brain import on_brain
from .options import parser


def main(argv: Sequence[str] | None = None) -> int:
    """Print the link alone on a line; 15 minutes, single use."""
    found = parser("setup-link", "Print a new link for the first account.")
    found.add_argument("--url", help="where people reach the server")
    options = found.parse_args(argv)

    def act(brain: Brain) -> None:
        settings = brain.settings
        base = options.url or settings.public_url or f"http://{settings.host}:{settings.port}"
        with brain.db.writing() as conn:
            token = auth.make_link(conn, brain.entropy, "setup", brain.now_us())
        print(f"{base.rstrip('/')}/setup#{token}")

    return on_brain(options, act)
